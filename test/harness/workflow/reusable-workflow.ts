/** Jobs that call a workflow: `uses: ./.github/workflows/x.yml` or `uses: OWNER/REPO/.github/workflows/x.yml@ref`. */
import { readFile } from 'node:fs/promises';
import { asMapping, asText } from '../runner/action-file.ts';
import { type ExpressionScope, interpolate, resolveTemplate } from '../runner/expressions.ts';
import { readAtCommit } from './git.ts';
import type { JobRow } from './run-job.ts';
import { emptyResult } from './run-job.ts';
import { permissionsOf, runJobs } from './run-jobs.ts';
import { combinedResult, type JobOutcome } from './run-rows.ts';
import type { RunContext } from './run-settings.ts';
import { resolveUse, within } from './uses.ts';
import { UnsupportedError, WorkflowError } from './workflow-error.ts';
import { parseWorkflow, type WorkflowDefinition } from './workflow-file.ts';
import { settleWorkflowInputs } from './workflow-inputs.ts';

/** GitHub's limit: a top-level workflow and nine levels below it. */
const maxDepth = 10;

export async function callWorkflow(context: RunContext, row: JobRow, scope: ExpressionScope): Promise<JobOutcome> {
  try {
    const called = await openCalledWorkflow(context, row, scope);
    const outcomes = await runJobs(called, callWorkflow);
    return {
      result: combinedResult([...outcomes.values()].map((outcome) => outcome.result)),
      outputs: calledOutputs(called, outcomes),
      rows: [...outcomes.values()].flatMap((outcome) => outcome.rows),
    };
  } catch (error) {
    if (error instanceof UnsupportedError || error instanceof WorkflowError) throw error;
    const failed = emptyResult(row, 'failure', error instanceof Error ? error.message : String(error));
    return { result: 'failure', outputs: {}, rows: [failed] };
  }
}

async function openCalledWorkflow(context: RunContext, row: JobRow, scope: ExpressionScope): Promise<RunContext> {
  const { definition } = row;
  const uses = definition.uses ?? '';
  const where = `${context.where}: job '${definition.id}'`;
  if (context.callers.length + 1 >= maxDepth)
    throw new WorkflowError(`${where}: workflows call each other deeper than ${maxDepth} levels`);
  const { workflow, origin } = await readCalledWorkflow(context, uses, where);
  if (!workflow.on.has('workflow_call')) throw new WorkflowError(`${where}: ${uses} has no 'workflow_call' trigger`);
  const call = asMapping(workflow.on.get('workflow_call'), `${uses}: on.workflow_call`);
  const given = asMapping(resolveTemplate(definition.with, scope), `${where}: with`);
  const withSecrets: ExpressionScope = { ...scope, contexts: { ...scope.contexts, secrets: context.secrets } };
  const called: RunContext = {
    settings: context.settings,
    workflow,
    where: uses,
    inputs: settleWorkflowInputs(call['inputs'], given, where),
    secrets: calledSecrets(definition.secrets, call['secrets'], withSecrets, where),
    callerPermissions: row.permissions,
    callers: [...context.callers, definition.id],
    origin,
  };
  for (const job of workflow.jobs.values()) permissionsOf(called, job);
  return called;
}

async function readCalledWorkflow(
  context: RunContext,
  uses: string,
  where: string,
): Promise<{ workflow: WorkflowDefinition; origin: RunContext['origin'] }> {
  const { settings, origin } = context;
  if (uses.startsWith('./')) {
    const text =
      origin === undefined
        ? readAtCommit(settings.repository, settings.event.sha, uses)
        : readFile(within(origin.folder, uses, uses), 'utf8');
    return { workflow: parseWorkflow(await text, uses), origin };
  }
  const repository = /^([^/]+\/[^/]+)\//.exec(uses)?.[1] ?? '';
  const use = resolveUse(uses, { builtins: new Map(), repositories: settings.repositories }, where);
  if (use.kind !== 'folder') throw new UnsupportedError(`${where}: 'uses: ${uses}' is not supported by this runner`);
  const folder = settings.repositories.get(repository.toLowerCase()) ?? '';
  return { workflow: parseWorkflow(await readFile(use.folder, 'utf8'), uses), origin: { repository, folder } };
}

function calledSecrets(
  passed: unknown,
  declared: unknown,
  scope: ExpressionScope,
  where: string,
): Readonly<Record<string, string>> {
  const own = asMapping(scope.contexts['secrets'], 'secrets');
  const texts = (mapping: Readonly<Record<string, unknown>>) =>
    Object.entries(mapping).map(([name, value]): [string, string] => [name, String(value ?? '')]);
  if (passed === 'inherit') return Object.fromEntries(texts(own));
  const values = asMapping(resolveTemplate(passed, scope), `${where}: secrets`);
  for (const [name, definition] of Object.entries(asMapping(declared, `${where}: secrets`))) {
    if (asMapping(definition, name)['required'] === true && values[name] === undefined) {
      throw new WorkflowError(`${where}: Secret ${name} is required, but not provided`);
    }
  }
  for (const name of Object.keys(values)) {
    if (!Object.hasOwn(asMapping(declared, 'secrets'), name))
      throw new WorkflowError(`${where}: Invalid secret, ${name} is not defined in the referenced workflow`);
  }
  const token = own['GITHUB_TOKEN'];
  return Object.fromEntries([...texts(values), ...(token === undefined ? [] : texts({ GITHUB_TOKEN: token }))]);
}

function calledOutputs(
  called: RunContext,
  outcomes: ReadonlyMap<string, JobOutcome>,
): Readonly<Record<string, string>> {
  const jobs = Object.fromEntries([...outcomes].map(([id, { result, outputs }]) => [id, { result, outputs }]));
  const contexts = { jobs, inputs: called.inputs, vars: called.settings.vars, github: {} };
  const definitions = asMapping(
    asMapping(called.workflow.on.get('workflow_call'), 'on.workflow_call')['outputs'],
    'outputs',
  );
  const outputs = Object.entries(definitions).map(([name, definition]): [string, string] => {
    const value = asText(asMapping(definition, name)['value']) ?? '';
    return [name, interpolate(value, { contexts })];
  });
  return Object.fromEntries(outputs);
}
