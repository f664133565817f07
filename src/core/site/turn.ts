import { setTimeout as sleep } from 'node:timers/promises';
import type { S3Client } from '../aws/s3-client.ts';
import { ConfigurationError } from '../runner/errors.ts';
import type { Log } from '../runner/log.ts';
import type { IfBusy } from './deploy-choices.ts';
import { askToStop } from './lease.ts';
import { readManifest, type StoredManifest } from './manifest-store.ts';
import type { PendingDeploy, WorkflowRun } from './release-manifest.ts';

export interface TurnRequest {
  readonly client: S3Client;
  readonly prefix: string;
  readonly release: string;
  readonly run: WorkflowRun;
  readonly ifBusy: IfBusy;
  readonly log: Log;
}

const POLL = 2000;
/** Longer than any lease that is not renewed. */
const LONGEST_WAIT = 1_800_000;

/**
 * Waits until no other deploy holds the site, as far as `if-busy` lets it; true when it had to wait, and the bucket has
 * to be read anew. Throws ConfigurationError when it is not this deploy's turn: at once with `fail`, when the other is
 * of a later run with `supersede-older`, and after half an hour.
 */
export async function waitForTurn(stored: StoredManifest, wanted: TurnRequest): Promise<boolean> {
  const { client, prefix, log } = wanted;
  const end = Date.now() + LONGEST_WAIT;
  let now = stored;
  for (let hasWaited = false; ; hasWaited = true) {
    const holder = now.manifest?.pending;
    if (holder === undefined || holder.until <= Date.now()) return hasWaited;
    const who = `release ${holder.release} is being deployed to this site`;
    if (wanted.ifBusy === 'fail') throw new ConfigurationError(`${who}; run again later, or set "if-busy: wait"`);
    if (Date.now() > end) throw new ConfigurationError(`${who}, and did not end in ${LONGEST_WAIT / 60_000} minutes`);
    if (!hasWaited) log.info(`${who}: waiting for it`);
    if (wanted.ifBusy === 'supersede-older') await supersede(now, holder, wanted);
    await sleep(Math.min(POLL, Math.max(50, holder.until - Date.now())));
    now = await readManifest(client, prefix, log);
  }
}

/** Asks the holder to stop unless it, or who asked it already, is of a later run than this one. */
async function supersede(stored: StoredManifest, holder: PendingDeploy, wanted: TurnRequest): Promise<void> {
  const { client, prefix, release, run, log } = wanted;
  const claim = holder.supersededBy;
  if (claim?.release === release) return;
  const latest = claim ?? holder;
  if (!isLater(run, latest.run)) {
    throw new ConfigurationError(
      `superseded: run ${latest.run.id} deploys release ${latest.release}, and is not older than this run, ${run.id}`,
      { title: 'Superseded' },
    );
  }
  log.info(`asking release ${holder.release} of the older run ${holder.run.id} to stop`);
  await askToStop(client, prefix, stored, { release, run });
}

function isLater(one: WorkflowRun, other: WorkflowRun): boolean {
  return one.id > other.id || (one.id === other.id && one.attempt > other.attempt);
}
