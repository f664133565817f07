import { setTimeout as sleep } from 'node:timers/promises';
import type { S3Client } from '../aws/s3-client.ts';
import { ConfigurationError } from '../runner/errors.ts';
import type { Log } from '../runner/log.ts';
import { type DeployPlan, needsMd5, type PlanSettings, planDeploy, recordRelease } from './deploy-plan.ts';
import { md5Of } from './file-digests.ts';
import { type Lease, takeLease } from './lease.ts';
import { deleteOld, publish } from './publish.ts';
import { type BucketView, readBucket, withWholeListing } from './read-bucket.ts';
import { EMPTY_MANIFEST, type ReleaseManifest } from './release-manifest.ts';
import type { SiteFile } from './site-file.ts';

export interface DeployRequest {
  readonly client: S3Client;
  /** Ends in a slash, or is empty. */
  readonly prefix: string;
  readonly files: readonly SiteFile[];
  readonly settings: PlanSettings;
  readonly isDryRun: boolean;
  readonly ifBusy: 'wait' | 'fail';
  readonly log: Log;
  /** Told of the plan before anything is written, and of the bytes of the release before. */
  readonly onPlan: (plan: DeployPlan, weightBefore: number | undefined) => void;
  /** Called when the new release is live and before old objects go. */
  readonly onLive: (plan: DeployPlan) => Promise<void>;
  /** Milliseconds a deploy holds the site without renewal; for tests. */
  readonly leaseDuration?: number;
}

export interface Deployed {
  readonly plan: DeployPlan;
  /** As it is in the bucket now; in a dry run, as it was. */
  readonly manifest: ReleaseManifest;
  readonly deleted: readonly string[];
}

const POLL = 2000;
/** Longer than any lease that is not renewed. */
const LONGEST_WAIT = 1_800_000;

/**
 * Brings a site in a bucket to the state of `files` so that each page that can be reached is whole at every moment.
 *
 * Reads the bucket, plans, takes the site's lease, writes in the plan's order, records the release, calls `onLive`, and
 * deletes what no kept release refers to. After a stop at any request, running again finishes the work. A site that is
 * unchanged is two requests. Throws ConfigurationError for what the user can mend.
 */
export async function deploySite(wanted: DeployRequest): Promise<Deployed> {
  const { client, prefix, log } = wanted;
  for (;;) {
    const { view, plan } = await planFreely(wanted);
    const manifest = view.stored.manifest ?? EMPTY_MANIFEST;
    wanted.onPlan(plan, weightOf(manifest));
    if (wanted.isDryRun || (isNothingToDo(plan) && manifest.pending === undefined))
      return { plan, manifest, deleted: [] };
    const copies = plan.groups.flat().filter(({ kind }) => kind === 'copy');
    const lease = await takeLease(client, prefix, view.stored, {
      release: plan.release.id,
      copies: [...copies.map(({ path }) => path), ...(manifest.pending?.copies ?? [])],
      log,
      ...(wanted.leaseDuration === undefined ? {} : { duration: wanted.leaseDuration }),
    });
    if (lease !== undefined) return carryOut(wanted, view, plan, lease);
    log.info('another deploy changed the site while this one was planned: planning anew');
  }
}

async function carryOut(wanted: DeployRequest, view: BucketView, plan: DeployPlan, lease: Lease): Promise<Deployed> {
  const { client, prefix, log } = wanted;
  const before = { manifest: view.stored.manifest ?? EMPTY_MANIFEST, state: view.state };
  let last: ReleaseManifest | undefined;
  try {
    const etags = await publish(plan, client, prefix, lease.signal);
    last = recordRelease(plan, before, wanted.files, etags);
    if (plan.isNewRelease && plan.deletes.length > 0) await lease.write(last);
    if (plan.deletes.length === 0) {
      await lease.end(last);
      await wanted.onLive(plan);
      return { plan, manifest: last, deleted: [] };
    }
    await wanted.onLive(plan);
    const refused = await deleteOld(plan.deletes, client, prefix);
    for (const [path, reason] of refused) log.warning(`${path} was not deleted: ${reason}`);
    const deleted = plan.deletes.filter((path) => !refused.has(path));
    last = withoutObjects(last, deleted);
    await lease.end(last);
    return { plan, manifest: last, deleted };
  } catch (error) {
    // Left to end by itself: the next deploy then knows that this one was cut off, and compares with the listing.
    await lease.end(undefined);
    throw error;
  }
}

/** Reads the bucket until no other deploy holds it, and plans. */
async function planFreely(wanted: DeployRequest): Promise<{ readonly view: BucketView; readonly plan: DeployPlan }> {
  const { client, prefix, log, settings } = wanted;
  const end = Date.now() + LONGEST_WAIT;
  for (let isFirst = true; ; isFirst = false) {
    let view = await readBucket(client, prefix, log);
    const pending = view.stored.manifest?.pending;
    if (pending === undefined || pending.until <= Date.now() || wanted.isDryRun) {
      let plan = await planFor(wanted, view);
      const needsAll = settings.deletesOld && view.listing?.isComplete === false && !isNothingToDo(plan);
      if (needsAll) {
        view = await withWholeListing(view, client, prefix);
        plan = await planFor(wanted, view);
      }
      return { view, plan };
    }
    const who = `release ${pending.release} is being deployed to this site`;
    if (wanted.ifBusy === 'fail') throw new ConfigurationError(`${who}; run again later, or set "if-busy: wait"`);
    if (Date.now() > end) throw new ConfigurationError(`${who}, and did not end in ${LONGEST_WAIT / 60_000} minutes`);
    if (isFirst) log.info(`${who}: waiting for it`);
    await sleep(Math.min(POLL, Math.max(50, pending.until - Date.now())));
  }
}

async function planFor(wanted: DeployRequest, view: BucketView): Promise<DeployPlan> {
  const md5s = new Map<string, string>();
  for (const file of wanted.files) {
    if (needsMd5(file, view.state.objects.get(file.path))) md5s.set(file.path, await md5Of(file));
  }
  return planDeploy(wanted.files, view.state, view.stored.manifest, md5s, wanted.settings);
}

function isNothingToDo(plan: DeployPlan): boolean {
  return !plan.isNewRelease && plan.deletes.length === 0;
}

/** Bytes of the live release; undefined when there is none. */
function weightOf({ releases, objects }: ReleaseManifest): number | undefined {
  const live = releases[0]?.id;
  if (live === undefined) return undefined;
  return [...objects.values()].reduce((sum, { release, size }) => sum + (release === live ? size : 0), 0);
}

function withoutObjects(manifest: ReleaseManifest, paths: readonly string[]): ReleaseManifest {
  const gone = new Set(paths);
  return { ...manifest, objects: new Map([...manifest.objects].filter(([path]) => !gone.has(path))) };
}
