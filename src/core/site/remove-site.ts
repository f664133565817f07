import type { S3Client } from '../aws/s3-client.ts';
import { ConfigurationError } from '../runner/errors.ts';
import type { Log } from '../runner/log.ts';
import type { IfBusy } from './deploy-choices.ts';
import { takeLease } from './lease.ts';
import { readManifest } from './manifest-store.ts';
import { deleteOld } from './publish.ts';
import { manifestKey, type WorkflowRun } from './release-manifest.ts';
import { waitForTurn } from './turn.ts';

export interface RemovalRequest {
  readonly client: S3Client;
  /** Never empty: everything below it goes. */
  readonly prefix: string;
  readonly release: string;
  readonly run: WorkflowRun;
  readonly ifBusy: IfBusy;
  readonly isDryRun: boolean;
  readonly log: Log;
}

/** As many objects as ten thousand pages of a listing have. */
const MAX_ROUNDS = 10_000;

/**
 * Deletes a site, and returns how many objects went: all below its prefix, the manifest last, so that after a stop at
 * any request running again finishes. A prefix without a manifest is not a site of Slipway's, and is left alone.
 */
export async function removeSite(wanted: RemovalRequest): Promise<number> {
  const { client, prefix, log } = wanted;
  if (prefix === '') throw new Error('the whole bucket is no site to remove');
  for (;;) {
    const stored = await readManifest(client, prefix, log);
    if (stored.etag === undefined) return 0;
    if (await waitForTurn(stored, wanted)) continue;
    if (wanted.isDryRun) return stored.manifest?.objects.size ?? 0;
    const { release, run } = wanted;
    const lease = await takeLease(client, prefix, stored, { release, run, copies: [], changed: [], log });
    if (lease === undefined) continue;
    try {
      const count = await deleteBelow(client, prefix);
      await lease.forget();
      await client.delete(manifestKey(prefix));
      return count + 1;
    } catch (error) {
      await lease.giveUp();
      throw error;
    }
  }
}

/** Page by page from the start: what was listed is gone when the next page is asked for. */
async function deleteBelow(client: S3Client, prefix: string): Promise<number> {
  const own = manifestKey(prefix);
  let count = 0;
  let continuation: string | undefined;
  for (let round = 0; round < MAX_ROUNDS; round += 1) {
    const page = await client.listPage(prefix, continuation);
    const paths = page.objects.filter(({ key }) => key !== own).map(({ key }) => key.slice(prefix.length));
    const [refused] = await deleteOld(paths, client, prefix);
    // The manifest stays, so that running again, with the permission, finishes.
    if (refused !== undefined) throw new ConfigurationError(`${prefix}${refused[0]} was not deleted: ${refused[1]}`);
    count += paths.length;
    continuation = page.continuation;
    if (continuation === undefined) return count;
  }
  throw new Error(`more than ${MAX_ROUNDS} pages of objects below ${prefix}`);
}
