import type { S3Client } from '../aws/s3-client.ts';
import type { Log } from '../runner/log.ts';
import type { IfBusy } from './deploy-choices.ts';
import { type DeployPlan, needsMd5, type PlanSettings, planDeploy, recordRelease } from './deploy-plan.ts';
import { md5Of } from './file-digests.ts';
import { changedPaths } from './invalidation-paths.ts';
import { KEEP_NOTHING, keepRelease, planKeeping, staleRecords } from './keep-release.ts';
import { type Lease, takeLease } from './lease.ts';
import { deleteOld, publish } from './publish.ts';
import { type BucketView, readBucket, withWholeListing } from './read-bucket.ts';
import { EMPTY_MANIFEST, type ReleaseManifest, type WorkflowRun } from './release-manifest.ts';
import type { SiteFile } from './site-file.ts';
import { waitForTurn } from './turn.ts';

export interface DeployRequest {
  readonly client: S3Client;
  /** Ends in a slash, or is empty. */
  readonly prefix: string;
  /** Asked for once, while the bucket is looked at: reading a site takes as long as the way to the bucket. */
  readonly files: () => Promise<readonly SiteFile[]>;
  readonly settings: PlanSettings;
  /** The run of the workflow that deploys, by which the later of two is known. */
  readonly run: WorkflowRun;
  readonly isDryRun: boolean;
  readonly ifBusy: IfBusy;
  readonly log: Log;
  /** Told of the plan before anything is written, and of the bytes of the release before. */
  readonly onPlan: (plan: DeployPlan, weightBefore: number | undefined) => void;
  /**
   * Called when the new release is live and before old objects go, with the paths that edge caches may hold in an older
   * state. After a failure the next deploy calls its own with the same paths.
   */
  readonly onLive: ((changed: readonly string[]) => Promise<void>) | undefined;
  /** Milliseconds a deploy holds the site without renewal; for tests. */
  readonly leaseDuration?: number;
}

export interface Deployed {
  /** The site's files, as they shall be in the bucket. */
  readonly files: readonly SiteFile[];
  readonly plan: DeployPlan;
  /** As it is in the bucket now; in a dry run, as it was. */
  readonly manifest: ReleaseManifest;
  readonly deleted: readonly string[];
}

/**
 * Brings a site in a bucket to the state of `files` so that each page that can be reached is whole at every moment.
 *
 * Reads the bucket, plans, takes the site's lease, writes in the plan's order, records the release, calls `onLive`, and
 * deletes what no kept release refers to. After a stop at any request, running again finishes the work. A site that is
 * unchanged is two requests. Throws ConfigurationError for what the user can mend.
 */
export async function deploySite(wanted: DeployRequest): Promise<Deployed> {
  const { client, prefix, log } = wanted;
  const reading = wanted.files();
  for (;;) {
    const { files, view, plan } = await planFreely(wanted, reading);
    const manifest = view.stored.manifest ?? EMPTY_MANIFEST;
    wanted.onPlan(plan, weightOf(manifest));
    if (wanted.isDryRun || (isNothingToDo(plan) && manifest.pending === undefined))
      return { files, plan, manifest, deleted: [] };
    const copies = plan.groups.flat().filter(({ kind }) => kind === 'copy');
    const changed = [...new Set([...changedPaths(plan), ...(manifest.pending?.changed ?? [])])];
    const lease = await takeLease(client, prefix, view.stored, {
      release: plan.release.id,
      run: wanted.run,
      copies: [...copies.map(({ path }) => path), ...(manifest.pending?.copies ?? [])],
      changed,
      log,
      ...(wanted.leaseDuration === undefined ? {} : { duration: wanted.leaseDuration }),
    });
    if (lease !== undefined) return carryOut(wanted, { files, view, plan, changed }, lease);
    log.info('another deploy changed the site while this one was planned: planning anew');
  }
}

interface Planned {
  readonly files: readonly SiteFile[];
  readonly view: BucketView;
  readonly plan: DeployPlan;
}

/** A plan to be carried out, with the paths that edge caches may hold in an older state. */
interface DecidedPlan extends Planned {
  readonly changed: readonly string[];
}

async function carryOut(wanted: DeployRequest, planned: DecidedPlan, lease: Lease): Promise<Deployed> {
  const { prefix, onLive } = wanted;
  const { files, plan, changed } = planned;
  const client = wanted.client.until(lease.signal);
  try {
    const live = await putRelease({ ...wanted, client }, planned);
    const stale = wanted.settings.deletesOld
      ? staleRecords(planned.view.state.records, live, wanted.settings.keepReleases)
      : [];
    const isLast = (onLive === undefined || changed.length === 0) && plan.deletes.length + stale.length === 0;
    if (isLast) {
      await lease.end(live);
      return { files, plan, manifest: live, deleted: [] };
    }
    await lease.write(live);
    if (changed.length > 0) await onLive?.(changed);
    const refused = await deleteOld([...plan.deletes, ...stale], client, prefix);
    for (const [path, reason] of refused) wanted.log.warning(`${path} was not deleted: ${reason}`);
    const deleted = plan.deletes.filter((path) => !refused.has(path));
    const manifest = withoutObjects(live, deleted);
    await lease.end(manifest);
    return { files, plan, manifest, deleted };
  } catch (error) {
    await lease.giveUp();
    throw lease.signal.aborted ? lease.signal.reason : error;
  }
}

/** Puts the files of a release into the bucket, and what is needed to come back to it; returns the manifest for it. */
async function putRelease(
  { client, prefix, settings }: DeployRequest,
  { files, view, plan }: Planned,
): Promise<ReleaseManifest> {
  const manifest = view.stored.manifest ?? EMPTY_MANIFEST;
  const keeping = plan.isNewRelease ? planKeeping(files, manifest, settings.keepReleases) : KEEP_NOTHING;
  const isKept = plan.isNewRelease && settings.keepReleases > 0;
  const [etags, kept] = await Promise.allSettled([
    publish(plan, client, prefix),
    isKept ? keepRelease(keeping, plan.release, files, client, prefix) : undefined,
  ]);
  if (etags.status === 'rejected') throw etags.reason;
  if (kept.status === 'rejected') throw kept.reason;
  if (!plan.isNewRelease) return manifest;
  return recordRelease(plan, { manifest, state: view.state }, files, etags.value, keeping.places);
}

/** Reads the bucket until no other deploy holds it, and plans. */
async function planFreely(wanted: DeployRequest, reading: Promise<readonly SiteFile[]>): Promise<Planned> {
  const { client, prefix, log, settings } = wanted;
  for (;;) {
    const [view, files] = await Promise.all([readBucket(client, prefix, log), reading]);
    if (!wanted.isDryRun && (await waitForTurn(view.stored, { ...wanted, release: settings.release.id }))) continue;
    const plan = await planFor(files, view, settings);
    const needsAll = settings.deletesOld && view.listing?.isComplete === false && !isNothingToDo(plan);
    if (!needsAll) return { files, view, plan };
    const whole = await withWholeListing(view, client, prefix);
    return { files, view: whole, plan: await planFor(files, whole, settings) };
  }
}

async function planFor(files: readonly SiteFile[], view: BucketView, settings: PlanSettings): Promise<DeployPlan> {
  const md5s = new Map<string, string>();
  for (const file of files) {
    const { content, size } = file;
    if (content.kind === 'file' && needsMd5(file, view.state.objects.get(file.path)))
      md5s.set(file.path, await md5Of({ ...content, size }));
  }
  return planDeploy(files, view.state, view.stored.manifest, md5s, settings);
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
