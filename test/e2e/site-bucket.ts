import { randomUUID } from 'node:crypto';
import { createAdaptiveConcurrency } from '../../src/core/aws/adaptive-concurrency.ts';
import { bodyOf, createS3Client, type S3Client } from '../../src/core/aws/s3-client.ts';
import { manifestKey } from '../../src/core/site/release-manifest.ts';
import { serviceAddress } from './service-address.ts';

export interface S3Server {
  readonly endpoint: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

/** Ceph's gateway, which verifies signatures, checksums and conditions, and a user of it who may make buckets. */
export function strictServer(): S3Server {
  return {
    endpoint: serviceAddress('SLIPWAY_S3_ENDPOINT'),
    accessKeyId: serviceAddress('SLIPWAY_S3_ACCESS_KEY_ID'),
    secretAccessKey: serviceAddress('SLIPWAY_S3_SECRET_ACCESS_KEY'),
  };
}

/** Inputs by which everybody may read what is deployed. */
export const PUBLIC = { headers: '**: x-amz-acl: public-read' };

/** The environment of a step that deploys with static keys. */
export function keysOf({ accessKeyId, secretAccessKey }: S3Server) {
  return { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey };
}

/** Makes a bucket of its own, and a client that looks into it. */
export async function createBucket(server: S3Server): Promise<{ readonly bucket: string; readonly client: S3Client }> {
  const bucket = `site-${randomUUID()}`;
  const { endpoint, accessKeyId, secretAccessKey } = server;
  const client = createS3Client({
    location: { bucket, region: 'us-east-1', endpoint, bucketPath: `/${bucket}`, isAmazon: false },
    credentials: async () => ({ accessKeyId, secretAccessKey }),
    concurrency: createAdaptiveConcurrency({ initial: 8, max: 8 }),
  });
  await client.send(undefined, { method: 'PUT', describe: 'CREATE BUCKET' });
  return { bucket, client };
}

/** Lets the lease of a deploy that was killed end now and not in two minutes. */
export async function endLease(client: S3Client, prefix: string): Promise<void> {
  const found = await client.get(manifestKey(prefix), { maxBytes: 1e8 });
  const free = found?.body.toString().replace(/"until": \d+/, '"until": 0');
  if (free !== undefined) await client.put(manifestKey(prefix), bodyOf(Buffer.from(free)), {});
}
