import { type PackageOwner, type PackageVersion, packageAnswer } from './github-packages.ts';
import { GithubRefusal, refusalAnswer } from './github-refusal.ts';
import { type Repository, repositoryAnswer } from './github-repositories.ts';
import { type Answer, jsonAnswer, listen, type ReceivedRequest, type Standin } from './listening-server.ts';

export interface GithubApiOptions {
  readonly port?: number;
  /** The tokens that are known; every other one is refused. Any token is good when absent. */
  readonly tokens?: readonly string[];
  /** Whether requests without a token are refused (false). */
  readonly requireToken?: boolean;
  readonly repositories?: readonly Repository[];
  readonly packageOwners?: readonly PackageOwner[];
}

export interface RateLimit {
  /** `primary`: the hour's requests are used up, reset by the clock. `secondary`: too fast, told by `retry-after`. */
  readonly kind: 'primary' | 'secondary';
  /** 403, as GitHub mostly answers (default), or 429. */
  readonly status?: 403 | 429;
  /** Until the limit is over; 1. */
  readonly seconds?: number;
  /** How many requests are refused; 1. */
  readonly times?: number;
  /** Tested on `METHOD /path?query`. */
  readonly match?: RegExp;
}

/** What was posted to a repository's attestations. */
export interface StoredAttestation {
  readonly id: number;
  readonly repository: string;
  readonly bundle: unknown;
}

/** The part of GitHub's REST API that the actions use; the same under `/api/v3`, where an enterprise server has it. */
export interface GithubApi extends Standin {
  readonly enterpriseUrl: string;
  readonly attestations: readonly StoredAttestation[];
  /** Versions of a container package that are left. */
  packageVersions(owner: string, name: string): readonly PackageVersion[];
  rateLimit(limit: RateLimit): void;
}

const RATE_LIMIT = 5000;

export async function startGithubApi(options: GithubApiOptions = {}): Promise<GithubApi> {
  const attestations: StoredAttestation[] = [];
  const owners = new Map((options.packageOwners ?? []).map((owner) => [owner.login, structuredClone(owner)]));
  let used = 0;

  async function route(request: ReceivedRequest): Promise<Answer> {
    requireToken(request, options);
    const path = request.url.pathname.replace(/^\/api\/v3(?=\/)/, '');
    const [, fullName, rest = ''] = /^\/repos\/([^/]+\/[^/]+)(\/.*)?$/.exec(path) ?? [];
    if (fullName !== undefined) {
      const repository = (options.repositories ?? []).find((known) => known.fullName === fullName);
      // A private repository is not there for who may not see it.
      const isHidden = repository?.isPrivate === true && request.headers.authorization === undefined;
      if (repository === undefined || isHidden) throw new GithubRefusal(404, 'Not Found');
      if (rest.startsWith('/attestations')) return attestationAnswer(request, fullName, rest);
      return repositoryAnswer(request, repository, rest);
    }
    return packageAnswer(request, owners, path);
  }

  async function attestationAnswer(request: ReceivedRequest, repository: string, rest: string): Promise<Answer> {
    if (request.method === 'POST' && rest === '/attestations') {
      const bundle = readBundle((await request.body()).toString());
      attestations.push({ id: attestations.length + 1, repository, bundle });
      return jsonAnswer({ id: attestations.length }, 201);
    }
    const digest = /^\/attestations\/(sha256:[0-9a-f]{64})$/.exec(decodeURIComponent(rest))?.[1];
    if (request.method !== 'GET' || digest === undefined) throw new GithubRefusal(404, 'Not Found');
    const found = attestations.filter((one) => one.repository === repository && subjects(one.bundle).includes(digest));
    return jsonAnswer({ attestations: found.map(({ bundle }) => ({ bundle, repository_id: 74 })) });
  }

  const server = await listen(async (request) => {
    used += 1;
    const headers = {
      'x-github-request-id': `0000:${used}`,
      ...rateHeaders(RATE_LIMIT - used, 3600),
    };
    try {
      const answer = await route(request);
      return { ...answer, headers: { ...headers, ...answer.headers } };
    } catch (error) {
      if (error instanceof GithubRefusal) {
        const answer = refusalAnswer(error);
        return { ...answer, headers: { ...answer.headers, ...headers } };
      }
      throw error;
    }
  }, options);

  return {
    ...server,
    enterpriseUrl: `${server.url}/api/v3`,
    attestations,
    packageVersions: (owner, name) => owners.get(owner)?.packages[name] ?? [],
    rateLimit: ({ kind, status = 403, seconds = 1, times, match }) =>
      server.fail({
        status,
        headers: {
          'content-type': 'application/json; charset=utf-8',
          ...(kind === 'primary'
            ? rateHeaders(0, seconds)
            : { 'retry-after': String(seconds), ...rateHeaders(4000, 3600) }),
        },
        body: JSON.stringify({
          message:
            kind === 'primary'
              ? 'API rate limit exceeded for installation ID 1.'
              : 'You have exceeded a secondary rate limit. Please wait a few minutes before you try again.',
          documentation_url: 'https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api',
          status: String(status),
        }),
        ...(times !== undefined && { times }),
        ...(match !== undefined && { match }),
      }),
  };
}

function requireToken({ headers }: ReceivedRequest, options: GithubApiOptions): void {
  const token = /^(?:Bearer|token) (\S+)$/i.exec(headers.authorization ?? '')?.[1];
  if (token === undefined) {
    if (headers.authorization !== undefined) throw new GithubRefusal(401, 'Bad credentials');
    if (options.requireToken === true) throw new GithubRefusal(401, 'Requires authentication');
  } else if (options.tokens !== undefined && !options.tokens.includes(token)) {
    throw new GithubRefusal(401, 'Bad credentials');
  }
}

function rateHeaders(remaining: number, seconds: number): Record<string, string> {
  return {
    'x-ratelimit-limit': String(RATE_LIMIT),
    'x-ratelimit-remaining': String(Math.max(0, remaining)),
    'x-ratelimit-used': String(RATE_LIMIT - Math.max(0, remaining)),
    'x-ratelimit-reset': String(Math.ceil(Date.now() / 1000 + seconds)),
    'x-ratelimit-resource': 'core',
  };
}

function readBundle(body: string): object {
  try {
    const { bundle }: { bundle?: unknown } = JSON.parse(body);
    if (typeof bundle === 'object' && bundle !== null) return bundle;
  } catch (cause) {
    throw new GithubRefusal(400, `Problems parsing JSON: ${String(cause)}`);
  }
  throw new GithubRefusal(422, 'Invalid request.\n\n"bundle" wasn\'t supplied.');
}

/** Digests of an in-toto statement's subjects inside a Sigstore bundle. */
function subjects(bundle: unknown): readonly string[] {
  try {
    const { dsseEnvelope }: { dsseEnvelope: { payload: string } } = JSON.parse(JSON.stringify(bundle));
    const statement: { subject: { digest: { sha256: string } }[] } = JSON.parse(
      Buffer.from(dsseEnvelope.payload, 'base64').toString(),
    );
    return statement.subject.map(({ digest }) => `sha256:${digest.sha256}`);
  } catch {
    // A bundle of another shape is stored, and found by no digest.
    return [];
  }
}
