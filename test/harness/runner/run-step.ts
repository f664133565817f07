/** Runs one process as a step: fresh command files, its log read for commands, its files read at the end. */
import { join } from 'node:path';
import { type CancellationGrace, type ProcessOutcome, runProcess } from './child-process.ts';
import { createCommandFiles, readCommandFiles } from './command-files.ts';
import { processEnvironment, type RunnerJob } from './runner-job.ts';
import { type Annotation, createStepLog, type StepLog } from './step-log.ts';

export type Outcome = 'success' | 'failure' | 'cancelled' | 'skipped';

export interface StepRun {
  /** Of the process; a step may fail with 0 (a refused command, a malformed command file). */
  readonly exitCode: number;
  readonly outcome: Outcome;
  readonly outputs: Readonly<Record<string, string>>;
  readonly env: Readonly<Record<string, string>>;
  readonly path: readonly string[];
  readonly state: Readonly<Record<string, string>>;
  /** Markdown as GitHub would store it: masked, empty when over the limit. */
  readonly summary: string;
  readonly annotations: readonly Annotation[];
  readonly groups: readonly string[];
  readonly debugMessages: readonly string[];
  /** Everything the job masks so far. */
  readonly masks: readonly string[];
  /** As shown to a reader: commands carried out, secrets hidden. */
  readonly log: string;
  /** As printed by the process. */
  readonly rawLog: string;
  readonly durationMs: number;
  readonly cpuMs: number;
  readonly signalsSent: readonly NodeJS.Signals[];
}

export interface StepRequest {
  readonly kind: 'action' | 'script';
  readonly file: string;
  readonly args: readonly string[];
  readonly cwd: string;
  /** From `env:` of workflow, job and step. */
  readonly env: Readonly<Record<string, string>>;
  /** INPUT_*, STATE_* and other variables that a user's `env` cannot override. */
  readonly runnerSet?: Readonly<Record<string, string>>;
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
  readonly graceMs?: CancellationGrace;
  /** Printed before the process starts. */
  readonly warnings?: readonly string[];
  readonly onLine?: (line: string) => void;
}

export async function runStep(job: RunnerJob, request: StepRequest): Promise<StepRun> {
  const files = await createCommandFiles(join(job.temp, '_runner_file_commands'));
  const log = createStepLog({
    masks: job.masks,
    debug: job.debug,
    ...(request.onLine ? { onLine: request.onLine } : {}),
  });
  for (const warning of request.warnings ?? []) log.annotate('warning', warning);
  const variables = processEnvironment(
    job,
    request.env,
    {
      ...request.runnerSet,
      GITHUB_OUTPUT: files.output,
      GITHUB_ENV: files.env,
      GITHUB_PATH: files.path,
      GITHUB_STATE: files.state,
      GITHUB_STEP_SUMMARY: files.step_summary,
    },
    request.kind,
  );
  const process = await runProcess({
    file: request.file,
    args: request.args,
    cwd: request.cwd,
    env: variables,
    onLine: log.write,
    ...(request.timeoutMs === undefined ? {} : { timeoutMs: request.timeoutMs }),
    ...(request.signal === undefined ? {} : { signal: request.signal }),
    ...(request.graceMs === undefined ? {} : { graceMs: request.graceMs }),
  });
  if (process.processGroup !== undefined) job.processGroups.add(process.processGroup);
  const contents = await readCommandFiles(files);
  for (const { message, fails } of contents.errors) fails ? log.fail(message) : log.annotate('error', message);
  reportEnd(process, request, log);
  for (const [name, value] of Object.entries(contents.env)) job.env.set(name, value);
  for (const entry of contents.path) addPath(job.path, entry);
  return {
    exitCode: process.exitCode,
    outcome: stepOutcome(process, log),
    outputs: contents.outputs,
    env: contents.env,
    path: contents.path,
    state: { ...Object.fromEntries(log.state), ...contents.state },
    summary: job.masks.mask(contents.summary),
    annotations: log.annotations,
    groups: log.groups,
    debugMessages: log.debugMessages,
    masks: [...job.masks.secrets],
    log: log.log(),
    rawLog: log.rawLog(),
    durationMs: process.durationMs,
    cpuMs: process.cpuMs,
    signalsSent: process.signalsSent,
  };
}

function stepOutcome(process: ProcessOutcome, log: StepLog): Outcome {
  if (process.ended === 'cancelled') return 'cancelled';
  return process.exitCode === 0 && process.ended === 'exited' && !log.failed ? 'success' : 'failure';
}

function reportEnd(process: ProcessOutcome, request: StepRequest, log: StepLog): void {
  if (process.ended === 'cancelled') log.annotate('error', 'The operation was canceled.');
  else if (process.ended === 'timed-out')
    log.annotate('error', `The step has timed out after ${request.timeoutMs} ms.`);
  // A JavaScript action reports its own failure; for a script the runner does.
  else if (process.exitCode !== 0 && request.kind === 'script') {
    log.annotate('error', `Process completed with exit code ${process.exitCode}.`);
  }
}

function addPath(path: string[], entry: string): void {
  const known = path.indexOf(entry);
  if (known >= 0) path.splice(known, 1);
  path.push(entry);
}
