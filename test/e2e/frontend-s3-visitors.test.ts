import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { request } from '../../src/core/net/request.ts';
import { crawl, namesIn } from '../harness/site/crawler.ts';
import { createWorkspace, type Workspace } from '../harness/site/workspace.ts';
import { startDelayProxy } from '../harness/standins/delay-proxy.ts';
import { createBucket, keysOf, PUBLIC, strictServer } from './site-bucket.ts';

const ROUND_TRIP = 20;
const PAGES = 21;
const ASSETS = 600;

/** 21 pages, each naming some of the assets; every asset has another name in another version. */
function pagesOf(version: string, assets = ASSETS): Readonly<Record<string, string>> {
  const asset = (index: number) => `assets/chunk-${index.toString(16).padStart(4, '0')}${version}.js`;
  const pages: Record<string, string> = {};
  for (let page = 0; page < PAGES; page += 1) {
    const own = Array.from({ length: assets / PAGES }, (_, index) => asset(index * PAGES + page));
    const links = page === 0 ? Array.from({ length: PAGES - 1 }, (_, index) => `docs/p${index + 1}.html`) : [];
    const path = page === 0 ? 'index.html' : `docs/p${page}.html`;
    pages[path] = `${[...own, ...links].map((name) => `<a href="/${name}">`).join('')}${version}`;
  }
  for (let index = 0; index < assets; index += 1) pages[asset(index)] = `${version} ${index} `.repeat(200);
  return pages;
}

interface Visits {
  readonly loads: number;
  readonly broken: readonly string[];
}

/** Loads one page after the other, and the assets it names at once, until `isOver`. */
async function visit(site: string, isOver: () => boolean): Promise<Visits> {
  const broken: string[] = [];
  let loads = 0;
  for (; !isOver(); loads += 1) {
    const page = loads % 2 === 0 ? 'index.html' : `docs/p${1 + (loads % (PAGES - 1))}.html`;
    const answer = await request({ url: `${site}${page}` });
    if (answer.status !== 200) broken.push(`${page}: ${answer.status}`);
    const assets = namesIn(answer.body.toString()).filter((name) => name.startsWith('assets/'));
    const found = await Promise.all(assets.map((name) => request({ url: `${site}${name}`, method: 'HEAD' })));
    for (const [index, { status }] of found.entries()) if (status !== 200) broken.push(`${page} → ${assets[index]}`);
  }
  return { loads, broken };
}

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
