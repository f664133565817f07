import type { AdaptiveConcurrency } from '../aws/adaptive-concurrency.ts';
import type { S3Client } from '../aws/s3-client.ts';
import { createPartPlaces, MULTIPART_THRESHOLD, putInParts } from '../aws/s3-multipart.ts';
import { explainS3Refusal } from '../aws/s3-refusal.ts';
import { eachAtMost } from '../net/bounded-parallel.ts';
import type { DeployPlan, PlannedWrite } from './deploy-plan.ts';
import { bodyOfFile } from './file-body.ts';

/** More than the client lets through at once, so that it is never idle. */
const QUEUED = 128;
const DELETES_AT_ONCE = 1000;

/**
 * Carries out the writes of a plan, group after group, and returns the ETags they were answered with.
 *
 * A group begins when all of the one before it succeeded: no document goes in after an asset failed. Throws the first
 * failure, when the requests in flight have ended.
 */
export async function publish(
  plan: DeployPlan,
  client: S3Client,
  prefix: string,
): Promise<ReadonlyMap<string, string>> {
  const etags = new Map<string, string>();
  const places = createPartPlaces();
  for (const group of plan.groups) {
    await eachAtMost(QUEUED, group, async (write) => {
      try {
        etags.set(write.path, await carryOut(write, client, prefix + write.path, places));
      } catch (error) {
        throw explainS3Refusal(
          error,
          client.location,
          write.kind === 'copy' || write.file.content.kind === 'object'
            ? 's3:GetObject and s3:PutObject'
            : 's3:PutObject',
        );
      }
    });
  }
  return etags;
}

/** Deletes objects and returns the paths that the server did not delete, each with its reason. */
export async function deleteOld(
  paths: readonly string[],
  client: S3Client,
  prefix: string,
): Promise<ReadonlyMap<string, string>> {
  const refused = new Map<string, string>();
  for (let start = 0; start < paths.length; start += DELETES_AT_ONCE) {
    const keys = paths.slice(start, start + DELETES_AT_ONCE).map((path) => prefix + path);
    try {
      const errors = await client.deleteObjects(keys);
      for (const { key, code, message } of errors) refused.set(key.slice(prefix.length), `${code}: ${message}`);
    } catch (error) {
      throw explainS3Refusal(error, client.location, 's3:DeleteObject');
    }
  }
  return refused;
}

async function carryOut(
  write: PlannedWrite,
  client: S3Client,
  key: string,
  places: AdaptiveConcurrency,
): Promise<string> {
  const { content, size, sha256, headers } = write.file;
  if (write.kind === 'copy') return (await client.copy({ key, etag: write.etag }, key, headers)).etag;
  if (content.kind === 'object') return (await client.copy(content, key, headers)).etag;
  if (size > MULTIPART_THRESHOLD) {
    const file = { path: content.location, size, crc32: content.crc32 };
    return (await putInParts(client, key, file, headers, places)).etag;
  }
  return (await client.put(key, bodyOfFile({ ...content, size, sha256 }), headers)).etag;
}
