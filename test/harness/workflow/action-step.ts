/** A `uses:` step: a JavaScript action, a composite one, or one built into this runner. */
import { relative } from 'node:path';
import { type ActionFile, type CompositeRuns, readActionFile } from '../runner/action-file.ts';
import { interpolate } from '../runner/expressions.ts';
import {
  type ActionUse,
  type PreparedAction,
  prepareAction,
  runMain,
  runPost,
  runPre,
  type StageOptions,
  settleInputs,
} from '../runner/run-action.ts';
import { createStepLog } from '../runner/step-log.ts';
import { type JobSession, resolveWith, type StepSequence, stepScope } from './step-sequence.ts';
import { type ResolvedUse, resolveUse, within } from './uses.ts';
import { WorkflowError } from './workflow-error.ts';
import { parseSteps, type StepDefinition } from './workflow-file.ts';
import { executionOf, type StepExecution } from './workflow-result.ts';

export interface ActionStepOptions {
  readonly name: string;
  readonly env: Readonly<Record<string, string>>;
  readonly timeoutMs: number | undefined;
  readonly onLine: (line: string) => void;
}

/** Runs a list of steps; handed in, because composite actions hold steps that hold actions. */
export type RunSteps = (steps: readonly StepDefinition[], sequence: StepSequence) => Promise<readonly StepExecution[]>;

/** GitHub's limit for composite actions within composite actions. */
const maxDepth = 10;

export async function runActionStep(
  step: StepDefinition,
  sequence: StepSequence,
  options: ActionStepOptions,
  runSteps: RunSteps,
): Promise<StepExecution> {
  const { session } = sequence;
  const inputs = resolveWith(step.with, stepScope(sequence, { env: options.env }), sequence.where);
  const use = resolveUse(step.uses ?? '', session.settings, sequence.where);
  if (use.kind === 'builtin') return runBuiltin(use, inputs, sequence, options);
  const folder = actionFolder(use, session);
  const file = await readActionFile(folder);
  const origin = use.kind === 'folder' ? { repository: use.repository, ref: use.ref } : { repository: '', ref: '' };
  if (file.runs.using === 'composite') return runComposite(file, file.runs, inputs, sequence, options, runSteps);
  const prepared = await prepareStep(
    sequence,
    { folder, inputs, env: { ...sequence.env, ...options.env }, origin },
    session.prepared.get(step),
  );
  if (use.kind === 'local' && file.runs.pre !== undefined) {
    options.onLine(`##[warning]\`pre\` execution is not supported for local action from '${use.path}'`);
  }
  // Registered before main runs: the post step comes also after a failure.
  session.posts.push({
    name: `Post ${options.name}`,
    id: step.id,
    run: (status) => runPost(session.job, prepared, status),
  });
  return runMain(session.job, prepared, stageOptions(session, options));
}

function actionFolder(use: Exclude<ResolvedUse, { kind: 'builtin' }>, session: JobSession): string {
  return use.kind === 'folder' ? use.folder : within(session.job.workspace, use.path, use.path);
}

async function prepareStep(
  sequence: StepSequence,
  use: ActionUse,
  earlier: PreparedAction | undefined,
): Promise<PreparedAction> {
  const prepared = await prepareAction(sequence.session.job, { ...use, contexts: stepScope(sequence).contexts });
  return earlier === undefined ? prepared : { ...prepared, state: earlier.state };
}

function stageOptions(session: JobSession, options: ActionStepOptions): StageOptions {
  return {
    onLine: options.onLine,
    ...(options.timeoutMs === undefined ? {} : { timeoutMs: options.timeoutMs }),
    ...(session.signal.aborted ? {} : { signal: session.signal }),
  };
}

/** Runs the pre step of an action from another repository; local actions have none on GitHub. */
export async function runPreStep(
  step: StepDefinition,
  sequence: StepSequence,
  options: ActionStepOptions,
): Promise<StepExecution | undefined> {
  const { session } = sequence;
  if (step.uses === undefined) return undefined;
  const use = resolveUse(step.uses, session.settings, sequence.where);
  if (use.kind !== 'folder') return undefined;
  const file = await readActionFile(use.folder);
  if (file.runs.using !== 'javascript' || file.runs.pre === undefined) return undefined;
  const inputs = resolveWith(step.with, stepScope(sequence, { env: options.env }), sequence.where);
  const prepared = await prepareStep(
    sequence,
    { folder: use.folder, inputs, env: options.env, origin: use },
    undefined,
  );
  session.prepared.set(step, prepared);
  return runPre(session.job, prepared, sequence.status, stageOptions(session, options));
}

async function runComposite(
  file: ActionFile,
  runs: CompositeRuns,
  given: Readonly<Record<string, string>>,
  outer: StepSequence,
  options: ActionStepOptions,
  runSteps: RunSteps,
): Promise<StepExecution> {
  if (outer.depth >= maxDepth)
    throw new WorkflowError(`${outer.where}: composite actions are nested deeper than ${maxDepth}`);
  const { values, warnings } = settleInputs(file, given, stepScope(outer));
  for (const warning of warnings) options.onLine(`##[warning]${warning}`);
  const inner: StepSequence = {
    session: { ...outer.session, signal: limitedSignal(outer.session, options) },
    where: `${relative(outer.session.job.workspace, file.folder)}/action.yml`,
    defaults: { shell: undefined, workingDirectory: undefined },
    inputs: Object.fromEntries(values),
    env: { ...outer.env, ...options.env },
    steps: {},
    status: 'success',
    actionFolder: file.folder,
    depth: outer.depth + 1,
  };
  const executions = await runSteps(parseSteps(runs.steps, inner.where), inner);
  const outputs = [...file.outputs].map(([name, value]): [string, string] => [
    name,
    interpolate(value ?? '', stepScope(inner)),
  ]);
  const join = (field: 'log' | 'rawLog' | 'summary'): string =>
    executions
      .map((run) => run[field])
      .filter((text) => text !== '')
      .join('\n');
  const sum = (field: 'durationMs' | 'cpuMs'): number => executions.reduce((total, run) => total + run[field], 0);
  return {
    // Its own time limit fails the step; only the job's end cancels it.
    outcome: inner.status === 'cancelled' && !outer.session.signal.aborted ? 'failure' : inner.status,
    outputs: Object.fromEntries(outputs),
    log: join('log'),
    rawLog: join('rawLog'),
    summary: executions.map((run) => run.summary).join(''),
    annotations: executions.flatMap((run) => run.annotations),
    durationMs: sum('durationMs'),
    cpuMs: sum('cpuMs'),
  };
}

async function runBuiltin(
  use: Extract<ResolvedUse, { kind: 'builtin' }>,
  inputs: Readonly<Record<string, string>>,
  { session, env }: StepSequence,
  options: ActionStepOptions,
): Promise<StepExecution> {
  const { job } = session;
  const log = createStepLog({ masks: job.masks, debug: job.debug, onLine: options.onLine });
  const started = performance.now();
  let outputs: Readonly<Record<string, string>> = {};
  try {
    const signal = limitedSignal(session, options);
    const step = {
      uses: use.name,
      ref: use.ref,
      inputs,
      env: { ...env, ...options.env },
      job,
      signal,
      print: log.write,
    };
    const result = await Promise.race([use.action(step), abortOf(signal)]);
    outputs = result.outputs ?? {};
    for (const [name, value] of Object.entries(result.env ?? {})) job.env.set(name, value);
    job.path.push(...(result.path ?? []));
    const { post } = result;
    if (post !== undefined)
      session.posts.push({ name: `Post ${options.name}`, id: undefined, run: () => runBuiltinPost(post) });
  } catch (error) {
    log.fail(error instanceof Error ? error.message : String(error));
  }
  return {
    ...executionOf(log.failed ? 'failure' : 'success'),
    outputs,
    log: log.log(),
    rawLog: log.rawLog(),
    annotations: log.annotations,
    durationMs: performance.now() - started,
  };
}

/** Ends with the job, or with the step's own time limit. */
function limitedSignal(session: JobSession, options: ActionStepOptions): AbortSignal {
  const limit = options.timeoutMs === undefined ? [] : [AbortSignal.timeout(options.timeoutMs)];
  // A job that is cancelled already still runs its always() steps: they are not ended again.
  return AbortSignal.any([...(session.signal.aborted ? [] : [session.signal]), ...limit]);
}

function abortOf(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(new Error('The step was ended: cancelled, or over its time limit.')));
  });
}

async function runBuiltinPost(post: () => Promise<void>): Promise<StepExecution> {
  try {
    await post();
    return executionOf('success');
  } catch (error) {
    return executionOf('failure', error instanceof Error ? error.message : String(error));
  }
}
