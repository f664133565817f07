/** Runs the jobs of a workflow in the order of their `needs`: conditions, matrices, called workflows. */

import { evaluateCondition, resolveTemplate, type Status, statusFunctionsFor } from '../runner/expressions.ts';
import { githubContext } from '../runner/trigger-event.ts';
import { readStrategy, type Strategy } from './matrix.ts';
import { jobPermissions, type Permissions } from './permissions.ts';
import { emptyResult } from './run-job.ts';
import { allEnded, type CallWorkflow, type JobOutcome, messageOf, runRows, single } from './run-rows.ts';
import type { RunContext } from './run-settings.ts';
import { UnsupportedError } from './workflow-error.ts';
import { ancestorsOf, type JobDefinition } from './workflow-file.ts';

export async function runJobs(
  context: RunContext,
  callWorkflow: CallWorkflow,
): Promise<ReadonlyMap<string, JobOutcome>> {
  const running = new Map<string, Promise<JobOutcome>>();
  const finished = new Map<string, JobOutcome>();
  const start = (definition: JobDefinition): Promise<JobOutcome> => {
    const known = running.get(definition.id);
    if (known !== undefined) return known;
    const needed = definition.needs.flatMap((id) => context.workflow.jobs.get(id) ?? []);
    const run = Promise.all(needed.map(start)).then(async () => {
      const outcome = await runJob(context, definition, finished, callWorkflow);
      finished.set(definition.id, outcome);
      return outcome;
    });
    running.set(definition.id, run);
    return run;
  };
  await allEnded([...context.workflow.jobs.values()].map(start));
  return new Map([...context.workflow.jobs.keys()].flatMap((id) => entryOf(finished, id)));
}

function entryOf<K, V>(map: ReadonlyMap<K, V>, key: K): [K, V][] {
  const value = map.get(key);
  return value === undefined ? [] : [[key, value]];
}

/** Permissions of all jobs, before anything runs: a workflow that asks for too much does not start. */
export function permissionsOf(context: RunContext, definition: JobDefinition): Permissions {
  const limits = { isFork: context.settings.isFork, caller: context.callerPermissions };
  return jobPermissions(
    definition.permissions,
    context.workflow.permissions,
    limits,
    `${context.where}: job '${definition.id}'`,
  );
}

/** success() asks all ancestors, not only those in `needs`: a job skipped far above skips this one. */
function statusOf(
  definition: JobDefinition,
  context: RunContext,
  finished: ReadonlyMap<string, JobOutcome>,
): Status | 'skipped' {
  const results = [...ancestorsOf(definition.id, context.workflow.jobs)].map((id) => finished.get(id)?.result);
  if (context.settings.signal?.aborted === true) return 'cancelled';
  if (results.includes('failure')) return 'failure';
  if (results.includes('cancelled')) return 'cancelled';
  return results.includes('skipped') ? 'skipped' : 'success';
}

async function runJob(
  context: RunContext,
  definition: JobDefinition,
  finished: ReadonlyMap<string, JobOutcome>,
  callWorkflow: CallWorkflow,
): Promise<JobOutcome> {
  const { settings } = context;
  const id = [...context.callers, definition.id].join('/');
  const permissions = permissionsOf(context, definition);
  const status = statusOf(definition, context, finished);
  const needs = Object.fromEntries(
    definition.needs
      .flatMap((need) => entryOf(finished, need))
      .map(([need, { result, outputs }]) => [need, { result, outputs }]),
  );
  const contexts = {
    github: githubContext({ ...settings.event, job: definition.id }),
    needs,
    vars: settings.vars,
    inputs: context.inputs,
  };
  const functions = statusFunctionsFor(status === 'skipped' ? 'success' : status).map((definition) =>
    definition.name === 'success' ? { ...definition, call: () => status === 'success' } : definition,
  );
  const unexpanded = { id, name: definition.name ?? id, matrix: {}, permissions };
  let strategy: Strategy;
  try {
    if (!evaluateCondition(definition.if, { contexts, functions })) {
      const why =
        definition.if === undefined
          ? 'a job it needs did not succeed'
          : `its condition is false: ${String(definition.if)}`;
      return single(emptyResult(unexpanded, 'skipped', why));
    }
    strategy = readStrategy(resolveTemplate(definition.strategy, { contexts, functions }));
  } catch (error) {
    if (error instanceof UnsupportedError) throw error;
    return single(emptyResult(unexpanded, 'failure', `Error when evaluating job '${id}': ${messageOf(error)}`));
  }
  return runRows(context, definition, strategy, { id, permissions, contexts }, callWorkflow);
}
