import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startMemoryS3 } from '../../../harness/standins/memory-s3.ts';
import {
  brokenLinks,
  createDeployer,
  type Deployer,
  isOwn,
  MANIFEST,
  manifestOf,
  siteOf,
  sitesOf,
} from './deploy-fixture.ts';

let site: Deployer;

beforeEach(async () => {
  site = await createDeployer();
});
afterEach(() => site[Symbol.asyncDispose]());

describe('deploySite', () => {
  it('sends assets first, pages deepest first, and the start page last', async () => {
    await using server = await startMemoryS3();
    await site.deploy(server, siteOf('1'));
    const puts = server.requests.filter((request) => request.startsWith('PUT') && !isOwn(request));
    expect(puts.slice(0, 3).every((put) => put.startsWith('PUT assets/'))).toBe(true);
    expect(puts.slice(3)).toEqual(['PUT docs/deep/page.html', 'PUT docs/index.html', 'PUT index.html']);
    expect(server.requests.at(-1)).toBe(`PUT ${MANIFEST}`);
  });

  it('sends two requests for a site that is unchanged', async () => {
    await using server = await startMemoryS3();
    const first = await site.deploy(server, siteOf('1'));
    server.requests.length = 0;
    const second = await site.deploy(server, siteOf('1'));
    expect(server.requests.toSorted()).toEqual([`GET ${MANIFEST}`, 'LIST']);
    expect(second.plan.release.id).toBe(first.plan.release.id);
    expect(second.plan.unchanged).toHaveLength(6);
  });

  it('sends a changed file of the same size', async () => {
    await using server = await startMemoryS3();
    await site.deploy(server, { 'index.html': 'one' });
    await site.deploy(server, { 'index.html': 'two' });
    expect(server.objects.get('index.html')?.body.toString()).toBe('two');
  });

  it('copies, and does not send, a file of which only the headers changed', async () => {
    await using server = await startMemoryS3();
    await site.deploy(server, siteOf('1'));
    server.requests.length = 0;
    await site.deploy(server, siteOf('1'), { cache: '*.css: max-age=5' });
    expect(server.requests.filter((request) => !isOwn(request))).toEqual(['LIST', 'COPY assets/style-1.css']);
    expect(server.objects.get('assets/style-1.css')?.headers['cache-control']).toBe('max-age=5');
  });

  it('recognises by MD5 what another tool sent, and sets its headers', async () => {
    await using server = await startMemoryS3();
    const etag = '"f97c5d29941bfb1b2fdab0874906ab82"';
    server.objects.set('index.html', { body: Buffer.from('one'), etag, headers: {} });
    await site.deploy(server, { 'index.html': 'one' });
    expect(server.requests).toContain('COPY index.html');
    expect(server.objects.get('index.html')?.headers['content-type']).toBe('text/html; charset=utf-8');
  });

  it('repairs what somebody else changed or deleted', async () => {
    await using server = await startMemoryS3();
    await site.deploy(server, siteOf('1'));
    server.objects.delete('assets/app-1.js');
    server.objects.set('docs/index.html', { body: Buffer.from('defaced'), etag: '"x"', headers: {} });
    await site.deploy(server, siteOf('1'));
    expect(server.objects.get('docs/index.html')?.body.toString()).toContain('<a href');
    expect(brokenLinks(server)).toEqual([]);
  });

  it('keeps the files of as many past releases as asked, and deletes older ones', async () => {
    await using server = await startMemoryS3();
    server.objects.set('legacy.js', { body: Buffer.from('old'), etag: '"y"', headers: {} });
    const kept: string[][] = [];
    for (const version of ['1', '2', '3', '4']) {
      await site.deploy(server, siteOf(version), { deletes: true, keep: 2 });
      kept.push(sitesOf(server).filter((key) => /app-|legacy/.test(key)));
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
    for (const version of ['1', '2', '3', '4', '5', '6']) await site.deploy(server, siteOf(version), { keep: 0 });
    expect(sitesOf(server).filter((key) => key.includes('app-'))).toHaveLength(6);
  });

  it('leaves sites below it alone, such as previews', async () => {
    await using server = await startMemoryS3();
    await site.deploy(server, siteOf('1'), { prefix: 'pr-7/' });
    await site.deploy(server, siteOf('1'), { deletes: true, keep: 0 });
    await site.deploy(server, siteOf('2'), { deletes: true, keep: 0 });
    expect(server.objects.has('pr-7/assets/app-1.js')).toBe(true);
    expect(server.objects.has('assets/app-1.js')).toBe(false);
  });

  it('reads a long listing page by page before it deletes', async () => {
    await using server = await startMemoryS3({ pageSize: 2 });
    server.objects.set('zzz.js', { body: Buffer.from('old'), etag: '"y"', headers: {} });
    await site.deploy(server, siteOf('1'), { deletes: true, keep: 0 });
    await site.deploy(server, siteOf('2'), { deletes: true, keep: 0 });
    expect(sitesOf(server)).toEqual(Object.keys(siteOf('2')).sort());
  });

  it('sends no document after an asset was refused', async () => {
    await using server = await startMemoryS3();
    await site.deploy(server, siteOf('1'));
    server.fault = (_, request) =>
      request === 'PUT assets/chunk-2.js' ? { status: 403, code: 'AccessDenied' } : undefined;
    await expect(site.deploy(server, siteOf('2'))).rejects.toThrow('allow s3:PutObject on arn:aws:s3:::bucket/*');
    expect(server.objects.get('index.html')?.body.toString()).toContain('app-1.js');
  });

  it('is whole after a stop at any request, and finishes when it runs again', { timeout: 60_000 }, async () => {
    const total = await requestsOfSecondDeploy();
    for (let stop = 1; stop <= total; stop += 1) {
      await using server = await startMemoryS3();
      await site.deploy(server, siteOf('1'), { deletes: true, keep: 0, leaseDuration: 30 });
      const before = server.requests.length;
      server.fault = (number) => (number > before + stop - 1 ? { status: 403, code: 'AccessDenied' } : undefined);
      await expect(site.deploy(server, siteOf('2'), { deletes: true, keep: 0, leaseDuration: 30 })).rejects.toThrow();
      expect(brokenLinks(server), `stopped at request ${stop}`).toEqual([]);
      server.fault = () => undefined;
      await site.deploy(server, siteOf('2'), { deletes: true, keep: 0, ifBusy: 'wait' });
      expect(sitesOf(server), `resumed after request ${stop}`).toEqual(Object.keys(siteOf('2')).sort());
      expect(manifestOf(server)?.pending).toBeUndefined();
    }
  });

  it('goes back to the release before one that was cut off', async () => {
    await using server = await startMemoryS3();
    await site.deploy(server, siteOf('1'));
    server.fault = (_, request) =>
      request === 'PUT docs/index.html' ? { status: 403, code: 'AccessDenied' } : undefined;
    const cut = site.deploy(server, siteOf('2'), { cache: '*.html: max-age=1', leaseDuration: 30 });
    await expect(cut).rejects.toThrow('AccessDenied');
    server.fault = () => undefined;
    await site.deploy(server, siteOf('1'), { ifBusy: 'wait' });
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
    await site.deploy(server, siteOf('1'));
    server.fault = () => undefined;
    expect(brokenLinks(server)).toEqual([]);
    expect((await site.deploy(server, siteOf('1'))).plan.unchanged).toHaveLength(6);
  });

  it('refuses to run beside another deploy, and names it', async () => {
    await using server = await startMemoryS3();
    await site.deploy(server, siteOf('1'));
    let isKilled = false;
    server.fault = (_, request) => {
      isKilled ||= request === 'PUT index.html';
      return isKilled ? { status: 403, code: 'AccessDenied' } : undefined;
    };
    await expect(site.deploy(server, siteOf('2'))).rejects.toThrow();
    server.fault = () => undefined;
    const holder = `release ${site.last()} is being deployed`;
    await expect(site.deploy(server, siteOf('3'))).rejects.toThrow(holder);
  });

  it('lets two that start together go one after the other', async () => {
    await using server = await startMemoryS3();
    await site.deploy(server, siteOf('1'));
    const both = ['2', '3'].map((version) => site.deploy(server, siteOf(version), { ifBusy: 'wait' }));
    await Promise.all(both);
    expect(brokenLinks(server)).toEqual([]);
    const manifest = manifestOf(server);
    expect(manifest?.releases).toHaveLength(3);
    expect(manifest?.pending).toBeUndefined();
  });

  it.each(['ignored', 'refused'] as const)(
    'warns of and works on a server whose conditions are %s',
    async (conditions) => {
      await using server = await startMemoryS3({ conditions });
      await site.deploy(server, siteOf('1'));
      await site.deploy(server, siteOf('2'));
      expect(brokenLinks(server)).toEqual([]);
      expect(site.lines.join('\n')).toContain('does not honour conditional writes');
    },
  );

  it('warns of an immutable name whose content changed', async () => {
    await using server = await startMemoryS3();
    await site.deploy(server, { 'index.html': 'x', 'app-1a2b3c4d.js': 'one' });
    const { plan } = await site.deploy(server, { 'index.html': 'x', 'app-1a2b3c4d.js': 'two' });
    expect(plan.warnings).toEqual([
      expect.stringContaining('app-1a2b3c4d.js changed, but browsers keep it for a year'),
    ]);
  });

  it('writes nothing in a dry run', async () => {
    await using server = await startMemoryS3();
    const { plan } = await site.deploy(server, siteOf('1'), { isDryRun: true });
    expect(plan.groups.flat()).toHaveLength(6);
    expect([...server.objects.keys()]).toEqual([]);
  });

  async function requestsOfSecondDeploy(): Promise<number> {
    await using server = await startMemoryS3();
    await site.deploy(server, siteOf('1'), { deletes: true, keep: 0 });
    const before = server.requests.length;
    await site.deploy(server, siteOf('2'), { deletes: true, keep: 0 });
    return server.requests.length - before;
  }
});
