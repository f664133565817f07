import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, open, readFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { onProcessEnd } from './process-end.ts';

/** One progress line for the person who waits. */
export type ProgressLog = (line: string) => void;

export interface DaemonOptions {
  /** What the daemon is called in messages. */
  readonly name: string;
  readonly file: string;
  readonly args: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
  readonly cwd?: string;
  /** Takes standard output and standard error, appended. */
  readonly logFile: string;
  /** Answers whether the daemon serves; a rejection counts as "not yet". */
  readonly isReady: () => Promise<boolean>;
  /** Milliseconds until readiness is given up. */
  readonly deadline: number;
  /** Milliseconds between SIGTERM and SIGKILL at stop; 10 s unless told. */
  readonly grace?: number;
}

export interface Daemon extends AsyncDisposable {
  readonly pid: number;
  isRunning(): boolean;
  /** SIGTERM, then SIGKILL when the grace is over; resolves when the process is gone. */
  stop(): Promise<void>;
}

const setpriv = ['/usr/bin/setpriv', '/bin/setpriv'].find((file) => existsSync(file));

/** The last `lines` lines of a log, for an error message. */
export async function logTail(file: string, lines = 15): Promise<string> {
  try {
    return (await readFile(file, 'utf8')).trimEnd().split('\n').slice(-lines).join('\n');
  } catch (error) {
    return `(no log: ${String(error)})`;
  }
}

/** Polls `condition` every `interval` ms; false when the deadline passes. A rejection counts as "not yet". */
export async function waitUntil(condition: () => Promise<boolean>, deadline: number, interval = 50): Promise<boolean> {
  const end = performance.now() + deadline;
  for (;;) {
    if (await condition().catch(() => false)) return true;
    if (performance.now() >= end) return false;
    await sleep(interval);
  }
}

/**
 * Starts a process that stays in the foreground and waits until it serves. The process ends with this one: by
 * `onProcessEnd`, and by the kernel's parent-death signal where `setpriv` exists, which covers even SIGKILL.
 * Throws an Error with the tail of the log when it ends early or does not serve in time.
 */
export async function startDaemon(options: DaemonOptions): Promise<Daemon> {
  await mkdir(path.dirname(options.logFile), { recursive: true });
  const log = await open(options.logFile, 'a');
  const [file, args] =
    setpriv === undefined
      ? [options.file, options.args]
      : [setpriv, ['--pdeathsig', 'TERM', '--', options.file, ...options.args]];
  // Detached: Ctrl-C reaches us alone, and we stop the daemons in order.
  const child = spawn(file, args, {
    stdio: ['ignore', log.fd, log.fd],
    detached: true,
    ...(options.env === undefined ? {} : { env: options.env }),
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
  });
  const ended = new Promise<string>((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('exit', (code, signal) => resolve(signal === null ? `exit code ${code}` : signal));
  });
  await log.close();
  const { pid } = child;
  if (pid === undefined) throw new Error(`${options.name} could not be started: ${await ended}`);

  const daemon = controlDaemon(child, pid, ended, options.grace ?? 10_000);
  const outcome = await Promise.race([
    waitUntil(async () => daemon.isRunning() && (await options.isReady()), options.deadline),
    ended,
  ]);
  if (outcome === true) return daemon;
  await daemon.stop();
  const reason = outcome === false ? `did not serve within ${options.deadline / 1000} s` : `ended early (${outcome})`;
  throw new Error(`${options.name} ${reason}; the end of ${options.logFile}:\n${await logTail(options.logFile)}`);
}

function controlDaemon(child: ChildProcess, pid: number, ended: Promise<string>, grace: number): Daemon {
  const isRunning = () => child.exitCode === null && child.signalCode === null;
  const release = onProcessEnd(() => child.kill('SIGTERM'));
  void ended.then(release);
  // A service must not keep its owner alive: whoever forgets to stop it still ends, and takes it along.
  child.unref();
  const stop = async (): Promise<void> => {
    if (!isRunning()) return;
    child.ref();
    child.kill('SIGTERM');
    const killer = setTimeout(() => child.kill('SIGKILL'), grace);
    await ended;
    clearTimeout(killer);
  };
  return { pid, isRunning, stop, [Symbol.asyncDispose]: stop };
}
