import { createReadStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import type { PutBody, S3Client } from '../aws/s3-client.ts';
import { MULTIPART_THRESHOLD, putInParts } from '../aws/s3-multipart.ts';
import { explainS3Refusal } from '../aws/s3-refusal.ts';
import type { DeployPlan, PlannedWrite } from './deploy-plan.ts';
import type { SiteFile } from './site-file.ts';

/** Files up to this are read whole, so that they go out in one packet with their headers. */
const WHOLE = 1024 * 1024;
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
  signal: AbortSignal,
): Promise<ReadonlyMap<string, string>> {
  const etags = new Map<string, string>();
  for (const group of plan.groups) {
    await forEachAtOnce(group, signal, async (write) => {
      try {
        etags.set(write.path, await carryOut(write, client, prefix + write.path));
      } catch (error) {
        throw explainS3Refusal(
          error,
          client.location,
          write.kind === 'copy' ? 's3:GetObject and s3:PutObject' : 's3:PutObject',
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

async function carryOut(write: PlannedWrite, client: S3Client, key: string): Promise<string> {
  const { file } = write;
  if (write.kind === 'copy') return (await client.replaceHeaders(key, write.etag, file.headers)).etag;
  if (file.size > MULTIPART_THRESHOLD) {
    return (await putInParts(client, key, { path: file.location, size: file.size }, file.headers)).etag;
  }
  return (await client.put(key, bodyOfFile(file), file.headers)).etag;
}

function bodyOfFile(file: SiteFile): PutBody {
  const { location, size, sha256, crc32 } = file;
  return {
    open: async () =>
      size <= WHOLE
        ? readFile(location)
        : { stream: () => createReadStream(location, { highWaterMark: 256 * 1024 }), length: size },
    sha256,
    crc32,
  };
}

async function forEachAtOnce<T>(
  items: readonly T[],
  signal: AbortSignal,
  task: (item: T) => Promise<void>,
): Promise<void> {
  const queue = items.values();
  let failure: { readonly error: unknown } | undefined;
  const worker = async (): Promise<void> => {
    for (const item of queue) {
      if (failure !== undefined) return;
      try {
        signal.throwIfAborted();
        await task(item);
      } catch (error) {
        failure ??= { error };
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(QUEUED, items.length) }, worker));
  if (failure !== undefined) throw failure.error;
}
