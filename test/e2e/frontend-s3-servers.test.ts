import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { crc32 } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encodeCrc32 } from '../../src/core/aws/checksum-headers.ts';
import { bodyOf } from '../../src/core/aws/s3-client.ts';
import { MULTIPART_THRESHOLD } from '../../src/core/aws/s3-multipart.ts';
import { request } from '../../src/core/net/request.ts';
import { startCeph } from '../harness/services/ceph.ts';
import { startEmbeddedS3 } from '../harness/services/embedded-s3.ts';
import { crawl } from '../harness/site/crawler.ts';
import { createWorkspace, type Workspace } from '../harness/site/workspace.ts';
import { startFaultProxy } from '../harness/standins/fault-proxy.ts';
import { createBucket, keysOf, PUBLIC, type S3Server, strictServer } from './site-bucket.ts';

const pagesOf = (version: string) => ({
  'index.html': `<script src="/app-${version}.js">`,
  [`app-${version}.js`]: version,
});

/** What is hard to say in a URL, in XML or in a signature. */
const ODD_NAMES = [
  'a b.html',
  'a+b.html',
  '100%.html',
  '%20.html',
  'ä/ö ü.html',
  '日本/頁.html',
  "quo'te(1)!~.html",
  'amp&semi;=?#.html',
  'brackets[1].html',
  'star*.html',
  '🙂.html',
];

describe.each([
  ["Ceph's gateway 20, which is strict", 'sid'],
  ["the distribution's own gateway, without conditional writes and checksums", 'host'],
] as const)('%s', (_, suite) => {
  const isStrict = suite === 'sid';
  const started = new AsyncDisposableStack();
  let server: S3Server;
  let site: Workspace;

  beforeAll(async () => {
    if (suite === 'sid') server = strictServer();
    else {
      const folder = await mkdtemp(path.join(tmpdir(), 'slipway-ceph-'));
      started.defer(() => rm(folder, { recursive: true }));
      server = started.use(await startCeph({ folder, suite, log: console.log }));
    }
    site = started.use(await createWorkspace(pagesOf('11aa22bb')));
  });
  afterAll(() => started.disposeAsync());

  it('takes a release, a second one, a rollback, and a preview that goes', async () => {
    const { bucket, client } = await createBucket(server);
    const inputs = { ...PUBLIC, bucket, delete: 'true', 'keep-releases': '1' };
    const address = `${server.endpoint}/${bucket}/`;
    const keys = keysOf(server);
    const first = await site.outputs(server.endpoint, inputs, keys);
    expect(await site.outputs(server.endpoint, inputs, keys)).toMatchObject({ uploaded: 0, unchanged: 2 });
    await site.remove('app-11aa22bb.js');
    for (const [file, text] of Object.entries(pagesOf('33cc44dd'))) await site.write(file, text);
    await site.deploy(server.endpoint, inputs, keys);
    expect((await request({ url: `${address}index.html` })).body.toString()).toContain('33cc44dd');
    await site.deploy(server.endpoint, { ...inputs, 'rollback-to': String(first.release) }, keys);
    expect((await request({ url: `${address}index.html` })).body.toString()).toContain('11aa22bb');
    expect(await crawl(address)).toEqual({ pages: 1, broken: [] });

    const preview = { ...inputs, preview: 'true' };
    const opened = await site.event('pull_request', { action: 'opened', pull_request: { number: 7 } });
    await site.deploy(server.endpoint, preview, { ...keys, ...opened });
    expect(await crawl(`${address}pr-7/`)).toEqual({ pages: 1, broken: [] });
    const closed = await site.event('pull_request', { action: 'closed', pull_request: { number: 7 } });
    await site.deploy(server.endpoint, preview, { ...keys, ...closed });
    expect((await client.listPage('pr-7/')).objects).toEqual([]);
    expect(await crawl(address)).toEqual({ pages: 1, broken: [] });
  });

  it('promotes on the server from a folder to the root', async () => {
    const { bucket } = await createBucket(server);
    const keys = keysOf(server);
    await site.deploy(server.endpoint, { ...PUBLIC, bucket, prefix: 'staging' }, keys);
    await site.deploy(server.endpoint, { bucket, promote: 'staging/live' }, keys);
    expect(await crawl(`${server.endpoint}/${bucket}/`)).toEqual({ pages: 1, broken: [] });
  });

  it('keeps names apart that URLs, XML and signatures write in their own ways', async () => {
    const { bucket, client } = await createBucket(server);
    await using odd = await createWorkspace(Object.fromEntries(ODD_NAMES.map((name) => [name, name])));
    const inputs = { ...PUBLIC, bucket, prefix: 'odd names/+%', delete: 'true', 'keep-releases': '0' };
    await odd.deploy(server.endpoint, inputs, keysOf(server));
    const listed = (await client.listPage('odd names/+%/')).objects.map(({ key }) => key.slice('odd names/+%/'.length));
    expect(listed.filter((key) => !key.startsWith('.slipway')).sort()).toEqual(ODD_NAMES.toSorted());
    for (const name of ODD_NAMES) {
      const url = `${server.endpoint}/${bucket}/${`odd names/+%/${name}`.split('/').map(encodeURIComponent).join('/')}`;
      expect((await request({ url })).body.toString()).toBe(name);
    }
    expect(await odd.outputs(server.endpoint, inputs, keysOf(server))).toMatchObject({ uploaded: 0 });
    const renewed = { ...inputs, headers: `${PUBLIC.headers}\n**: x-amz-meta-round: 2` };
    expect(await odd.outputs(server.endpoint, renewed, keysOf(server))).toMatchObject({ bytes: 0, uploaded: 11 });
    for (const name of ODD_NAMES.slice(1)) await odd.remove(name);
    expect(await odd.outputs(server.endpoint, inputs, keysOf(server))).toMatchObject({ deleted: 10 });
  });

  it("has keys of its own with two slashes and with one at their end, where a site's URLs do", async () => {
    const { bucket, client } = await createBucket(server);
    await using pages = await createWorkspace({ 'index.html': 'start', 'ü +%/index.html': 'folder' });
    const inputs = { ...PUBLIC, bucket, 'clean-urls': 'true', 'spa-fallback': 'app//deep', delete: 'true' };
    await pages.deploy(server.endpoint, inputs, keysOf(server));
    const bodyAt = async (url: string) =>
      (await request({ url: `${server.endpoint}/${bucket}/${url}` })).body.toString();
    expect(await bodyAt('%C3%BC%20%2B%25/')).toBe('folder');
    expect(await bodyAt('app//deep')).toBe('start');
    expect(await pages.outputs(server.endpoint, inputs, keysOf(server))).toMatchObject({ uploaded: 0, unchanged: 4 });
    const plain = { ...inputs, 'clean-urls': 'false', 'spa-fallback': '', 'keep-releases': '0' };
    expect(await pages.outputs(server.endpoint, plain, keysOf(server))).toMatchObject({ deleted: 2 });
    expect(await client.head('app//deep')).toBeUndefined();
  });

  it("keeps others' objects as long as the release they were found by, whatever their names", async () => {
    const { bucket, client } = await createBucket(server);
    const others = ['a//b.txt', '//c', 'd+e %20&<"\'>.txt', 'ä/日本 🙂', '.hidden', 'x=y;z,?#@:$!()*~'];
    for (const key of others) await client.send(key, { method: 'PUT', body: async () => 'mine', describe: 'PUT' });
    const missing = async () => {
      const found = await Promise.all(others.map((key) => client.head(key)));
      return others.filter((_key, index) => found[index] === undefined);
    };
    const inputs = { bucket, delete: 'true', 'keep-releases': '1' };
    await site.deploy(server.endpoint, inputs, keysOf(server));
    await site.write('index.html', 'second');
    const excluded = { ...inputs, 'keep-releases': '0', exclude: '**', include: '*.html' };
    await site.deploy(server.endpoint, excluded, keysOf(server));
    expect(await missing()).toEqual([]);
    await site.write('index.html', 'third');
    const { deleted } = await site.outputs(server.endpoint, { ...inputs, 'keep-releases': '0' }, keysOf(server));
    expect([deleted, await missing()]).toEqual([others.length, others]);
  });

  it('refuses broken bytes, and takes them when they arrive whole', async () => {
    const { client } = await createBucket(server);
    const right = Buffer.from('right');
    const tries = [Buffer.from('wrong'), right];
    await client.put('mended', { ...bodyOf(right), open: async () => tries.shift() ?? right }, {});
    expect(tries).toEqual([]);
    expect((await client.get('mended', { maxBytes: 99 }))?.body.toString()).toBe('right');
    const broken = { ...bodyOf(right), open: async () => Buffer.from('wrong') };
    await expect(client.put('broken', broken, {})).rejects.toMatchObject({ status: 400 });
    expect(await client.head('broken')).toBeUndefined();
  });

  it('sends a large file in parts, through a lost answer at each step', async () => {
    const { bucket, client } = await createBucket(server);
    await using large = await createWorkspace({ 'index.html': 'start' });
    const size = MULTIPART_THRESHOLD + 5;
    await large.write('video.bin', randomBytes(size));
    await using proxy = await startFaultProxy({ upstream: server.endpoint });
    for (const match of [/^POST .*\?uploads/, /^PUT .*partNumber=3/, /^POST .*\?uploadId/])
      proxy.faults.add({ fault: { kind: 'reset', when: 'after' }, match });
    expect(await large.outputs(proxy.url, { bucket }, keysOf(server))).toMatchObject({ uploaded: 2 });
    const held = await client.send('video.bin', {
      method: 'HEAD',
      headers: { 'x-amz-checksum-mode': 'ENABLED' },
      describe: 'HEAD',
    });
    expect(held.headers['content-length']).toBe(String(size));
    if (isStrict) expect(held.headers['x-amz-checksum-crc32']).toBe(await crc32Of(large.folder, 'video.bin'));
    const small = await client.send('index.html', {
      method: 'HEAD',
      headers: { 'x-amz-checksum-mode': 'ENABLED' },
      describe: 'HEAD',
    });
    expect(small.headers['x-amz-checksum-crc32']).toBe(isStrict ? encodeCrc32(crc32('start')) : undefined);
  });

  it.each([
    ['SlowDown', { kind: 'status', status: 503, body: '<Error><Code>SlowDown</Code></Error>' }],
    ['resets', { kind: 'reset', when: 'before' }],
    ['lost answers', { kind: 'reset', when: 'after' }],
    ['answers that are cut', { kind: 'cut', bytes: 10 }],
  ] as const)('is reached through %s', async (_name, fault) => {
    const { bucket } = await createBucket(server);
    await using proxy = await startFaultProxy({ upstream: server.endpoint });
    for (const after of [0, 3, 6, 9]) proxy.faults.add({ fault, after, times: 1 });
    await site.deploy(proxy.url, { ...PUBLIC, bucket }, keysOf(server));
    expect((await crawl(`${server.endpoint}/${bucket}/`)).broken).toEqual([]);
  });
});

async function crc32Of(folder: string, file: string): Promise<string> {
  return encodeCrc32(crc32(await readFile(path.join(folder, file))));
}

describe('the embedded server of a local run', () => {
  it('takes a release, a second one and a rollback', async () => {
    const folder = await mkdtemp(path.join(tmpdir(), 'slipway-embedded-'));
    await using server = await startEmbeddedS3({ folder, buckets: ['local-site'] });
    await using site = await createWorkspace(pagesOf('11aa22bb'));
    const inputs = { bucket: 'local-site', delete: 'true', 'keep-releases': '1' };
    await site.deploy(server.endpoint, inputs, keysOf(server));
    await site.write('index.html', 'second');
    await site.deploy(server.endpoint, inputs, keysOf(server));
    expect(site.lines.join('\n')).toContain('does not honour conditional writes');
    await site.deploy(server.endpoint, { ...inputs, 'rollback-to': 'previous' }, keysOf(server));
    expect(await crawl(`${server.endpoint}/local-site/`)).toEqual({ pages: 1, broken: [] });
    await rm(folder, { recursive: true });
  });
});
