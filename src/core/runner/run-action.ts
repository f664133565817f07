import { mkdirSync } from 'node:fs';
import { type RunCommand, runCommand } from './command.ts';
import { appendEntry, appendToCommandFile, type Environment } from './commands.ts';
import type { Contract, InputsOf, OutputsOf, OutputValue } from './contract.ts';
import { ConfigurationError, messagesOf } from './errors.ts';
import { type RunnerEvent, readEvent } from './event.ts';
import { camelCase, readInputs } from './inputs.ts';
import { createLog, type Log } from './log.ts';

/** What an action may see of the runner. */
export interface ActionContext {
  readonly event: RunnerEvent;
  readonly environment: Environment;
  /** The checked-out repository (`GITHUB_WORKSPACE`). */
  readonly workspace: string;
  /** A folder that the runner empties after the job (`RUNNER_TEMP`). */
  readonly temp: string;
  readonly log: Log;
  readonly runCommand: RunCommand;
  readonly state: State;
}

/** Texts handed from the main step to the post step. They stand in a file of the runner's: never a secret. */
export interface State {
  save(name: string, value: string): void;
  /** In the post step, what the main step saved; undefined where it was ended before. */
  get(name: string): string | undefined;
}

export interface ActionResult<C extends Contract> {
  readonly outputs?: OutputsOf<C>;
  /** Markdown for the job summary. */
  readonly summary?: string;
}

/** An action's main step. */
export type Run<C extends Contract> = (inputs: InputsOf<C>, context: ActionContext) => Promise<ActionResult<C>>;
/** An action's clean-up. It runs also after a failure or a cancellation, and must bear a main step that was cut off. */
export type Post<C extends Contract> = (inputs: InputsOf<C>, context: ActionContext) => Promise<void>;

/** Thrown by `run` to fail the step and still write outputs and summary: a check that found something. */
export class ActionFailure<C extends Contract = Contract> extends Error {
  override readonly name = 'ActionFailure';
  readonly result: ActionResult<C>;

  constructor(message: string, result: ActionResult<C>) {
    super(message);
    this.result = result;
  }
}

/** GitHub drops a step's summary that is larger. */
const MAX_SUMMARY = 1024 * 1024;
const POST_MARKER = 'slipway-main-started';

/**
 * Runs an action inside GitHub's runner: reads inputs, calls `run` (or, in the post step, `post`), writes outputs
 * and the job summary, and turns any error into one `::error::` line and exit code 1.
 *
 * The same bundle is `main` and `post` of an action; the first run leaves a mark in the state that tells the second.
 */
export async function runAction<C extends Contract>(
  contract: C,
  steps: { readonly run: Run<C>; readonly post?: Post<C> },
  environment: Environment = process.env,
): Promise<void> {
  const log = createLog((line) => process.stdout.write(`${line}\n`), { debug: environment['RUNNER_DEBUG'] === '1' });
  const { run, post } = steps;
  try {
    if (post !== undefined && environment[`STATE_${POST_MARKER}`] === 'true') {
      const inputs = readInputsAgain(contract, environment);
      if (inputs !== undefined) await post(inputs, createContext(environment, log));
      return;
    }
    // Before anything can fail: a post step that does not find the mark would be the main step once more.
    if (post !== undefined) appendEntry(environment, 'GITHUB_STATE', POST_MARKER, 'true');
    const inputs = readInputs(contract, environment, log);
    writeResult(contract, await run(inputs, createContext(environment, log)), environment, log);
  } catch (error) {
    if (error instanceof ActionFailure) writeResult(contract, error.result, environment, log);
    reportError(error, log);
    process.exitCode = 1;
  }
}

/** The inputs in the post step; undefined where the main step refused them: it said so, and made nothing. */
function readInputsAgain<C extends Contract>(contract: C, environment: Environment): InputsOf<C> | undefined {
  const silent = createLog(() => {}, { debug: false });
  try {
    return readInputs(contract, environment, silent);
  } catch (error) {
    if (error instanceof ConfigurationError) return undefined;
    throw error;
  }
}

function createContext(environment: Environment, log: Log): ActionContext {
  const temp = environment['RUNNER_TEMP'] ?? '';
  if (temp === '')
    throw new Error('the runner gave no folder in RUNNER_TEMP: this action runs inside a GitHub Actions job');
  mkdirSync(temp, { recursive: true });
  return {
    event: readEvent(environment),
    environment,
    workspace: environment['GITHUB_WORKSPACE'] ?? process.cwd(),
    temp,
    log,
    runCommand,
    state: {
      save: (name, value) => appendEntry(environment, 'GITHUB_STATE', name, value),
      get: (name) => environment[`STATE_${name}`],
    },
  };
}

function writeResult(contract: Contract, result: ActionResult<Contract>, environment: Environment, log: Log): void {
  const values = new Map<string, OutputValue>(Object.entries(result.outputs ?? {}));
  for (const name of Object.keys(contract.outputs)) {
    const value = values.get(camelCase(name));
    if (value !== undefined) appendEntry(environment, 'GITHUB_OUTPUT', name, formatOutput(value));
  }
  if (result.summary !== undefined && (environment['GITHUB_STEP_SUMMARY'] ?? '') !== '') {
    appendToCommandFile(environment, 'GITHUB_STEP_SUMMARY', limitSummary(result.summary, log));
  }
}

function formatOutput(value: Exclude<OutputValue, undefined>): string {
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

function limitSummary(summary: string, log: Log): string {
  const text = summary.endsWith('\n') ? summary : `${summary}\n`;
  if (Buffer.byteLength(text) <= MAX_SUMMARY) return text;
  log.notice('the job summary is larger than the 1 MiB that GitHub shows, and was cut');
  const cut = Buffer.from(text)
    .subarray(0, MAX_SUMMARY - 200)
    .toString('utf8');
  return `${cut.slice(0, cut.lastIndexOf('\n'))}\n\n_Cut at 1 MiB; the log has the rest._\n`;
}

function reportError(error: unknown, log: Log): void {
  if (error instanceof ConfigurationError) {
    log.error({ message: error.message, ...error.place, ...(error.title === undefined ? {} : { title: error.title }) });
    if (error.cause !== undefined) log.debug(messagesOf(error.cause).join(': '));
    return;
  }
  log.error(messagesOf(error).join(': '));
  if (error instanceof Error && !(error instanceof ActionFailure)) log.debug(error.stack ?? error.message);
}
