import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createAdaptiveConcurrency } from '../../../../src/core/aws/adaptive-concurrency.ts';
import { createS3Client, type S3Client } from '../../../../src/core/aws/s3-client.ts';
import { parseGlobs } from '../../../../src/core/runner/input-grammar.ts';
import { createLog } from '../../../../src/core/runner/log.ts';
import { type Deployed, type DeployRequest, deploySite } from '../../../../src/core/site/deploy-site.ts';
import { hashFiles } from '../../../../src/core/site/file-digests.ts';
import { applyHeaderRules, parseCacheRules } from '../../../../src/core/site/header-rules.ts';
import { compileGlobs } from '../../../../src/core/site/path-globs.ts';
import { parseManifest } from '../../../../src/core/site/release-manifest.ts';
import { readSourceFolder } from '../../../../src/core/site/source-folder.ts';
import { type MemoryS3, startMemoryS3 } from './memory-s3.ts';

const isEntryDocument = compileGlobs(parseGlobs('/*.json'));
const MANIFEST = '.slipway/manifest.json';
let folder = '';
let lines: string[] = [];
let release = 0;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'slipway-site-'));
  lines = [];
});
afterEach(() => rm(folder, { recursive: true }));

type Pages = Readonly<Record<string, string>>;

/** A site of `version` whose pages name all of its assets, none of which has the name of another version's. */
function siteOf(version: string): Pages {
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

function clientOf(server: MemoryS3): S3Client {
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
    concurrency: createAdaptiveConcurrency({ initial: 4, max: 4 }),
  });
}

async function deploy(
  server: MemoryS3,
  pages: Pages,
  more: Partial<DeployRequest> & { readonly keep?: number; readonly deletes?: boolean; readonly cache?: string } = {},
): Promise<Deployed> {
  release += 1;
  const id = `r${release}`;
  const source = await mkdtemp(join(folder, 'source-'));
  for (const [path, text] of Object.entries(pages)) {
    await mkdir(dirname(join(source, path)), { recursive: true });
    await writeFile(join(source, path), text);
  }
  const found = await readSourceFolder(source, () => true, { maxFiles: 1000, maxBytes: 1e9 });
  const cache = parseCacheRules(more.cache ?? '');
  return deploySite({
    client: clientOf(server),
    prefix: '',
    files: applyHeaderRules(await hashFiles(found), { cache, headers: [], isEntryDocument }),
    settings: {
      release: { id, commit: 'c0ffee', time: '2026-11-20T00:00:00Z' },
      keepReleases: more.keep ?? 3,
      deletesOld: more.deletes ?? false,
      takesPart: () => true,
      isEntryDocument,
    },
    isDryRun: false,
    ifBusy: 'fail',
    log: createLog((line) => lines.push(line), { debug: false }),
    onPlan: () => undefined,
    onLive: async () => undefined,
    ...more,
  });
}

/** Follows every page from the start page, and returns what it names and the server has not. */
function brokenLinks(server: MemoryS3): readonly string[] {
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

const sites = (server: MemoryS3): string[] => [...server.objects.keys()].filter((key) => key !== MANIFEST).sort();

describe('deploySite', () => {
  it('sends assets first, pages deepest first, and the start page last', async () => {
    await using server = await startMemoryS3();
    await deploy(server, siteOf('1'));
    const puts = server.requests.filter((request) => request.startsWith('PUT') && !request.includes(MANIFEST));
    expect(puts.slice(0, 3).every((put) => put.startsWith('PUT assets/'))).toBe(true);
    expect(puts.slice(3)).toEqual(['PUT docs/deep/page.html', 'PUT docs/index.html', 'PUT index.html']);
    expect(server.requests.at(-1)).toBe(`PUT ${MANIFEST}`);
  });

  it('sends two requests for a site that is unchanged', async () => {
    await using server = await startMemoryS3();
    const first = await deploy(server, siteOf('1'));
    server.requests.length = 0;
    const second = await deploy(server, siteOf('1'));
    expect(server.requests.toSorted()).toEqual([`GET ${MANIFEST}`, 'LIST']);
    expect(second.plan.release.id).toBe(first.plan.release.id);
    expect(second.plan.unchanged).toHaveLength(6);
  });

  it('sends a changed file of the same size', async () => {
    await using server = await startMemoryS3();
    await deploy(server, { 'index.html': 'one' });
    await deploy(server, { 'index.html': 'two' });
    expect(server.objects.get('index.html')?.body.toString()).toBe('two');
  });

  it('copies, and does not send, a file of which only the headers changed', async () => {
    await using server = await startMemoryS3();
    await deploy(server, siteOf('1'));
    server.requests.length = 0;
    await deploy(server, siteOf('1'), { cache: '*.css: max-age=5' });
    expect(server.requests.filter((request) => !request.includes(MANIFEST))).toEqual([
      'LIST',
      'COPY assets/style-1.css',
    ]);
    expect(server.objects.get('assets/style-1.css')?.headers['cache-control']).toBe('max-age=5');
  });

  it('recognises by MD5 what another tool sent, and sets its headers', async () => {
    await using server = await startMemoryS3();
    const etag = '"f97c5d29941bfb1b2fdab0874906ab82"';
    server.objects.set('index.html', { body: Buffer.from('one'), etag, headers: {} });
    await deploy(server, { 'index.html': 'one' });
    expect(server.requests).toContain('COPY index.html');
    expect(server.objects.get('index.html')?.headers['content-type']).toBe('text/html; charset=utf-8');
  });

  it('repairs what somebody else changed or deleted', async () => {
    await using server = await startMemoryS3();
    await deploy(server, siteOf('1'));
    server.objects.delete('assets/app-1.js');
    server.objects.set('docs/index.html', { body: Buffer.from('defaced'), etag: '"x"', headers: {} });
    await deploy(server, siteOf('1'));
    expect(server.objects.get('docs/index.html')?.body.toString()).toContain('<a href');
    expect(brokenLinks(server)).toEqual([]);
  });

  it('keeps the files of as many past releases as asked, and deletes older ones', async () => {
    await using server = await startMemoryS3();
    server.objects.set('legacy.js', { body: Buffer.from('old'), etag: '"y"', headers: {} });
    const kept: string[][] = [];
    for (const version of ['1', '2', '3', '4']) {
      await deploy(server, siteOf(version), { deletes: true, keep: 2 });
      kept.push(sites(server).filter((key) => /app-|legacy/.test(key)));
    }
    expect(kept).toEqual([
      ['assets/app-1.js', 'legacy.js'],
      ['assets/app-1.js', 'assets/app-2.js', 'legacy.js'],
      ['assets/app-1.js', 'assets/app-2.js', 'assets/app-3.js'],
      ['assets/app-2.js', 'assets/app-3.js', 'assets/app-4.js'],
    ]);
  });

  it('deletes nothing unless told to', async () => {
    await using server = await startMemoryS3();
    for (const version of ['1', '2', '3', '4', '5', '6']) await deploy(server, siteOf(version), { keep: 0 });
    expect(sites(server).filter((key) => key.includes('app-'))).toHaveLength(6);
  });

  it('leaves sites below it alone, such as previews', async () => {
    await using server = await startMemoryS3();
    await deploy(server, siteOf('1'), { prefix: 'pr-7/' });
    await deploy(server, siteOf('1'), { deletes: true, keep: 0 });
    await deploy(server, siteOf('2'), { deletes: true, keep: 0 });
    expect(server.objects.has('pr-7/assets/app-1.js')).toBe(true);
    expect(server.objects.has('assets/app-1.js')).toBe(false);
  });

  it('reads a long listing page by page before it deletes', async () => {
    await using server = await startMemoryS3({ pageSize: 2 });
    server.objects.set('zzz.js', { body: Buffer.from('old'), etag: '"y"', headers: {} });
    await deploy(server, siteOf('1'), { deletes: true, keep: 0 });
    await deploy(server, siteOf('2'), { deletes: true, keep: 0 });
    expect(sites(server)).toEqual(Object.keys(siteOf('2')).sort());
  });

  it('sends no document after an asset was refused', async () => {
    await using server = await startMemoryS3();
    await deploy(server, siteOf('1'));
    server.fault = (_, request) =>
      request === 'PUT assets/chunk-2.js' ? { status: 403, code: 'AccessDenied' } : undefined;
    await expect(deploy(server, siteOf('2'))).rejects.toThrow('allow s3:PutObject on arn:aws:s3:::bucket/*');
    expect(server.objects.get('index.html')?.body.toString()).toContain('app-1.js');
  });

  it('is whole after a stop at any request, and finishes when it runs again', { timeout: 60_000 }, async () => {
    const total = await requestsOfSecondDeploy();
    for (let stop = 1; stop <= total; stop += 1) {
      await using server = await startMemoryS3();
      await deploy(server, siteOf('1'), { deletes: true, keep: 0, leaseDuration: 30 });
      const before = server.requests.length;
      server.fault = (number) => (number > before + stop - 1 ? { status: 403, code: 'AccessDenied' } : undefined);
      await expect(deploy(server, siteOf('2'), { deletes: true, keep: 0, leaseDuration: 30 })).rejects.toThrow();
      expect(brokenLinks(server), `stopped at request ${stop}`).toEqual([]);
      server.fault = () => undefined;
      await deploy(server, siteOf('2'), { deletes: true, keep: 0, ifBusy: 'wait' });
      expect(sites(server), `resumed after request ${stop}`).toEqual(Object.keys(siteOf('2')).sort());
      expect(
        parseManifest(server.objects.get(MANIFEST)?.body.toString() ?? '', () => undefined)?.pending,
      ).toBeUndefined();
    }
  });

  it('goes back to the release before one that was cut off', async () => {
    await using server = await startMemoryS3();
    await deploy(server, siteOf('1'));
    server.fault = (_, request) =>
      request === 'PUT docs/index.html' ? { status: 403, code: 'AccessDenied' } : undefined;
    const cut = deploy(server, siteOf('2'), { cache: '*.html: max-age=1', leaseDuration: 30 });
    await expect(cut).rejects.toThrow('AccessDenied');
    server.fault = () => undefined;
    await deploy(server, siteOf('1'), { ifBusy: 'wait' });
    const page = server.objects.get('docs/deep/page.html');
    expect([page?.body.toString(), page?.headers['cache-control']]).toEqual([
      siteOf('1')['docs/deep/page.html'],
      'no-cache',
    ]);
  });

  it.each([
    ['answers that are lost', (number: number) => (number % 3 === 0 ? ('lose answer' as const) : undefined)],
    ['connections that are cut', (number: number) => (number % 3 === 0 ? ('cut' as const) : undefined)],
    ['SlowDown', (number: number) => (number % 3 === 0 ? { status: 503, code: 'SlowDown' } : undefined)],
  ])('gets through %s', async (_, fault) => {
    await using server = await startMemoryS3();
    server.fault = fault;
    await deploy(server, siteOf('1'));
    server.fault = () => undefined;
    expect(brokenLinks(server)).toEqual([]);
    expect((await deploy(server, siteOf('1'))).plan.unchanged).toHaveLength(6);
  });

  it('refuses to run beside another deploy, and names it', async () => {
    await using server = await startMemoryS3();
    await deploy(server, siteOf('1'));
    server.fault = (_, request) => (request === 'PUT index.html' ? { status: 403, code: 'AccessDenied' } : undefined);
    await expect(deploy(server, siteOf('2'))).rejects.toThrow();
    const holder = `release r${release} is being deployed`;
    await expect(deploy(server, siteOf('3'))).rejects.toThrow(holder);
  });

  it('lets two that start together go one after the other', async () => {
    await using server = await startMemoryS3();
    await deploy(server, siteOf('1'));
    const both = ['2', '3'].map((version) => deploy(server, siteOf(version), { ifBusy: 'wait' }));
    await Promise.all(both);
    expect(brokenLinks(server)).toEqual([]);
    const manifest = parseManifest(server.objects.get(MANIFEST)?.body.toString() ?? '', () => undefined);
    expect(manifest?.releases).toHaveLength(3);
    expect(manifest?.pending).toBeUndefined();
  });

  it.each(['ignored', 'refused'] as const)(
    'warns of and works on a server whose conditions are %s',
    async (conditions) => {
      await using server = await startMemoryS3({ conditions });
      await deploy(server, siteOf('1'));
      await deploy(server, siteOf('2'));
      expect(brokenLinks(server)).toEqual([]);
      expect(lines.join('\n')).toContain('does not honour conditional writes');
    },
  );

  it('warns of an immutable name whose content changed', async () => {
    await using server = await startMemoryS3();
    await deploy(server, { 'index.html': 'x', 'app-1a2b3c4d.js': 'one' });
    const { plan } = await deploy(server, { 'index.html': 'x', 'app-1a2b3c4d.js': 'two' });
    expect(plan.warnings).toEqual([
      expect.stringContaining('app-1a2b3c4d.js changed, but browsers keep it for a year'),
    ]);
  });

  it('writes nothing in a dry run', async () => {
    await using server = await startMemoryS3();
    const { plan } = await deploy(server, siteOf('1'), { isDryRun: true });
    expect(plan.groups.flat()).toHaveLength(6);
    expect([...server.objects.keys()]).toEqual([]);
  });

  async function requestsOfSecondDeploy(): Promise<number> {
    await using server = await startMemoryS3();
    await deploy(server, siteOf('1'), { deletes: true, keep: 0 });
    const before = server.requests.length;
    await deploy(server, siteOf('2'), { deletes: true, keep: 0 });
    return server.requests.length - before;
  }
});
