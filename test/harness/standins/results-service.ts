import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Artifact, createArtifactService } from './artifact-service.ts';
import { createBlockBlobs } from './block-blobs.ts';
import type { CacheEntry } from './cache-entries.ts';
import { createCacheService } from './cache-service.ts';
import { type Answer, jsonAnswer, listen, type ReceivedRequest, type Standin } from './listening-server.ts';
import { mintRuntimeToken, type RuntimeTokenClaims, verifyRuntimeToken } from './runtime-token.ts';
import { signBlobPath } from './signed-blob-url.ts';
import { parseTwirpMessage, TwirpError, twirpErrorAnswer } from './twirp.ts';

export interface ResultsServiceOptions {
  readonly port?: number;
  /** Bytes of all cache entries together, after which the least recently used go; 10 GB as at GitHub. */
  readonly quota?: number;
  /** Bytes of one upload, after which the blob store answers 413. */
  readonly maxBlobBytes?: number;
  /** Seconds that upload and download URLs live; 3600. Negative for URLs that are expired when they are given out. */
  readonly urlLifetime?: number;
}

/** GitHub's results service, version 2: caches and artifacts of workflow runs, and the blob store behind them. */
export interface ResultsService extends Standin {
  /** A job's runtime token; without claims that of a push to `main` of run `run-1`, job `job-1`. */
  mintRuntimeToken(claims?: Partial<RuntimeTokenClaims>): string;
  /**
   * What the runner puts into a job's environment. The clients believe in version 2 of the service only while GITHUB_SERVER_URL is
   * absent, github.com, or a host that ends with `.ghe.com` or `.localhost`.
   */
  environment(claims?: Partial<RuntimeTokenClaims>): Record<string, string>;
  cacheEntries(): readonly CacheEntry[];
  artifacts(): readonly Artifact[];
  /** Every request takes so much longer, from now on; 0 ends that. */
  slow(milliseconds: number): void;
  /** From now on there is no room for new entries and artifacts (`resource_exhausted`). */
  full(isFull?: boolean): void;
}

const TWIRP_PATH = /^\/+twirp\/github\.actions\.results\.api\.v1\.(CacheService|ArtifactService)\/(\w+)$/;

export async function startResultsService(options: ResultsServiceOptions = {}): Promise<ResultsService> {
  const key = randomBytes(32);
  const folder = await mkdtemp(join(tmpdir(), 'results-service-'));
  const blobs = createBlockBlobs({ folder, key, maxBytes: options.maxBlobBytes ?? Number.POSITIVE_INFINITY });
  const signedUrl = (path: string, permission: 'r' | 'w', contentDisposition?: string) =>
    server.url +
    signBlobPath(key, path, {
      permission,
      expiresIn: options.urlLifetime ?? 3600,
      ...(contentDisposition !== undefined && { contentDisposition }),
    });
  const caches = createCacheService({ blobs, signedUrl, quota: options.quota ?? 10_000_000_000 });
  const artifacts = createArtifactService({ blobs, signedUrl });
  let isFull = false;
  let delay = 0;

  async function callTwirp(request: ReceivedRequest, service: string, method: string): Promise<Answer> {
    try {
      if (request.method !== 'POST') throw new TwirpError('bad_route', `unsupported method ${request.method}`);
      if (!/^application\/json\b/.test(request.headers['content-type'] ?? '')) {
        throw new TwirpError('bad_route', 'unexpected Content-Type: only JSON is spoken here');
      }
      const bearer = /^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1];
      const token = bearer === undefined ? undefined : verifyRuntimeToken(key, bearer);
      if (token === undefined) throw new TwirpError('unauthenticated', 'invalid or expired token');
      const message = parseTwirpMessage((await request.body()).toString());
      if (isFull && method.startsWith('Create')) {
        throw new TwirpError(
          'resource_exhausted',
          `insufficient usage to call ${method}: the storage quota has been hit`,
        );
      }
      const called = service === 'CacheService' ? caches : artifacts;
      return jsonAnswer(await called.call(method, message, token));
    } catch (error) {
      if (error instanceof TwirpError) return twirpErrorAnswer(error);
      throw error;
    }
  }

  const server = await listen(async (request) => {
    if (delay > 0) await new Promise((resolve) => setTimeout(resolve, delay));
    const twirp = TWIRP_PATH.exec(request.url.pathname);
    if (twirp?.[1] !== undefined && twirp[2] !== undefined) return callTwirp(request, twirp[1], twirp[2]);
    if (request.url.pathname.startsWith('/actions-results/')) return blobs.answer(request);
    if (request.url.pathname.includes('/_apis/artifactcache/')) {
      const message =
        'This legacy service is shutting down, effective April 15, 2025. Migrate to the new service ASAP.';
      return jsonAnswer({ message }, 422);
    }
    return twirpErrorAnswer(new TwirpError('bad_route', `no handler for path ${request.url.pathname}`));
  }, options);

  const mint = (claims: Partial<RuntimeTokenClaims> = {}) =>
    mintRuntimeToken(key, {
      runId: 'run-1',
      jobId: 'job-1',
      scopes: [{ scope: 'refs/heads/main', permission: 3 }],
      ...claims,
    });
  const stop = async () => {
    await server.stop();
    await rm(folder, { recursive: true, force: true });
  };
  return {
    ...server,
    mintRuntimeToken: mint,
    environment: (claims) => ({
      // With the slash: BuildKit appends `twirp/…` to it as it is.
      ACTIONS_RESULTS_URL: `${server.url}/`,
      ACTIONS_CACHE_URL: `${server.url}/`,
      ACTIONS_RUNTIME_URL: `${server.url}/`,
      ACTIONS_RUNTIME_TOKEN: mint(claims),
      ACTIONS_CACHE_SERVICE_V2: 'true',
    }),
    cacheEntries: caches.entries,
    artifacts: artifacts.artifacts,
    slow: (milliseconds) => {
      delay = milliseconds;
    },
    full: (value = true) => {
      isFull = value;
    },
    stop,
    [Symbol.asyncDispose]: stop,
  };
}
