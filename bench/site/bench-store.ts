import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createAdaptiveConcurrency } from '../../src/core/aws/adaptive-concurrency.ts';
import { createS3Client, type S3Client } from '../../src/core/aws/s3-client.ts';
import { serviceCacheFolder } from '../../test/harness/services/cache-folder.ts';
import { type Ceph, startCeph } from '../../test/harness/services/ceph.ts';
import { downloadPackages } from '../../test/harness/services/debian-packages.ts';
import { prepareRoot } from '../../test/harness/services/package-root.ts';
import { startDelayProxy } from '../../test/harness/standins/delay-proxy.ts';
import { awsCli, rclone, slipway, type Tool } from './deploy-tools.ts';

/** Milliseconds between the runner and the store. */
export const ROUND_TRIP = 20;

export const TOOLS = ['ours', 'aws', 'rclone'] as const;
export type ToolName = (typeof TOOLS)[number];

/** A store, its distance, and the tools that deploy to it. */
export interface Bench {
  readonly ceph: Ceph;
  /** The store's address with the distance before it. */
  readonly distant: string;
  readonly temp: string;
  /** Where the peers are unpacked. */
  readonly root: string;
  readonly tools: Readonly<Record<ToolName, Tool>>;
}

/** Starts the store and its distance, unpacks the peers, and stops and removes all of it at the end. */
export async function withStore<T>(use: (bench: Bench, log: (line: string) => void) => Promise<T>): Promise<T> {
  const log = (line: string): void => console.error(line);
  await using started = new AsyncDisposableStack();
  const temp = await mkdtemp(join(tmpdir(), 'slipway-bench-site-'));
  started.defer(() => rm(temp, { recursive: true, force: true }));
  const ceph = started.use(await startCeph({ folder: join(temp, 'ceph'), log }));
  const distant = started.use(await startDelayProxy(ceph.endpoint, ROUND_TRIP));
  const { folder: root } = await downloadPackages({
    suite: 'sid',
    packages: ['awscli', 'rclone', 'base-files', 'coreutils', 'dash', 'libc-bin'],
    closure: true,
    cache: serviceCacheFolder(),
    log,
  });
  await prepareRoot(root);
  const store = { ...ceph, endpoint: distant.url };
  const tools = { ours: slipway(store, temp), aws: awsCli(store, root), rclone: rclone(store, root) };
  return await use({ ceph, distant: distant.url, temp, root, tools }, log);
}

/** Makes a bucket of its own. */
export async function makeBucket(ceph: Ceph): Promise<string> {
  const bucket = `bench-${randomUUID()}`;
  await bucketClient(ceph, bucket).send(undefined, { method: 'PUT', describe: 'CREATE BUCKET' });
  return bucket;
}

/** A client of a bucket at the store itself, without the distance. */
export function bucketClient({ endpoint, accessKeyId, secretAccessKey }: Ceph, bucket: string): S3Client {
  return createS3Client({
    location: { bucket, region: 'us-east-1', endpoint, bucketPath: `/${bucket}`, isAmazon: false },
    credentials: async () => ({ accessKeyId, secretAccessKey }),
    concurrency: createAdaptiveConcurrency({ initial: 1, max: 1 }),
  });
}
