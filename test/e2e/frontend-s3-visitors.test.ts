import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { request } from '../../src/core/net/request.ts';
import { crawl } from '../harness/site/crawler.ts';
import { ASSETS, PAGES, pagesOf, visit } from '../harness/site/visitor.ts';
import { createWorkspace, type Workspace } from '../harness/site/workspace.ts';
import { startDelayProxy } from '../harness/standins/delay-proxy.ts';
import { createBucket, keysOf, PUBLIC, strictServer } from './site-bucket.ts';

const ROUND_TRIP = 20;
describe('a deploy that renames every asset, 20 ms away', () => {
  const server = strictServer();
  const variables = keysOf(server);
  let bucket = '';
  let site: Workspace;

  beforeAll(async () => {
    ({ bucket } = await createBucket(server));
    site = await createWorkspace(pagesOf('1a2b3c4d'));
  });
  afterAll(() => site[Symbol.asyncDispose]());

  it('breaks no page for a visitor, and no chunk for an open tab', async () => {
    await using distant = await startDelayProxy(server.endpoint, ROUND_TRIP);
    const inputs = { ...PUBLIC, bucket, delete: 'true', 'keep-releases': '1' };
    await site.deploy(server.endpoint, inputs, variables);
    const openTab = Object.keys(pagesOf('1a2b3c4d')).filter((path) => path.startsWith('assets/'));

    await site.remove('assets');
    for (const [path, text] of Object.entries(pagesOf('5e6f7a8b'))) await site.write(path, text);
    let isOver = false;
    const visits = visit(`${distant.url}/${bucket}/`, () => isOver);
    const { uploaded } = await site.outputs(distant.url, inputs, variables);
    isOver = true;
    const { loads, broken } = await visits;

    expect(uploaded).toBe(ASSETS + PAGES);
    expect(loads).toBeGreaterThan(5);
    expect(broken).toEqual([]);
    const chunks = await Promise.all(
      openTab.map((path) => request({ url: `${server.endpoint}/${bucket}/${path}`, method: 'HEAD' })),
    );
    expect(chunks.filter(({ status }) => status !== 200)).toEqual([]);
    expect(await crawl(`${server.endpoint}/${bucket}/`)).toEqual({ pages: PAGES, broken: [] });
  });

  it('lets two that start together go one after the other, and ends with one of them whole', async () => {
    await using other = await createWorkspace(pagesOf('9c8d7e6f'));
    const inputs = { ...PUBLIC, bucket, delete: 'true', 'keep-releases': '0' };
    await site.write('index.html', 'changed <a href="/docs/p1.html">');
    await Promise.all([
      site.deploy(server.endpoint, inputs, variables),
      other.deploy(server.endpoint, inputs, variables),
    ]);
    const { broken } = await crawl(`${server.endpoint}/${bucket}/`);
    expect(broken).toEqual([]);
  });

  it('is asked to stop by a later run, which goes live', async () => {
    await using distant = await startDelayProxy(server.endpoint, 200);
    await using older = await createWorkspace(pagesOf('4e5f6a7b', 105));
    await using later = await createWorkspace(pagesOf('0a1b2c3d', 105));
    const { client, bucket: own } = await createBucket(server);
    const inputs = { ...PUBLIC, bucket: own };
    const deploy = older.deploy(distant.url, { ...inputs, concurrency: '1' }, { ...variables, GITHUB_RUN_ID: '100' });
    const stopped = expect(deploy).rejects.toThrow('superseded: run 101');
    await expect.poll(() => client.head('.slipway/manifest.json'), { timeout: 30_000 }).toBeDefined();
    const superseding = { ...inputs, 'if-busy': 'supersede-older' };
    await later.deploy(server.endpoint, superseding, { ...variables, GITHUB_RUN_ID: '101' });
    await stopped;
    const start = await request({ url: `${server.endpoint}/${own}/index.html` });
    expect(start.body.toString()).toContain('0a1b2c3d');
    expect((await crawl(`${server.endpoint}/${own}/`)).broken).toEqual([]);
  });
});
