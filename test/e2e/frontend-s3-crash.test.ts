import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { S3Client } from '../../src/core/aws/s3-client.ts';
import { eachAtMost } from '../../src/core/net/bounded-parallel.ts';
import { crawl } from '../harness/site/crawler.ts';
import { createWorkspace, type Workspace } from '../harness/site/workspace.ts';
import { type FaultProxy, startFaultProxy } from '../harness/standins/fault-proxy.ts';
import type { Fault, FaultRule } from '../harness/standins/fault-rules.ts';
import { createBucket, endLease, keysOf, PUBLIC, strictServer } from './site-bucket.ts';

/** A site of `version` whose pages and scripts name their assets, none of which has the name of another version's. */
function pagesOf(version: string): Readonly<Record<string, string>> {
  const page = `<script src="/assets/app-${version}.js"></script><link href="/assets/style-${version}.css">`;
  return {
    'index.html': `${page}<a href="/docs/index.html"><a href="/about.html">`,
    'about.html': page,
    'docs/index.html': `${page}<a href="/docs/deep/page.html">`,
    'docs/deep/page.html': `${page}<img src="/logo.svg">`,
    'logo.svg': `<svg>${version}</svg>`,
    'sw.js': `cache("/assets/app-${version}.js")`,
    [`assets/app-${version}.js`]: `import "/assets/chunk-${version}.js"`,
    [`assets/chunk-${version}.js`]: version,
    [`assets/style-${version}.css`]: `body { content: "${version}" }`,
  };
}

/** From request `stop` on nothing is done any more; `last` is what happens to that one request. */
function stopAt(proxy: FaultProxy, stop: number, last: Fault | undefined): void {
  const everything: Omit<FaultRule, 'fault'> = { match: /./, times: Number.POSITIVE_INFINITY };
  if (last !== undefined) proxy.faults.add({ fault: last, after: stop - 1, times: 1 });
  const refusal = '<Error><Code>AccessDenied</Code><Message>the network is gone</Message></Error>';
  const after = last === undefined ? stop - 1 : stop;
  proxy.faults.add({ ...everything, fault: { kind: 'status', status: 403, body: refusal }, after });
}

describe('a deploy that stops at any of its requests', () => {
  const server = strictServer();
  const variables = keysOf(server);
  let bucket = '';
  let client: S3Client;
  let versions: readonly Workspace[] = [];

  beforeAll(async () => {
    ({ bucket, client } = await createBucket(server));
    versions = await Promise.all(['55ee66ff', '11aa22bb', '33cc44dd'].map((name) => createWorkspace(pagesOf(name))));
  });
  afterAll(async () => {
    for (const version of versions) await version[Symbol.asyncDispose]();
  });

  /** Deploys two releases to a folder, stops the third, which deletes what the first left, and runs it again. */
  async function stopOnce(folder: string, stop: number, last: Fault | undefined) {
    await using proxy = await startFaultProxy({ upstream: server.endpoint });
    const inputs = { ...PUBLIC, bucket, prefix: folder, delete: 'true', 'keep-releases': '1' };
    const address = `${server.endpoint}/${bucket}/${folder}/`;
    const next = versions.at(-1);
    for (const version of versions) if (version !== next) await version.deploy(server.endpoint, inputs, variables);
    stopAt(proxy, stop, last);
    const stopped = await next?.deploy(proxy.url, { ...inputs, concurrency: '3' }, variables).then(
      () => false,
      () => true,
    );
    const requests = proxy.count();
    const during = await crawl(address);
    await endLease(client, `${folder}/`);
    const again = await next?.outputs(server.endpoint, inputs, variables);
    const listed = (await client.listPage(`${folder}/assets/`)).objects.length;
    return { stopped, requests, broken: during.broken, after: await crawl(address), again, listed };
  }

  const stops: readonly (readonly [how: string, last: Fault | undefined])[] = [
    ['is refused', undefined],
    ['is carried out, and its answer lost', { kind: 'reset', when: 'after' }],
  ];
  it.each(stops)('leaves every page whole where it %s, and running again finishes', async (how, last) => {
    const folder = how.replaceAll(/\W+/g, '-');
    const whole = await stopOnce(`${folder}/whole`, Number.POSITIVE_INFINITY, undefined);
    expect(whole).toMatchObject({ stopped: false, broken: [], again: { uploaded: 0, deleted: 0 } });
    // Two looks, the lease, nine files, a pack and a record, the manifest, the deletes, the manifest: none was left out.
    expect(whole.requests).toBeGreaterThan(16);
    await eachAtMost(
      4,
      Array.from({ length: whole.requests }, (_, index) => index + 1),
      async (stop) => {
        const outcome = await stopOnce(`${folder}/${stop}`, stop, last);
        // Of the release before, and of this one; the first's are gone.
        expect(outcome, `stopped at request ${stop}`).toMatchObject({
          broken: [],
          after: { pages: 4, broken: [] },
          listed: 6,
        });
        // A lost answer is asked for again, unless the answer to that was lost as well.
        if (last === undefined) expect(outcome.stopped, `stopped at request ${stop}`).toBe(true);
      },
    );
  });
});
