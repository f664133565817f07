import { createGit } from '../../core/git/git.ts';
import { toShards, toWaves } from '../../core/images/matrices.ts';
import { createPrintBake } from '../../core/images/print-bake.ts';
import { considerRows, type RowSelection, selectRows } from '../../core/images/row-selection.ts';
import { createBlobCache, type Snapshot } from '../../core/images/snapshot.ts';
import type { StaticFinding } from '../../core/images/static-checks.ts';
import type { Log } from '../../core/runner/log.ts';
import { ActionFailure, type ActionResult, type Run } from '../../core/runner/run-action.ts';
import { readsOutput } from '../../core/workflows/workflow-file.ts';
import type { contract } from './contract.ts';
import { planComparison, planHead } from './plan.ts';
import { askRegistry } from './registry-check.ts';
import { findStatically } from './static-findings.ts';
import { planSummary } from './summary.ts';

/** GitHub drops a job's outputs above 1 MB, which it estimates in UTF-16 (github/docs#36846). */
const MAX_OUTPUT_CHARACTERS = 500_000;

export const run: Run<typeof contract> = async (inputs, context) => {
  const { event, environment, workspace, temp, log, runCommand } = context;
  const git = createGit(runCommand, workspace, environment);
  const printBake = createPrintBake(runCommand, temp, environment);
  const repository = { git, printBake, blobs: createBlobCache() };
  const head = await planHead(repository, inputs, event);
  const comparison = await planComparison(repository, head, inputs, event);
  const answers = await askRegistry(considerRows(head.rows, inputs), inputs, context);
  const selection = selectRows(head.rows, comparison, inputs, answers);

  const findings = await findStatically(git, head, inputs, event);
  const problems = reportFindings(findings, inputs.staticChecks === 'error', log);
  logSelection(selection, log);

  const result = {
    outputs: toOutputs(selection, inputs.maxRows, log),
    summary: planSummary(head.discovery, comparison, selection, head.rows),
  };
  const tooMany = await refuseMatrix(selection.rows.length, inputs.maxRows, head.snapshot, log);
  if (tooMany !== undefined) throw new ActionFailure(tooMany, result);
  if (inputs.staticChecks === 'error' && problems > 0) {
    throw new ActionFailure(`${problems} static checks failed; their places are annotated above`, result);
  }
  return result;
};

/** GitHub lets a run with a larger matrix wait for ever (seen with 268 rows: every job green, the run failed). */
const MAX_JOBS = 256;

/**
 * Why a matrix of so many rows must not go out as one; undefined when it may, or when the workflow takes it in shards.
 */
async function refuseMatrix(count: number, maxRows: number, snapshot: Snapshot, log: Log): Promise<string | undefined> {
  if (count <= maxRows || (await readsOutput(snapshot, 'shards'))) return undefined;
  const advice = `build from the output "shards", one job for each, or ask for fewer rows with "include"`;
  if (count > MAX_JOBS) return `${count} rows are more than GitHub runs in one matrix (${MAX_JOBS}): ${advice}`;
  log.warning(`${count} rows are more than "max-rows" (${maxRows}): ${advice}`);
  return undefined;
}

/** Annotates findings; returns the number of problems. */
function reportFindings(findings: readonly StaticFinding[], areErrors: boolean, log: Log): number {
  for (const { level, ...finding } of findings) {
    if (level === 'notice') log.notice(finding);
    else if (areErrors) log.error(finding);
    else log.warning(finding);
  }
  return findings.filter(({ level }) => level === 'problem').length;
}

function logSelection({ rows, skipped }: RowSelection, log: Log): void {
  for (const { id, reason } of rows) log.info(`build ${id}: ${reason}`);
  // Most rows share one long reason: it is said once.
  const byReason = new Map<string, string[]>();
  for (const { id, reason } of skipped) byReason.set(reason, [...(byReason.get(reason) ?? []), id]);
  for (const [reason, ids] of byReason) log.info(`skip ${ids.length} (${reason}): ${ids.join(', ')}`);
}

function toOutputs(
  { rows, skipped }: RowSelection,
  maxRows: number,
  log: Log,
): NonNullable<ActionResult<typeof contract>['outputs']> {
  const matrix = { include: rows };
  const shards = toShards(rows, maxRows);
  const size = JSON.stringify(matrix).length;
  if (size > MAX_OUTPUT_CHARACTERS)
    log.warning(
      `the matrix has ${size} characters; GitHub drops a job's outputs above 1 MB, so fewer rows should be asked for with "include"`,
    );
  return {
    matrix,
    hasRows: rows.length > 0,
    count: rows.length,
    shards,
    shardCount: shards.length,
    waves: toWaves(rows),
    images: [...new Set(rows.map(({ image }) => image))],
    reasons: Object.fromEntries(rows.map(({ id, reason }) => [id, reason])),
    skipped,
  };
}
