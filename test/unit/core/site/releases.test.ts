import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createLog } from '../../../../src/core/runner/log.ts';
import { removeSite } from '../../../../src/core/site/remove-site.ts';
import { type MemoryS3, startMemoryS3 } from '../../../harness/standins/memory-s3.ts';
import {
  brokenLinks,
  clientOf,
  createDeployer,
  type Deployer,
  isOwn,
  manifestOf,
  siteOf,
  sitesOf,
  textOf,
} from './deploy-fixture.ts';

let site: Deployer;

beforeEach(async () => {
  site = await createDeployer();
});
afterEach(() => site[Symbol.asyncDispose]());

/** A site whose assets have fixed names, and whose start page names its version. */
const plain = (version: string) => ({ 'index.html': `<img src="/logo.svg">${version}`, 'logo.svg': `logo ${version}` });

const packsOf = (server: MemoryS3): string[] => [...server.objects.keys()].filter((key) => key.includes('/packs/'));

describe('going back to a release', () => {
  it('brings back every file and its headers out of the bucket alone', async () => {
    await using server = await startMemoryS3();
    await site.deploy(server, plain('1'), { cache: '*.svg: max-age=7' });
    await site.deploy(server, plain('2'));
    await site.deploy(server, plain('3'));
    await site.restore(server, 'r1');
    expect(textOf(server, 'index.html')).toBe(plain('1')['index.html']);
    expect(textOf(server, 'logo.svg')).toBe('logo 1');
    expect(server.objects.get('logo.svg')?.headers['cache-control']).toBe('max-age=7');
    expect(manifestOf(server)?.releases.map(({ id }) => id)).toEqual(['r1', 'r3', 'r2']);
  });

  it('goes forward again, and back to the one before by its word', async () => {
    await using server = await startMemoryS3();
    for (const version of ['1', '2', '3']) await site.deploy(server, siteOf(version));
    await site.restore(server, 'previous');
    expect(textOf(server, 'index.html')).toContain('app-2.js');
    await site.restore(server, 'r3');
    expect(textOf(server, 'index.html')).toContain('app-3.js');
    expect(brokenLinks(server)).toEqual([]);
  });

  it('sends only what the releases since then replaced, documents last', async () => {
    await using server = await startMemoryS3();
    await site.deploy(server, siteOf('1'));
    await site.deploy(server, { ...siteOf('1'), 'index.html': 'changed', 'assets/app-1.js': 'changed' });
    server.requests.length = 0;
    await site.restore(server, 'r1');
    expect(server.requests.filter((request) => request.startsWith('PUT') && !isOwn(request))).toEqual([
      'PUT assets/app-1.js',
      'PUT index.html',
    ]);
  });

  it('keeps, with delete, the packs that kept releases need, and no others', async () => {
    await using server = await startMemoryS3();
    const about = { 'about.html': 'never changes' };
    for (const version of ['1', '2', '3', '4']) {
      await site.deploy(server, { ...plain(version), ...about }, { deletes: true, keep: 1 });
    }
    expect(packsOf(server)).toHaveLength(3);
    await expect(site.restore(server, 'r2')).rejects.toThrow('release r2 is older than "keep-releases" kept');
    await site.restore(server, 'r3', '', { deletes: true, keep: 1 });
    expect([textOf(server, 'index.html'), textOf(server, 'about.html')]).toEqual([
      plain('3')['index.html'],
      'never changes',
    ]);
  });

  it('keeps nothing with keep-releases 0', async () => {
    await using server = await startMemoryS3();
    await site.deploy(server, plain('1'), { keep: 0 });
    expect([...server.objects.keys()].filter(isOwn)).toEqual(['.slipway/manifest.json']);
  });

  it('refuses a release that is not known, or whose assets are gone, before anything is written', async () => {
    await using server = await startMemoryS3();
    await site.deploy(server, { 'index.html': 'x', 'app-1a2b3c4d.js': 'one' });
    await site.deploy(server, { 'index.html': 'y', 'app-1a2b3c4d.js': 'two' });
    server.requests.length = 0;
    await expect(site.restore(server, 'r9')).rejects.toThrow('has no release "r9"; there are r2, r1');
    await expect(site.restore(server, 'r1')).rejects.toThrow('r1 is not whole any more: app-1a2b3c4d.js were deleted');
    expect(server.requests.filter((request) => !request.startsWith('GET'))).toEqual([]);
  });

  it('refuses content that a pack does not hold as it was', async () => {
    await using server = await startMemoryS3();
    await site.deploy(server, plain('1'));
    await site.deploy(server, plain('2'));
    const [pack = ''] = packsOf(server);
    server.objects.set(pack, { body: Buffer.from('defaced'), etag: '"x"', headers: {} });
    await expect(site.restore(server, 'r1')).rejects.toThrow('is not kept as it was');
  });

  it('costs a deploy one pack and one record more, however many pages change', async () => {
    await using server = await startMemoryS3();
    const pages = (version: string) =>
      Object.fromEntries(Array.from({ length: 30 }, (_, index) => [`p${index}.html`, `${version} ${index}`]));
    await site.deploy(server, pages('1'));
    server.requests.length = 0;
    await site.deploy(server, pages('2'));
    expect(server.requests.filter((request) => isOwn(request) && !request.includes('manifest'))).toHaveLength(2);
    // Beside the 30 pages: the record, the listing, the lease, the release.
    expect(server.requests.length).toBeLessThanOrEqual(30 + 6);
  });
});

describe('promoting a release of another site', () => {
  it('copies assets on the server, and can be gone back from', async () => {
    await using server = await startMemoryS3();
    await site.deploy(server, { 'index.html': 'live 1' });
    const staged = { 'index.html': 'staged', 'app-1a2b3c4d.js': 'big' };
    await site.deploy(server, staged, { prefix: 'staging/' });
    server.requests.length = 0;
    const { plan } = await site.restore(server, 'live', 'staging/');
    expect(server.requests).toContain('COPY app-1a2b3c4d.js');
    expect(textOf(server, 'index.html')).toBe('staged');
    expect(plan.release.id).toBe('r2');
    await site.restore(server, 'r1');
    expect(textOf(server, 'index.html')).toBe('live 1');
  });

  it('stays whole when the other site is removed', async () => {
    await using server = await startMemoryS3();
    await site.deploy(server, siteOf('1'), { prefix: 'pr-1/' });
    await site.restore(server, 'live', 'pr-1/');
    await site.deploy(server, siteOf('2'));
    await removeSite({
      client: clientOf(server),
      prefix: 'pr-1/',
      release: 'gone',
      run: { id: 1, attempt: 1 },
      ifBusy: 'wait',
      isDryRun: false,
      log: createLog(() => undefined, { debug: false }),
    });
    await site.restore(server, 'r1');
    expect(brokenLinks(server)).toEqual([]);
    expect(textOf(server, 'index.html')).toContain('app-1.js');
  });
});

describe('removing a site', () => {
  const removal = (server: MemoryS3, prefix: string, isDryRun = false) => ({
    client: clientOf(server),
    prefix,
    release: 'removal',
    run: { id: 99, attempt: 1 },
    ifBusy: 'wait' as const,
    isDryRun,
    log: createLog(() => undefined, { debug: false }),
  });

  it('takes all that is below its prefix, and nothing beside it', async () => {
    await using server = await startMemoryS3({ pageSize: 2 });
    await site.deploy(server, siteOf('1'));
    await site.deploy(server, siteOf('1'), { prefix: 'pr-1/' });
    await site.deploy(server, siteOf('1'), { prefix: 'pr-11/' });
    await removeSite(removal(server, 'pr-1/'));
    expect([...server.objects.keys()].filter((key) => key.startsWith('pr-1/'))).toEqual([]);
    expect(sitesOf(server)).toHaveLength(12);
  });

  it('finishes when it runs again after a stop at any request', async () => {
    for (let stop = 1; stop <= 5; stop += 1) {
      await using server = await startMemoryS3();
      await site.deploy(server, siteOf('1'), { prefix: 'pr-1/' });
      const before = server.requests.length;
      server.fault = (number) => (number >= before + stop ? { status: 403, code: 'AccessDenied' } : undefined);
      await expect(removeSite(removal(server, 'pr-1/')), `stop ${stop}`).rejects.toThrow();
      server.fault = () => undefined;
      // The stopped one holds the site for two minutes unless its last word got through.
      const manifest = server.objects.get('pr-1/.slipway/manifest.json');
      const free = manifest?.body.toString().replace(/"until": \d+/, '"until": 0') ?? '';
      server.objects.set('pr-1/.slipway/manifest.json', { body: Buffer.from(free), etag: '"free"', headers: {} });
      await removeSite(removal(server, 'pr-1/'));
      expect([...server.objects.keys()]).toEqual([]);
    }
  });

  it('leaves a folder alone that is no site, and removes nothing in a dry run', async () => {
    await using server = await startMemoryS3();
    server.objects.set('pr-2/notes.txt', { body: Buffer.from('mine'), etag: '"m"', headers: {} });
    await site.deploy(server, siteOf('1'), { prefix: 'pr-1/' });
    const before = server.objects.size;
    expect(await removeSite(removal(server, 'pr-2/'))).toBe(0);
    expect(await removeSite(removal(server, 'pr-1/', true))).toBe(6);
    expect(server.objects.size).toBe(before);
  });
});

describe('a deploy that a later run supersedes', () => {
  it('stops, says by whom, and leaves each page whole; the later one goes live', async () => {
    await using server = await startMemoryS3();
    await site.deploy(server, siteOf('1'));
    let release = (): void => undefined;
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    const slow = site.deploy(server, siteOf('2'), {
      run: { id: 100, attempt: 1 },
      leaseDuration: 150,
      onLive: () => held,
    });
    slow.catch(() => undefined);
    await expect.poll(() => manifestOf(server)?.releases[0]?.id).toBe('r2');
    const later = site.deploy(server, siteOf('3'), { run: { id: 101, attempt: 1 }, ifBusy: 'supersede-older' });
    await expect.poll(() => manifestOf(server)?.pending?.supersededBy?.release ?? '').toBe('r3');
    setTimeout(release, 200);
    await expect(slow).rejects.toThrow('superseded: run 101 deploys the later release r3');
    await later;
    expect(manifestOf(server)?.releases[0]?.id).toBe('r3');
    expect(manifestOf(server)?.pending).toBeUndefined();
    expect(brokenLinks(server)).toEqual([]);
  });

  it('does not stop for an older run, which gives up', async () => {
    await using server = await startMemoryS3();
    await site.deploy(server, siteOf('1'));
    let release = (): void => undefined;
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    const newer = site.deploy(server, siteOf('2'), { run: { id: 100, attempt: 1 }, onLive: () => held });
    await expect.poll(() => manifestOf(server)?.pending?.release).toBe('r2');
    const older = site.deploy(server, siteOf('3'), { run: { id: 99, attempt: 1 }, ifBusy: 'supersede-older' });
    await expect(older).rejects.toThrow('superseded: run 100 deploys release r2');
    release();
    await newer;
    expect(manifestOf(server)?.releases[0]?.id).toBe('r2');
  });
});

describe('edge caches', () => {
  it('are told again by the next deploy when telling them failed', async () => {
    await using server = await startMemoryS3();
    const told: (readonly string[])[] = [];
    const onLive = async (changed: readonly string[]): Promise<void> => {
      told.push(changed);
    };
    await site.deploy(server, plain('1'), { onLive });
    const failing = site.deploy(server, plain('2'), {
      onLive: async () => {
        throw new Error('CloudFront is away');
      },
    });
    await expect(failing).rejects.toThrow('CloudFront is away');
    const { plan } = await site.deploy(server, plain('2'), { onLive });
    expect(plan.groups).toEqual([]);
    await site.deploy(server, plain('2'), { onLive });
    expect(told).toEqual([['index.html'], ['logo.svg', 'index.html']]);
  });
});
