/**
 * Runs a JavaScript action exactly as GitHub's runner does: `runAction` for a single action from pre to post, or
 * `prepareAction`, `runPre`, `runMain` and `runPost` where a workflow postpones the post step to the end of its job.
 */
import { join } from 'node:path';
import { type ActionFile, type JavaScriptRuns, readActionFile } from './action-file.ts';
import type { CancellationGrace } from './child-process.ts';
import {
  type ExpressionScope,
  evaluateCondition,
  interpolate,
  type Status,
  statusFunctionsFor,
} from './expressions.ts';
import { node24 } from './node24.ts';
import { runStep, type StepRun } from './run-step.ts';
import { openRunnerJob, type RunnerJob } from './runner-job.ts';
import type { TriggerEvent } from './trigger-event.ts';

export interface ActionRequest {
  /** Folder that holds action.yml. */
  readonly action: string;
  readonly inputs?: Readonly<Record<string, string>>;
  readonly event: TriggerEvent;
  readonly workspace: string;
  /** Added to the environment the runner sets; may override it (GITHUB_API_URL, HOME, PATH, …). */
  readonly env?: Readonly<Record<string, string>>;
  readonly debug?: boolean;
  /** Values hidden from the start, as `secrets.*` are. */
  readonly secrets?: readonly string[];
  /** Folder for RUNNER_TEMP, HOME and RUNNER_TOOL_CACHE; kept when given, otherwise made and removed. */
  readonly root?: string;
  /** Ends each stage like a cancelled job does. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
  readonly graceMs?: CancellationGrace;
  readonly onLine?: (line: string) => void;
  /** False leaves the post step out. */
  readonly runPost?: boolean;
}

/** The main step's result, with the other stages beside it. */
export interface ActionResult extends StepRun {
  readonly pre?: StepRun;
  readonly post?: StepRun;
}

export type StageOptions = Pick<ActionRequest, 'timeoutMs' | 'signal' | 'graceMs' | 'onLine'>;

export interface PreparedAction {
  readonly file: ActionFile;
  readonly runs: JavaScriptRuns;
  /** The step's `env`. */
  readonly env: Readonly<Record<string, string>>;
  readonly inputVariables: Readonly<Record<string, string>>;
  readonly warnings: readonly string[];
  /** Grows from stage to stage. */
  readonly state: Map<string, string>;
  /** `github.action_repository` and `github.action_ref`, empty for a local action. */
  readonly origin: { readonly repository: string; readonly ref: string };
}

export async function runAction(request: ActionRequest): Promise<ActionResult> {
  await using job = await openRunnerJob({
    event: request.event,
    workspace: request.workspace,
    ...(request.env === undefined ? {} : { environment: request.env }),
    ...(request.secrets === undefined ? {} : { secrets: request.secrets }),
    ...(request.debug === undefined ? {} : { debug: request.debug }),
    ...(request.root === undefined ? {} : { root: request.root }),
  });
  const prepared = await prepareAction(job, { folder: request.action, inputs: request.inputs ?? {} });
  const pre = await runPre(job, prepared, 'success', request);
  const main = pre === undefined || pre.outcome === 'success' ? await runMain(job, prepared, request) : skipped(pre);
  const status: Status = main.outcome === 'skipped' ? 'failure' : main.outcome;
  const { signal: _cancelled, ...postOptions } = request;
  const post = request.runPost === false ? undefined : await runPost(job, prepared, status, postOptions);
  return { ...main, masks: [...job.masks.secrets], ...(pre ? { pre } : {}), ...(post ? { post } : {}) };
}

function skipped(pre: StepRun): StepRun {
  return {
    ...pre,
    outcome: 'skipped',
    outputs: {},
    env: {},
    path: [],
    summary: '',
    annotations: [],
    log: '',
    rawLog: '',
  };
}

export interface ActionUse {
  readonly folder: string;
  readonly inputs: Readonly<Record<string, string>>;
  readonly env?: Readonly<Record<string, string>>;
  readonly origin?: { readonly repository: string; readonly ref: string };
  /** Contexts for the defaults of inputs, beside `github` and `runner`. */
  readonly contexts?: Readonly<Record<string, unknown>>;
}

/** Reads action.yml and settles its inputs. @throws Error for an action that is not JavaScript. */
export async function prepareAction(job: RunnerJob, use: ActionUse): Promise<PreparedAction> {
  const file = await readActionFile(use.folder);
  if (file.runs.using !== 'javascript')
    throw new Error(`${use.folder} is a composite action; it needs the workflow runner`);
  const { values, warnings } = settleInputs(file, use.inputs, jobScope(job, 'success', use.contexts));
  const inputVariables = Object.fromEntries([...values].map(([name, value]) => [inputVariable(name), value]));
  const origin = use.origin ?? { repository: '', ref: '' };
  return { file, runs: file.runs, env: use.env ?? {}, inputVariables, warnings, state: new Map(), origin };
}

/** `INPUT_` and the name in upper case with spaces as underscores; dashes stay. */
export function inputVariable(name: string): string {
  return `INPUT_${name.replaceAll(' ', '_').toUpperCase()}`;
}

/** Given inputs, then defaults. `required` is not enforced and unknown inputs pass with a warning, as on GitHub. */
export function settleInputs(
  file: ActionFile,
  given: Readonly<Record<string, string>>,
  scope: ExpressionScope,
): { readonly values: ReadonlyMap<string, string>; readonly warnings: readonly string[] } {
  const values = new Map(Object.entries(given));
  const names = new Set([...values.keys()].map((name) => name.toLowerCase()));
  const valid = new Set(file.inputs.map((input) => input.name.toLowerCase()));
  const warnings: string[] = [];
  for (const input of file.inputs) {
    const isGiven = names.has(input.name.toLowerCase());
    if (!isGiven) values.set(input.name, input.default === undefined ? '' : interpolate(input.default, scope));
    else if (input.deprecation !== undefined) {
      warnings.push(`Input '${input.name}' has been deprecated with message: ${input.deprecation}`);
    }
  }
  const unexpected = Object.keys(given).filter((name) => !valid.has(name.toLowerCase()));
  if (unexpected.length > 0) {
    const known = file.inputs.map((input) => input.name).join("', '");
    warnings.push(`Unexpected input(s) '${unexpected.join("', '")}', valid inputs are ['${known}']`);
  }
  return { values, warnings };
}

function jobScope(job: RunnerJob, status: Status, contexts: Readonly<Record<string, unknown>> = {}): ExpressionScope {
  return {
    contexts: {
      github: job.github,
      runner: job.runner,
      env: Object.fromEntries(job.env),
      job: { status },
      // As in a job without a matrix.
      strategy: { 'job-total': 1, 'job-index': 0, 'fail-fast': true, 'max-parallel': 1 },
      ...contexts,
    },
    functions: statusFunctionsFor(status),
  };
}

export async function runPre(
  job: RunnerJob,
  action: PreparedAction,
  status: Status = 'success',
  options: StageOptions = {},
): Promise<StepRun | undefined> {
  if (action.runs.pre === undefined || !evaluateCondition(action.runs.preIf, jobScope(job, status))) return undefined;
  return runStage(job, action, action.runs.pre, [], options);
}

export function runMain(job: RunnerJob, action: PreparedAction, options: StageOptions = {}): Promise<StepRun> {
  return runStage(job, action, action.runs.main, action.warnings, options);
}

/** `undefined` when the action has no post step or its `post-if` says no for this state of the job. */
export async function runPost(
  job: RunnerJob,
  action: PreparedAction,
  status: Status,
  options: StageOptions = {},
): Promise<StepRun | undefined> {
  if (action.runs.post === undefined || !evaluateCondition(action.runs.postIf, jobScope(job, status))) return undefined;
  return runStage(job, action, action.runs.post, [], options);
}

async function runStage(
  job: RunnerJob,
  action: PreparedAction,
  script: string,
  warnings: readonly string[],
  options: StageOptions,
): Promise<StepRun> {
  const state = [...action.state].map(([name, value]) => [`STATE_${name}`, value] as const);
  const run = await runStep(job, {
    kind: 'action',
    file: node24(),
    args: [join(action.file.folder, script)],
    cwd: job.workspace,
    env: action.env,
    runnerSet: {
      ...action.inputVariables,
      ...Object.fromEntries(state),
      GITHUB_ACTION_PATH: action.file.folder,
      GITHUB_ACTION_REPOSITORY: action.origin.repository,
      GITHUB_ACTION_REF: action.origin.ref,
    },
    warnings,
    ...(options.timeoutMs === undefined ? {} : { timeoutMs: options.timeoutMs }),
    ...(options.signal === undefined ? {} : { signal: options.signal }),
    ...(options.graceMs === undefined ? {} : { graceMs: options.graceMs }),
    ...(options.onLine === undefined ? {} : { onLine: options.onLine }),
  });
  for (const [name, value] of Object.entries(run.state)) action.state.set(name, value);
  return run;
}
