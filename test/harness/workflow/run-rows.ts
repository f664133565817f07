/** Runs the rows of one job: its matrix side by side, fail-fast, outputs brought together. */
import { asMapping } from '../runner/action-file.ts';
import { type ExpressionScope, interpolate, resolveTemplate } from '../runner/expressions.ts';
import type { Outcome } from '../runner/run-step.ts';
import { createSlots } from './job-slots.ts';
import { type MatrixRow, rowLabel, type Strategy } from './matrix.ts';
import type { Permissions } from './permissions.ts';
import { emptyResult, type JobRow, runJobRow } from './run-job.ts';
import type { RunContext } from './run-settings.ts';
import type { JobDefinition } from './workflow-file.ts';
import type { Concurrency, JobResult } from './workflow-result.ts';

/** A job as `needs` shows it, with its rows. */
export interface JobOutcome {
  readonly result: Outcome;
  readonly outputs: Readonly<Record<string, string>>;
  readonly rows: readonly JobResult[];
}

/** Runs a job that calls another workflow; handed in, because called workflows have jobs too. */
export type CallWorkflow = (context: RunContext, row: JobRow, scope: ExpressionScope) => Promise<JobOutcome>;

/** Waits for all, also when one fails: no job may still work in a folder that is about to be removed. */
export async function allEnded(running: readonly Promise<unknown>[]): Promise<void> {
  await Promise.allSettled(running);
  await Promise.all(running);
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

export function single(row: JobResult): JobOutcome {
  return { result: row.result, outputs: row.outputs, rows: [row] };
}

export interface JobPlan {
  readonly id: string;
  readonly permissions: Permissions;
  readonly contexts: Readonly<Record<string, unknown>>;
}

export async function runRows(
  context: RunContext,
  definition: JobDefinition,
  strategy: Strategy,
  plan: JobPlan,
  callWorkflow: CallWorkflow,
): Promise<JobOutcome> {
  const { settings } = context;
  const failFast = new AbortController();
  const signals = [failFast.signal, ...(settings.signal === undefined ? [] : [settings.signal])];
  const slots = createSlots(strategy.maxParallel ?? Number.POSITIVE_INFINITY);
  const outcomes: JobOutcome[] = [];
  const outputs: Record<string, string> = {};
  const runRow = async (matrix: MatrixRow, index: number): Promise<void> => {
    const outcome = await runPlannedRow(
      context,
      definition,
      { matrix, index, strategy },
      { ...plan, signal: AbortSignal.any(signals) },
      callWorkflow,
    );
    const isForgiven = outcome.result === 'failure' && continuesOnError(definition, plan, matrix);
    if (outcome.result === 'failure' && !isForgiven && strategy.failFast) failFast.abort();
    outcomes[index] = isForgiven ? { ...outcome, result: 'success' } : outcome;
    // Rows that leave an output empty do not undo what another row set.
    for (const [name, value] of Object.entries(outcome.outputs))
      if (value !== '' || !Object.hasOwn(outputs, name)) outputs[name] = value;
  };
  await allEnded(strategy.rows.map((matrix, index) => slots.use(() => runRow(matrix, index))));
  return {
    result: combinedResult(outcomes.map((outcome) => outcome.result)),
    outputs,
    rows: outcomes.flatMap((outcome) => outcome.rows),
  };
}

export function combinedResult(results: readonly Outcome[]): Outcome {
  if (results.includes('failure')) return 'failure';
  if (results.includes('cancelled')) return 'cancelled';
  return results.length > 0 && results.every((result) => result === 'skipped') ? 'skipped' : 'success';
}

function continuesOnError(definition: JobDefinition, plan: JobPlan, matrix: MatrixRow): boolean {
  const value = resolveTemplate(definition.continueOnError, { contexts: { ...plan.contexts, matrix } });
  return String(value ?? false) === 'true';
}

async function runPlannedRow(
  context: RunContext,
  definition: JobDefinition,
  { matrix, index, strategy }: { readonly matrix: MatrixRow; readonly index: number; readonly strategy: Strategy },
  plan: JobPlan & { readonly signal: AbortSignal },
  callWorkflow: CallWorkflow,
): Promise<JobOutcome> {
  const contexts = {
    ...plan.contexts,
    matrix,
    strategy: {
      'fail-fast': strategy.failFast,
      'job-index': index,
      'job-total': strategy.rows.length,
      'max-parallel': strategy.maxParallel ?? strategy.rows.length,
    },
  };
  const scope: ExpressionScope = { contexts };
  const label = `${definition.id}${strategy.hasMatrix ? rowLabel(matrix) : ''}`;
  let row: JobRow;
  try {
    row = {
      definition,
      id: plan.id,
      name: [...context.callers, rowName(definition, label, matrix, scope)].join(' / '),
      matrix,
      permissions: plan.permissions,
      concurrency: readConcurrency(definition.concurrency, scope),
      runsOn: resolveTemplate(definition.runsOn, scope),
      timeoutMinutes: resolveTemplate(definition.timeoutMinutes, scope),
      contexts,
      signal: plan.signal,
      folder: [...context.callers, definition.id, String(index)].join('-').replace(/[^A-Za-z0-9-]/g, '_'),
    };
  } catch (error) {
    return single(
      emptyResult({ id: plan.id, name: label, matrix, permissions: plan.permissions }, 'failure', messageOf(error)),
    );
  }
  if (definition.uses !== undefined) return callWorkflow(context, row, scope);
  return context.settings.slots.use(async () => {
    if (plan.signal.aborted)
      return single(emptyResult(row, 'cancelled', 'the run or another row of the matrix ended first'));
    return single(await runJobRow(context, row));
  });
}

function rowName(definition: JobDefinition, label: string, matrix: MatrixRow, scope: ExpressionScope): string {
  if (definition.name === undefined) return label;
  const name = interpolate(definition.name, scope);
  return definition.name.includes('matrix.') ? name : `${name}${rowLabel(matrix)}`;
}

export function readConcurrency(value: unknown, scope: ExpressionScope): Concurrency | undefined {
  if (value === undefined || value === null) return undefined;
  const resolved = resolveTemplate(value, scope);
  if (typeof resolved === 'string') return { group: resolved, cancelInProgress: false };
  const fields = asMapping(resolved, 'concurrency');
  return {
    group: String(fields['group'] ?? ''),
    cancelInProgress: String(fields['cancel-in-progress'] ?? false) === 'true',
  };
}
