import { AwsError } from '../aws/aws-error.ts';
import type { ListedObject } from '../aws/s3-answers.ts';
import type { S3Client } from '../aws/s3-client.ts';
import { explainS3Refusal } from '../aws/s3-refusal.ts';
import { ConfigurationError } from '../runner/errors.ts';
import type { Log } from '../runner/log.ts';
import { type BucketState, type Listing, reconcile } from './bucket-state.ts';
import { readManifest, type StoredManifest } from './manifest-store.ts';

/** What one look at the bucket told. */
export interface BucketView {
  readonly stored: StoredManifest;
  readonly state: BucketState;
  /** Undefined where listing is not allowed. */
  readonly listing: Pages | undefined;
}

interface Pages extends Listing {
  readonly continuation: string | undefined;
}

/** A million keys. */
const MAX_PAGES = 1000;

/**
 * Looks at the bucket with two requests at once: the manifest, and the first page of the listing, which checks it.
 *
 * Where the manifest is missing, was left behind by a deploy that was cut off, or does not agree with the page, the
 * listing is read to its end.
 */
export async function readBucket(client: S3Client, prefix: string, log: Log): Promise<BucketView> {
  const [stored, first] = await Promise.all([readManifest(client, prefix, log), firstPage(client, prefix)]);
  const { manifest } = stored;
  if (first instanceof ConfigurationError) {
    if (manifest === undefined) throw first;
    log.warning(`${first.message}; the record of releases is believed without a check`);
    return { stored, listing: undefined, state: reconcile(manifest, undefined, prefix) };
  }
  const state = reconcile(manifest, first, prefix);
  const isInDoubt = manifest === undefined || manifest.pending !== undefined || state.drifted.length > 0;
  const view = { stored, listing: first, state };
  return isInDoubt ? withWholeListing(view, client, prefix) : view;
}

/** The same view with the listing read to its end, which deletes need: only it shows what others put there. */
export async function withWholeListing(view: BucketView, client: S3Client, prefix: string): Promise<BucketView> {
  if (view.listing === undefined || view.listing.isComplete) return view;
  const objects: ListedObject[] = [...view.listing.objects];
  let { continuation } = view.listing;
  for (let pages = 1; continuation !== undefined; pages += 1) {
    if (pages >= MAX_PAGES) {
      throw new ConfigurationError(
        `input "prefix": there are more than ${MAX_PAGES * 1000} objects below it; give the site a prefix of its own`,
      );
    }
    const page = await client.listPage(prefix, continuation);
    objects.push(...page.objects);
    continuation = page.continuation;
  }
  const listing = { objects, isComplete: true, continuation: undefined };
  return { ...view, listing, state: reconcile(view.stored.manifest, listing, prefix) };
}

/** The first page, or, where the credentials may not list, the error that says so. */
async function firstPage(client: S3Client, prefix: string): Promise<Pages | ConfigurationError> {
  try {
    const { objects, continuation } = await client.listPage(prefix);
    return { objects, continuation, isComplete: continuation === undefined };
  } catch (error) {
    const explained = explainS3Refusal(error, client.location, 's3:ListBucket');
    const isDenied = error instanceof AwsError && error.code === 'AccessDenied';
    if (isDenied && explained instanceof ConfigurationError) return explained;
    throw explained;
  }
}
