import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type AdaptiveConcurrency, createAdaptiveConcurrency } from '../../src/core/aws/adaptive-concurrency.ts';
import { createS3Client, type S3Client } from '../../src/core/aws/s3-client.ts';
import { MULTIPART_THRESHOLD } from '../../src/core/aws/s3-multipart.ts';
import { createLog } from '../../src/core/runner/log.ts';
import { type FaultProxy, startFaultProxy } from '../harness/standins/fault-proxy.ts';
import { createDeployer, type Deployer } from '../unit/core/site/deploy-fixture.ts';
import { createBucket, strictServer } from './site-bucket.ts';

const server = strictServer();
let site: Deployer;
let proxy: FaultProxy;
let bucket = '';
let direct: S3Client;

beforeEach(async () => {
  site = await createDeployer();
  proxy = await startFaultProxy({ upstream: server.endpoint });
  ({ bucket, client: direct } = await createBucket(server));
});
afterEach(async () => {
  await site[Symbol.asyncDispose]();
  await proxy.stop();
});

/** Milliseconds of silence; thirty seconds for a deploy. */
const PATIENCE = 1000;

/** A client that gives a try up soon. */
function impatientClient(lines: string[], concurrency: AdaptiveConcurrency): S3Client {
  return createS3Client({
    location: { bucket, region: 'us-east-1', endpoint: proxy.url, bucketPath: `/${bucket}`, isAmazon: false },
    credentials: async () => server,
    concurrency,
    timeout: PATIENCE,
    log: createLog((line) => lines.push(line), { debug: false }),
  });
}

function filesOf(count: number): Readonly<Record<string, string>> {
  const names = Array.from({ length: count }, (_, index) => `assets/chunk-${index}.css`);
  return Object.fromEntries([...names, 'index.html'].map((name) => [name, name]));
}

/** The paths of `files` whose objects do not hold what they should. */
async function wrongObjects(files: Readonly<Record<string, string>>): Promise<readonly string[]> {
  const names = Object.keys(files);
  const found = await Promise.all(names.map((name) => direct.get(name, { maxBytes: 1e9 })));
  return names.filter((name, index) => found[index]?.body.toString() !== files[name]);
}

describe('an upload that stalls', () => {
  it.each([
    ['a page', /PUT .*index\.html/],
    ['an asset', /PUT .*chunk-3/],
    ['the lease', /PUT .*manifest\.json/],
    ['the look at the bucket', /GET .*list-type/],
  ])('is given up and sent again: %s', async (_, match) => {
    proxy.faults.add({ fault: { kind: 'stall' }, match, times: 2 });
    const files = filesOf(10);
    const lines: string[] = [];
    const client = impatientClient(lines, createAdaptiveConcurrency({ initial: 8, max: 8 }));
    await site.deploy(server, files, { client });
    expect(await wrongObjects(files)).toEqual([]);
    // The two, and what a store on a busy machine took its time for.
    const givenUp = lines.filter((line) => line.includes(`no answer in ${PATIENCE} ms; trying again`));
    expect(givenUp.length).toBeGreaterThanOrEqual(2);
  });

  it('is sent again part by part', async () => {
    proxy.faults.add({ fault: { kind: 'stall' }, match: /PUT .*partNumber=2/ });
    const files = { 'index.html': 'start', 'video.bin': 'v'.repeat(MULTIPART_THRESHOLD + 1) };
    const lines: string[] = [];
    const client = impatientClient(lines, createAdaptiveConcurrency({ initial: 2, max: 2 }));
    await site.deploy(server, files, { client });
    expect(await wrongObjects(files)).toEqual([]);
    expect(proxy.count(/PUT .*partNumber=2/)).toBeGreaterThanOrEqual(2);
    expect(proxy.count(/PUT .*partNumber=/)).toBeLessThan(10);
  });
});

describe('a server that asks to slow down', () => {
  it('gets fewer requests at once, and more again when it keeps up', async () => {
    const slowDown = '<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>';
    proxy.faults.add({
      fault: { kind: 'status', status: 503, body: slowDown },
      match: /PUT .*chunk/,
      after: 40,
      times: 6,
    });
    const concurrency = createAdaptiveConcurrency({ initial: 32, max: 32 });
    const limits = [concurrency.limit()];
    const watched: AdaptiveConcurrency = {
      ...concurrency,
      run: async (task) => {
        const result = await concurrency.run(task);
        limits.push(concurrency.limit());
        return result;
      },
    };
    const files = filesOf(600);
    await site.deploy(server, files, { client: impatientClient([], watched) });
    const lowest = Math.min(...limits);
    expect(lowest).toBeLessThanOrEqual(16);
    expect(limits.at(-1)).toBeGreaterThan(lowest);
    expect(await wrongObjects(files)).toEqual([]);
  });
});
