import { AwsError } from '../aws/aws-error.ts';
import { bodyOf, type Condition, type S3Client } from '../aws/s3-client.ts';
import { explainS3Refusal } from '../aws/s3-refusal.ts';
import type { Log } from '../runner/log.ts';
import {
  formatManifest,
  MAX_MANIFEST_BYTES,
  manifestKey,
  parseManifest,
  type ReleaseManifest,
} from './release-manifest.ts';

/** A manifest and the state of the object it was read from. */
export interface StoredManifest {
  /** Undefined when there is none that can be read. */
  readonly manifest: ReleaseManifest | undefined;
  /** Undefined when there is no object. */
  readonly etag: string | undefined;
}

export type WriteOutcome =
  | { readonly kind: 'written'; readonly etag: string }
  /** Somebody else wrote since it was read. */
  | { readonly kind: 'lost' }
  /** The server does not do conditional writes as S3 does; nothing was written. */
  | { readonly kind: 'unsupported' };

const HEADERS = { 'content-type': 'application/json', 'cache-control': 'no-store' };

/** Reads the manifest of a site. One that is broken is told of and treated as missing. */
export async function readManifest(client: S3Client, prefix: string, log: Log): Promise<StoredManifest> {
  const key = manifestKey(prefix);
  try {
    const found = await client.get(key, { maxBytes: MAX_MANIFEST_BYTES });
    if (found === undefined) return { manifest: undefined, etag: undefined };
    const manifest = parseManifest(found.body.toString('utf8'), (reason) =>
      log.warning(
        `the record of releases ${key} is not used: ${reason}; the objects in the bucket are compared instead`,
      ),
    );
    return { manifest, etag: found.etag };
  } catch (error) {
    // Without s3:ListBucket, S3 answers 403 for an object that is not there.
    throw explainS3Refusal(
      error,
      client.location,
      's3:GetObject, and s3:ListBucket so that a missing object can be told',
    );
  }
}

/**
 * Writes the manifest if the object is still as `expected` (its ETag; undefined: absent).
 *
 * An answer that was lost and a server that refuses even the right ETag (Ceph's gateway 16) both show as 412: reading
 * the object again tells them from a writer that was faster.
 */
export async function writeManifest(
  client: S3Client,
  prefix: string,
  manifest: ReleaseManifest,
  expected: string | undefined,
): Promise<WriteOutcome> {
  const key = manifestKey(prefix);
  const body = formatManifest(manifest);
  const condition: Condition = expected === undefined ? { ifNoneMatch: '*' } : { ifMatch: expected };
  try {
    return { kind: 'written', etag: (await client.put(key, bodyOf(body), HEADERS, condition)).etag };
  } catch (error) {
    if (error instanceof AwsError && (error.status === 501 || error.code === 'NotImplemented'))
      return { kind: 'unsupported' };
    if (!(error instanceof AwsError) || (error.status !== 412 && error.status !== 404)) {
      throw explainS3Refusal(error, client.location, 's3:PutObject');
    }
  }
  const now = await client.get(key, { maxBytes: MAX_MANIFEST_BYTES });
  if (now?.body.equals(body) === true) return { kind: 'written', etag: now.etag };
  return { kind: now?.etag === expected ? 'unsupported' : 'lost' };
}

/** Writes the manifest whatever is there: for servers without conditional writes. */
export async function overwriteManifest(client: S3Client, prefix: string, manifest: ReleaseManifest): Promise<string> {
  try {
    return (await client.put(manifestKey(prefix), bodyOf(formatManifest(manifest)), HEADERS)).etag;
  } catch (error) {
    throw explainS3Refusal(error, client.location, 's3:PutObject');
  }
}

/**
 * Whether the server refuses to create the manifest, which is there, a second time. One that ignores the condition
 * writes the same bytes once more.
 */
export async function honoursConditions(client: S3Client, prefix: string, manifest: ReleaseManifest): Promise<boolean> {
  try {
    await client.put(manifestKey(prefix), bodyOf(formatManifest(manifest)), HEADERS, { ifNoneMatch: '*' });
    return false;
  } catch (error) {
    if (error instanceof AwsError) return error.status === 412;
    throw error;
  }
}
