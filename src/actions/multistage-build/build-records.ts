import { createArtifactService } from '../../core/handoff/artifact-service.ts';
import { type BuildRecord, saveBuildRecord } from '../../core/handoff/build-record.ts';
import type { Environment } from '../../core/runner/commands.ts';
import type { Log } from '../../core/runner/log.ts';
import type { FinishedImage } from './finish-images.ts';

/** Leaves a record for the publishing job; passed in by `run`. */
export type LeaveBuildRecord = (record: BuildRecord) => Promise<void>;

/** The records of rows that were pushed by digest. */
export function recordsOf(images: readonly FinishedImage[]): readonly BuildRecord[] {
  return images.flatMap(({ row, repository, pushed }) =>
    row === undefined || repository === undefined || pushed === undefined
      ? []
      : [{ version: 1, row, repository, ...pushed }],
  );
}

/** Leaves records in the run's artifacts; undefined where the runner has no such service. */
export function createLeaveBuildRecord(environment: Environment, log: Log): LeaveBuildRecord | undefined {
  if (!offersArtifacts(environment)) return undefined;
  const service = createArtifactService(environment, log);
  return (record) => saveBuildRecord(record, service);
}

/** Whether the runner offers a place to leave records at: GitHub's does, a bare machine does not. */
export function offersArtifacts(environment: Environment): boolean {
  return (environment['ACTIONS_RESULTS_URL'] ?? '') !== '' && (environment['ACTIONS_RUNTIME_TOKEN'] ?? '') !== '';
}
