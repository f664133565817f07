import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { request } from '../net/request.ts';
import type { RunCommand } from '../runner/command.ts';
import type { Environment } from '../runner/commands.ts';
import { ConfigurationError, messagesOf } from '../runner/errors.ts';
import { fieldOf } from '../runner/event.ts';
import type { CheckResult } from './image-checks.ts';

/** One thing that an image must do before it is published. */
export type SmokeTest =
  | { readonly kind: 'command'; readonly words: readonly [string, ...string[]] }
  | { readonly kind: 'healthcheck' }
  /** `path`: answers a GET with a status below 400; without it, anything that takes a connection will do. */
  | { readonly kind: 'port'; readonly port: number; readonly path: string | undefined };

/**
 * Reads `healthcheck`, `port 8080`, `port 8080 /health`, or a command with its arguments, in which quotation marks
 * keep blanks together. No shell reads the command. Throws ConfigurationError.
 */
export function parseSmokeTest(text: string): SmokeTest {
  if (text === 'healthcheck') return { kind: 'healthcheck' };
  const port = /^port (\d{1,5})(?: (\/\S*))?$/.exec(text);
  if (port !== null) {
    const number = Number(port[1]);
    if (number < 1 || number > 65_535) throw new ConfigurationError(`${port[1]} is no port`);
    return { kind: 'port', port: number, path: port[2] };
  }
  const pieces = [...text.matchAll(/"((?:[^"\\]|\\.)*)"|'([^']*)'|([^\s"']+)/g)];
  const rest = text.replace(/"(?:[^"\\]|\\.)*"|'[^']*'/g, '');
  if (/["']/.test(rest)) throw new ConfigurationError(`a quotation mark in ${text.slice(0, 60)} is never closed`);
  const [first, ...words] = pieces.map(([, double, single, bare]) =>
    double === undefined ? (single ?? bare ?? '') : double.replace(/\\(.)/g, '$1'),
  );
  if (first === undefined || first === '') throw new ConfigurationError('a smoke test must name a command');
  return { kind: 'command', words: [first, ...words] };
}

export interface SmokeOptions {
  /** Name of the container; the caller removes what is left of it. */
  readonly name: string;
  readonly runCommand: RunCommand;
  readonly env: Environment;
  /** Milliseconds for each test. */
  readonly deadline: number;
}

/** Runs one test in a container of a loaded image. What fails is a result, not an error. */
export async function runSmokeTest(test: SmokeTest, image: string, options: SmokeOptions): Promise<CheckResult> {
  const check = `smoke: ${describeTest(test)}`;
  try {
    const finding = await (test.kind === 'command'
      ? runToEnd(test.words, image, options)
      : runService(test, image, options));
    return { check, hasPassed: true, finding };
  } catch (error) {
    return { check, hasPassed: false, finding: messagesOf(error).join(': ').slice(-1_500) };
  } finally {
    await removeContainer(options.name, options);
  }
}

/** Removes a container; one that is gone already is no error. */
export async function removeContainer(
  name: string,
  { runCommand, env }: Pick<SmokeOptions, 'runCommand' | 'env'>,
): Promise<void> {
  await runCommand('docker', ['rm', '--force', '--volumes', name], { env, deadline: 30_000, allowFailure: true });
}

function describeTest(test: SmokeTest): string {
  if (test.kind === 'command') return test.words.join(' ').slice(0, 100);
  return test.kind === 'healthcheck'
    ? 'healthcheck'
    : `port ${test.port}${test.path === undefined ? '' : ` ${test.path}`}`;
}

async function runToEnd(
  [program, ...words]: readonly [string, ...string[]],
  image: string,
  { name, runCommand, env, deadline }: SmokeOptions,
): Promise<string> {
  const args = ['run', '--rm', '--name', name, '--pull', 'never', '--entrypoint', program, image, ...words];
  const { stdout } = await runCommand('docker', args, { env, deadline, maxOutput: 1024 * 1024 });
  return lastLine(stdout) || 'it ended with 0';
}

async function runService(
  test: Exclude<SmokeTest, { kind: 'command' }>,
  image: string,
  options: SmokeOptions,
): Promise<string> {
  const { name, runCommand, env, deadline } = options;
  const end = Date.now() + deadline;
  const publish = test.kind === 'port' ? ['--publish', `127.0.0.1::${test.port}`] : [];
  await runCommand('docker', ['run', '--detach', '--name', name, '--pull', 'never', ...publish, image], {
    env,
    deadline,
  });
  for (;;) {
    const state = await readState(options);
    const isReady = test.kind === 'healthcheck' ? isHealthy(state) : await answersAt(test, options);
    if (isReady) return test.kind === 'healthcheck' ? 'the image is healthy' : `port ${test.port} answers`;
    const hasEnded = fieldOf(state, 'Running') !== true;
    if (hasEnded || Date.now() >= end) {
      const { stdout, stderr } = await runCommand('docker', ['logs', '--tail', '20', name], { env, deadline: 30_000 });
      const why = hasEnded ? `it ended with ${String(fieldOf(state, 'ExitCode'))}` : `not within ${deadline / 1_000} s`;
      throw new Error(`${why}; its last words: ${`${stdout}${stderr}`.trim() || 'none'}`);
    }
    await sleep(300);
  }
}

async function readState({ name, runCommand, env }: SmokeOptions): Promise<unknown> {
  const { stdout } = await runCommand('docker', ['inspect', '--format', '{{json .State}}', name], {
    env,
    deadline: 30_000,
  });
  return JSON.parse(stdout);
}

/** Throws Error for an image that says itself it is ill, and for one that has no health check to wait for. */
function isHealthy(state: unknown): boolean {
  const status = fieldOf(state, 'Health', 'Status');
  if (status === undefined) throw new Error('the image has no HEALTHCHECK');
  if (status !== 'unhealthy') return status === 'healthy';
  const log = fieldOf(state, 'Health', 'Log');
  const last: unknown = Array.isArray(log) ? log.at(-1) : undefined;
  throw new Error(`it is unhealthy: ${String(fieldOf(last, 'Output') ?? '').trim()}`);
}

/** The engine knows no port of a container that has ended: that is told by its state, with its last words. */
async function answersAt(
  { port, path }: Extract<SmokeTest, { kind: 'port' }>,
  { name, runCommand, env }: SmokeOptions,
): Promise<boolean> {
  const asked = { env, deadline: 30_000, allowFailure: true };
  const { stdout } = await runCommand('docker', ['port', name, `${port}/tcp`], asked);
  const published = /:(\d+)\s*$/m.exec(stdout)?.[1];
  return published !== undefined && (await answers(Number(published), path));
}

async function answers(port: number, path: string | undefined): Promise<boolean> {
  if (path === undefined) return takesConnection(port);
  try {
    const { status } = await request({ url: `http://127.0.0.1:${port}${path}`, timeout: 5_000, retry: false });
    return status < 400;
  } catch {
    // Nothing listens yet.
    return false;
  }
}

/** The engine's own proxy takes every connection, and ends at once those that nobody in the container takes. */
function takesConnection(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port });
    const finish = (isTaken: boolean): void => {
      socket.destroy();
      resolve(isTaken);
    };
    socket.setTimeout(1_000, () => finish(true));
    socket.once('data', () => finish(true));
    socket.once('error', () => finish(false));
    socket.once('close', () => finish(false));
  });
}

function lastLine(text: string): string {
  return text.trimEnd().split('\n').pop()?.slice(0, 200) ?? '';
}
