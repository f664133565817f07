import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createAdaptiveConcurrency } from '../../../../src/core/aws/adaptive-concurrency.ts';
import { createS3Client, type S3Client } from '../../../../src/core/aws/s3-client.ts';
import { parseGlobs } from '../../../../src/core/runner/input-grammar.ts';
import { createLog } from '../../../../src/core/runner/log.ts';
import { type Deployed, type DeployRequest, deploySite } from '../../../../src/core/site/deploy-site.ts';
import { hashFiles } from '../../../../src/core/site/file-digests.ts';
import { applyHeaderRules } from '../../../../src/core/site/file-headers.ts';
import { parseCacheRules } from '../../../../src/core/site/header-rules.ts';
import { compileGlobs } from '../../../../src/core/site/path-globs.ts';
import { parseManifest, type ReleaseManifest } from '../../../../src/core/site/release-manifest.ts';
import { restoreRelease } from '../../../../src/core/site/restore-release.ts';
import type { SiteFile } from '../../../../src/core/site/site-file.ts';
import { readSourceFolder } from '../../../../src/core/site/source-folder.ts';
import type { MemoryS3 } from '../../../harness/standins/memory-s3.ts';

export const MANIFEST = '.slipway/manifest.json';

/** A server, unless `choices.client` leads to another. */
type Endpoint = Pick<MemoryS3, 'endpoint'>;

export type Pages = Readonly<Record<string, string>>;

export interface DeployChoices extends Partial<DeployRequest> {
  readonly id?: string;
  readonly keep?: number;
  readonly deletes?: boolean;
  readonly cache?: string;
}

/** Deploys pages, each time as another release: `r1`, `r2`, … */
export interface Deployer extends AsyncDisposable {
  readonly lines: string[];
  /** The id of the last release that was begun. */
  readonly last: () => string;
  deploy(server: Endpoint, pages: Pages, choices?: DeployChoices): Promise<Deployed>;
  restore(server: Endpoint, release: string, from?: string, choices?: DeployChoices): Promise<Deployed>;
}

export async function createDeployer(): Promise<Deployer> {
  const folder = await mkdtemp(join(tmpdir(), 'slipway-site-'));
  const lines: string[] = [];
  const log = createLog((line) => lines.push(line), { debug: false });
  let release = 0;

  function carryOut(server: Endpoint, files: readonly SiteFile[], id: string, more: DeployChoices): Promise<Deployed> {
    const { keep = 3, deletes = false, id: _id, cache: _cache, ...request } = more;
    return deploySite({
      client: clientOf(server),
      prefix: '',
      files: async () => files,
      settings: {
        release: { id, commit: 'c0ffee', time: '2026-11-20T00:00:00Z' },
        keepReleases: keep,
        deletesOld: deletes,
        takesPart: () => true,
      },
      run: { id: release, attempt: 1 },
      isDryRun: false,
      ifBusy: 'fail',
      log,
      onPlan: () => undefined,
      onLive: undefined,
      ...request,
    });
  }

  return {
    lines,
    last: () => `r${release}`,
    async deploy(server, pages, more = {}) {
      release += 1;
      const id = more.id ?? `r${release}`;
      return carryOut(server, await filesOf(folder, pages, more.cache ?? ''), id, more);
    },
    async restore(server, id, from = '', more = {}) {
      const target = { prefix: more.prefix ?? '', folder: await mkdtemp(join(folder, 'restored-')), log };
      const { record, files } = await restoreRelease(clientOf(server), { prefix: from, release: id }, target);
      return carryOut(server, files, record.release.id, more);
    },
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true }),
  };
}

async function filesOf(folder: string, pages: Pages, cache: string): Promise<readonly SiteFile[]> {
  const source = await mkdtemp(join(folder, 'source-'));
  for (const [path, text] of Object.entries(pages)) {
    await mkdir(dirname(join(source, path)), { recursive: true });
    await writeFile(join(source, path), text);
  }
  const found = readSourceFolder(source, () => true, { maxFiles: 1000, maxBytes: 1e9 });
  return applyHeaderRules(await hashFiles(found), {
    cache: parseCacheRules(cache),
    headers: [],
    isEntryDocument: compileGlobs(parseGlobs('/*.json')),
    isEncodedBeside: true,
  });
}

/** A site of `version` whose pages name all of its assets, none of which has the name of another version's. */
export function siteOf(version: string): Pages {
  const page = `<script src="/assets/app-${version}.js"></script><link href="/assets/style-${version}.css">`;
  return {
    'index.html': `${page}<a href="/docs/index.html">`,
    'docs/index.html': `${page}<a href="/docs/deep/page.html">`,
    'docs/deep/page.html': page,
    [`assets/app-${version}.js`]: `import "/assets/chunk-${version}.js"`,
    [`assets/chunk-${version}.js`]: version,
    [`assets/style-${version}.css`]: `body { content: "${version}" }`,
  };
}

export function clientOf(server: Endpoint, concurrency = 4): S3Client {
  const location = {
    bucket: 'bucket',
    region: 'us-east-1',
    endpoint: server.endpoint,
    bucketPath: '/bucket',
    isAmazon: false,
  };
  return createS3Client({
    location,
    credentials: async () => ({ accessKeyId: 'AKIA', secretAccessKey: 'secret' }),
    concurrency: createAdaptiveConcurrency({ initial: concurrency, max: concurrency }),
  });
}

/** Follows every page from the start page, and returns what it names and the server has not. */
export function brokenLinks(server: MemoryS3): readonly string[] {
  const seen = new Set<string>();
  const broken: string[] = [];
  const visit = (path: string): void => {
    if (seen.has(path)) return;
    seen.add(path);
    const text = server.objects.get(path)?.body.toString();
    if (text === undefined) broken.push(path);
    else for (const [, link = ''] of text.matchAll(/"\/([^"]+)"/g)) visit(link);
  };
  if (server.objects.has('index.html')) visit('index.html');
  return broken;
}

/** What Slipway keeps beside a site. */
export const isOwn = (key: string): boolean => key.includes('.slipway/');

/** The keys of the site's files. */
export function sitesOf(server: MemoryS3): string[] {
  return [...server.objects.keys()].filter((key) => !isOwn(key)).sort();
}

export function manifestOf(server: MemoryS3): ReleaseManifest | undefined {
  return parseManifest(server.objects.get(MANIFEST)?.body.toString() ?? '', () => undefined);
}

export function textOf(server: MemoryS3, key: string): string | undefined {
  return server.objects.get(key)?.body.toString();
}
