import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { S3Client } from '../../src/core/aws/s3-client.ts';
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
  let old: Workspace;
  let next: Workspace;

  beforeAll(async () => {
    ({ bucket, client } = await createBucket(server));
    old = await createWorkspace(pagesOf('11aa22bb'));
    next = await createWorkspace(pagesOf('33cc44dd'));
  });
  afterAll(async () => {
    await old[Symbol.asyncDispose]();
    await next[Symbol.asyncDispose]();
  });

  const stops: readonly (readonly [how: string, last: Fault | undefined])[] = [
    ['is refused', undefined],
    ['is carried out, and its answer lost', { kind: 'reset', when: 'after' }],
  ];
  it.each(stops)('leaves every page whole where it %s, and running again finishes', async (how, last) => {
    const folder = how.replaceAll(/\W+/g, '-');
    let stop = 1;
    for (let isStopped = true; isStopped; stop += 1) {
      await using proxy = await startFaultProxy({ upstream: server.endpoint });
      const inputs = { ...PUBLIC, bucket, prefix: `${folder}/${stop}`, delete: 'true', 'keep-releases': '1' };
      const address = `${server.endpoint}/${bucket}/${folder}/${stop}/`;
      await old.deploy(server.endpoint, inputs, variables);
      stopAt(proxy, stop, last);
      const deploy = next.deploy(proxy.url, { ...inputs, concurrency: '3' }, variables);
      isStopped = await deploy.then(
        () => false,
        () => true,
      );
      expect((await crawl(address)).broken, `stopped at request ${stop}`).toEqual([]);

      await endLease(client, `${folder}/${stop}/`);
      await next.deploy(server.endpoint, inputs, variables);
      const whole = await crawl(address);
      expect(whole, `finished after a stop at request ${stop}`).toEqual({ pages: 4, broken: [] });
      expect((await next.outputs(server.endpoint, inputs, variables)).uploaded).toBe(0);
    }
    // Two looks, the lease, nine files, a pack and a record, the manifest: none was left out.
    expect(stop).toBeGreaterThan(15);
  });
});
