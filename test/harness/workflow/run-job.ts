/** Runs one row of a job on a machine of its own: fresh workspace, environment, steps, posts, outputs. */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { outputBytes, outputsLimitBytes } from '../runner/command-files.ts';
import { interpolate } from '../runner/expressions.ts';
import type { Outcome } from '../runner/run-step.ts';
import { openRunnerJob } from '../runner/runner-job.ts';
import type { Annotation } from '../runner/step-log.ts';
import { workspaceFolder } from './checkout.ts';
import type { MatrixRow } from './matrix.ts';
import type { Permissions } from './permissions.ts';
import type { RunContext } from './run-settings.ts';
import { minutesToMs, runPostSteps, runPreSteps, runSteps } from './run-steps.ts';
import { type JobSession, resolveEnv, type StepSequence, stepScope } from './step-sequence.ts';
import { UnsupportedError } from './workflow-error.ts';
import type { JobDefinition } from './workflow-file.ts';
import type { Concurrency, JobResult } from './workflow-result.ts';

export interface JobRow {
  readonly definition: JobDefinition;
  readonly id: string;
  readonly name: string;
  readonly matrix: MatrixRow;
  readonly permissions: Permissions;
  readonly concurrency: Concurrency | undefined;
  readonly runsOn: unknown;
  readonly timeoutMinutes: unknown;
  /** needs, matrix, strategy, vars. */
  readonly contexts: Readonly<Record<string, unknown>>;
  readonly signal: AbortSignal;
  /** A folder name no other row has. */
  readonly folder: string;
}

export function emptyResult(
  row: Pick<JobRow, 'id' | 'name' | 'matrix' | 'permissions'>,
  result: Outcome,
  reason: string,
): JobResult {
  return {
    id: row.id,
    name: row.name,
    matrix: row.matrix,
    permissions: row.permissions,
    result,
    reason,
    outputs: {},
    steps: [],
    concurrency: undefined,
    runsOn: undefined,
    annotations: result === 'failure' ? [{ level: 'error', message: reason }] : [],
    summary: '',
    log: '',
    durationMs: 0,
  };
}

export async function runJobRow(context: RunContext, row: JobRow): Promise<JobResult> {
  const { settings } = context;
  const started = performance.now();
  settings.report({ kind: 'job-start', job: row.name });
  const { environment, token } = machineEnvironment(context, row);
  const root = join(settings.root, row.folder);
  await using job = await openRunnerJob({
    event: {
      ...settings.event,
      job: row.definition.id,
      workflow: settings.event.workflow ?? context.workflow.name,
      token,
    },
    workspace: workspaceFolder(root, settings.repositoryName),
    root,
    environment,
    secrets: Object.values(context.secrets),
    debug: settings.debug,
  });
  const timeout = new AbortController();
  const timer = setTimeout(() => timeout.abort(), minutesToMs(row.timeoutMinutes) ?? 360 * 60_000);
  const session: JobSession = {
    name: row.name,
    job,
    settings,
    signal: AbortSignal.any([row.signal, timeout.signal]),
    contexts: row.contexts,
    secrets: { ...context.secrets, GITHUB_TOKEN: token },
    posts: [],
    results: [],
    prepared: new Map(),
  };
  try {
    const { result, outputs, annotations } = await runSession(context, row, session);
    const durationMs = performance.now() - started;
    settings.report({ kind: 'job-end', job: row.name, result, durationMs });
    return {
      ...emptyResult(row, result, ''),
      reason: timeout.signal.aborted
        ? `The job has exceeded its maximum time of ${String(row.timeoutMinutes)} minutes`
        : undefined,
      outputs,
      steps: session.results,
      concurrency: row.concurrency,
      runsOn: row.runsOn,
      annotations: [...session.results.flatMap((step) => step.annotations), ...annotations],
      summary: session.results
        .map((step) => step.summary)
        .filter((text) => text !== '')
        .join('\n'),
      log: session.results.map((step) => `== ${step.name} (${step.outcome})\n${step.log}`).join('\n'),
      durationMs,
    };
  } finally {
    clearTimeout(timer);
  }
}

async function runSession(
  context: RunContext,
  row: JobRow,
  session: JobSession,
): Promise<{ result: Outcome; outputs: Readonly<Record<string, string>>; annotations: readonly Annotation[] }> {
  const { definition } = row;
  const defaults = {
    shell: definition.defaults.shell ?? context.workflow.defaults.shell,
    workingDirectory: definition.defaults.workingDirectory ?? context.workflow.defaults.workingDirectory,
  };
  const where = `${context.where}: job '${definition.id}'`;
  const sequence: StepSequence = {
    session,
    where,
    defaults,
    inputs: context.inputs,
    env: {},
    steps: {},
    status: 'success',
    actionFolder: undefined,
    depth: 0,
  };
  try {
    for (const env of [context.workflow.env, definition.env]) {
      for (const [name, value] of Object.entries(resolveEnv(env, stepScope(sequence), where)))
        session.job.env.set(name, value);
    }
    await runPreSteps(definition.steps, sequence);
    await runSteps(definition.steps, sequence);
    const result = await runPostSteps(sequence);
    return { result, ...jobOutputs(definition, sequence) };
  } catch (error) {
    if (error instanceof UnsupportedError) throw error;
    const message = session.job.masks.mask(error instanceof Error ? error.message : String(error));
    return { result: 'failure', outputs: {}, annotations: [{ level: 'error', message }] };
  }
}

/** @throws Error when the outputs exceed GitHub's limit for a job. */
function jobOutputs(
  definition: JobDefinition,
  sequence: StepSequence,
): { outputs: Readonly<Record<string, string>>; annotations: readonly Annotation[] } {
  const { masks } = sequence.session.job;
  const outputs = new Map<string, string>();
  const annotations: Annotation[] = [];
  for (const [name, value] of Object.entries(definition.outputs)) {
    const text = interpolate(String(value ?? ''), stepScope(sequence));
    // GitHub hands no output on that holds a secret.
    if (masks.contains(text))
      annotations.push({ level: 'warning', message: `Skip output '${name}' since it may contain secret.` });
    else outputs.set(name, text);
  }
  if (outputBytes(outputs) > outputsLimitBytes)
    throw new Error(`The outputs of job '${definition.id}' exceed the maximum of ${outputsLimitBytes} bytes.`);
  return { outputs: Object.fromEntries(outputs), annotations };
}

/**
 * The environment of the machine and the job's token. GITHUB_TOKEN from the hook is the token and no variable;
 * identity token variables exist only with `id-token: write`.
 */
function machineEnvironment(context: RunContext, row: JobRow): { environment: Record<string, string>; token: string } {
  const { settings } = context;
  const facts = { id: row.id, name: row.name, matrix: row.matrix, permissions: row.permissions };
  const { GITHUB_TOKEN: hookToken, ...given } = { ...settings.environment, ...settings.runnerEnvironment(facts) };
  const hasIdentity = row.permissions['id-token'] === 'write';
  const allowed = Object.entries(given).filter(([name]) => hasIdentity || !name.startsWith('ACTIONS_ID_TOKEN_'));
  const token =
    hookToken ?? context.secrets['GITHUB_TOKEN'] ?? settings.event.token ?? `ghs_${randomBytes(18).toString('hex')}`;
  return { environment: Object.fromEntries(allowed), token };
}
