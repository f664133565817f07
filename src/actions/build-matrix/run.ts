import { createGit } from '../../core/git/git.ts';
import { toBrief, toGraphs, toShards, toWaveShards, toWaves } from '../../core/images/matrices.ts';
import { type RowSelection, selectRows } from '../../core/images/row-selection.ts';
import { checkStatically, missingSources, type StaticFinding } from '../../core/images/static-checks.ts';
import type { Log } from '../../core/runner/log.ts';
import { ActionFailure, type ActionResult, type Run } from '../../core/runner/run-action.ts';
import type { contract } from './contract.ts';
import { findGitIgnored, planComparison, planHead } from './plan.ts';
import { planSummary } from './summary.ts';

/** GitHub drops a job's outputs above 1 MB, which it estimates in UTF-16 (github/docs#36846). */
const MAX_OUTPUT_CHARACTERS = 500_000;

export const run: Run<typeof contract> = async (inputs, { event, environment, workspace, log, runCommand }) => {
  const git = createGit(runCommand, workspace, environment);
  const repository = { git, texts: new Map<string, string>() };
  const head = await planHead(repository, inputs, event);
  const comparison = await planComparison(repository, head, inputs, event);
  const selection = selectRows(head.rows, comparison, inputs);

  const ignored =
    inputs.staticChecks === 'off' ? new Set<string>() : await findGitIgnored(git, missingSources(head.rows));
  const findings =
    inputs.staticChecks === 'off' ? [] : checkStatically(head.rows, head.discovery.refused, head.snapshot, ignored);
  const problems = reportFindings(findings, inputs.staticChecks === 'error', log);
  logSelection(selection, log);

  const result = {
    outputs: toOutputs(selection, inputs.maxRows, log),
    summary: planSummary(head.discovery, comparison, selection, head.rows),
  };
  if (inputs.staticChecks === 'error' && problems > 0) {
    throw new ActionFailure(`${problems} static checks failed; their places are annotated above`, result);
  }
  return result;
};

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
  for (const { id, reason } of skipped) log.info(`skip  ${id}: ${reason}`);
}

function toOutputs(
  { rows, skipped }: RowSelection,
  maxRows: number,
  log: Log,
): NonNullable<ActionResult<typeof contract>['outputs']> {
  const matrix = { include: rows };
  const shards = toShards(rows, maxRows);
  if (shards.length > 1) {
    log.warning(
      `${rows.length} rows are more than one matrix of ${maxRows} can hold: use the output "shards" with one job for each of the ${shards.length} shards`,
    );
  }
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
    brief: toBrief(rows),
    waveShards: toWaveShards(rows, maxRows),
    graphs: toShards(toGraphs(rows), maxRows),
    images: [...new Set(rows.map(({ image }) => image))],
    reasons: Object.fromEntries(rows.map(({ id, reason }) => [id, reason])),
    skipped,
  };
}
