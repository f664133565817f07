/** Runs one process the way the runner does: lines of both streams as they come, and a three-step cancellation. */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import type { Readable } from 'node:stream';
import { StringDecoder } from 'node:string_decoder';

export interface ProcessRequest {
  readonly file: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  readonly onLine: (line: string) => void;
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
  readonly graceMs?: CancellationGrace;
}

/** How long a cancelled process has after SIGINT, then after SIGTERM, before it is killed. */
export interface CancellationGrace {
  readonly interrupt: number;
  readonly terminate: number;
}

/** actions/runner, ProcessInvoker.cs: 7.5 s after SIGINT, 2.5 s after SIGTERM. */
const runnerGrace: CancellationGrace = { interrupt: 7500, terminate: 2500 };

export interface ProcessOutcome {
  /** 128 + signal number when a signal ended the process, as a shell reports it. */
  readonly exitCode: number;
  readonly ended: 'exited' | 'timed-out' | 'cancelled';
  readonly signalsSent: readonly NodeJS.Signals[];
  readonly durationMs: number;
  /** User and system time of the process and the children it waited for; exact only while no other child ends. */
  readonly cpuMs: number;
  readonly processGroup: number | undefined;
}

const signalNumbers: Readonly<Record<string, number>> = { SIGINT: 2, SIGKILL: 9, SIGTERM: 15, SIGSEGV: 11, SIGABRT: 6 };

/** How long output of background processes is awaited after the step's own process ended. */
const drainMs = 5000;

export async function runProcess(request: ProcessRequest): Promise<ProcessOutcome> {
  const started = performance.now();
  const cpuBefore = childrenCpuMs();
  // Its own process group, so that what a step leaves behind can be ended with the job.
  const child = spawn(request.file, request.args, {
    cwd: request.cwd,
    env: request.env,
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  const signalsSent: NodeJS.Signals[] = [];
  let ended: ProcessOutcome['ended'] = 'exited';
  const timers: NodeJS.Timeout[] = [];
  const send = (signal: NodeJS.Signals): void => {
    signalsSent.push(signal);
    child.kill(signal);
  };
  const cancel = (reason: 'timed-out' | 'cancelled') => (): void => {
    if (ended !== 'exited') return;
    ended = reason;
    const grace = request.graceMs ?? runnerGrace;
    send('SIGINT');
    timers.push(setTimeout(() => send('SIGTERM'), grace.interrupt));
    timers.push(
      setTimeout(() => {
        signalsSent.push('SIGKILL');
        killGroup(child.pid);
      }, grace.interrupt + grace.terminate),
    );
  };
  const onAbort = cancel('cancelled');
  if (request.timeoutMs !== undefined) timers.push(setTimeout(cancel('timed-out'), request.timeoutMs));
  if (request.signal?.aborted === true) onAbort();
  request.signal?.addEventListener('abort', onAbort, { once: true });
  try {
    const closed = Promise.all([
      forwardLines(child.stdout, request.onLine),
      forwardLines(child.stderr, request.onLine),
    ]);
    const exitCode = await new Promise<number>((resolve, reject) => {
      child.once('error', reject);
      child.once('exit', (code, signal) => resolve(code ?? 128 + (signalNumbers[signal ?? ''] ?? 0)));
    });
    const durationMs = performance.now() - started;
    const cpuMs = childrenCpuMs() - cpuBefore;
    const drained = new Promise<void>((resolve) => timers.push(setTimeout(resolve, drainMs)));
    await Promise.race([closed, drained]);
    child.stdout.destroy();
    child.stderr.destroy();
    return { exitCode, ended, signalsSent, durationMs, cpuMs, processGroup: child.pid };
  } finally {
    for (const timer of timers) clearTimeout(timer);
    request.signal?.removeEventListener('abort', onAbort);
  }
}

/** Ends what is left of a process group; a group that is gone already is no error. */
export function killGroup(processGroup: number | undefined): void {
  if (processGroup === undefined) return;
  try {
    process.kill(-processGroup, 'SIGKILL');
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
}

function forwardLines(stream: Readable, onLine: (line: string) => void): Promise<void> {
  const decoder = new StringDecoder('utf8');
  let pending = '';
  const take = (text: string): void => {
    pending += text;
    // A trailing carriage return may be the first half of a line end.
    const lines = pending.split(/\r\n|\n|\r(?!$)/);
    pending = lines.pop() ?? '';
    for (const line of lines) onLine(line);
  };
  return new Promise((resolve) => {
    stream.on('data', (chunk: Buffer) => take(decoder.write(chunk)));
    stream.once('error', () => resolve());
    stream.once('close', () => {
      const rest = (pending + decoder.end()).replace(/\r$/, '');
      if (rest !== '') onLine(rest);
      resolve();
    });
  });
}

/** CPU time of all ended children of this process, from /proc/self/stat (fields 16 and 17, in hundredths of a second). */
function childrenCpuMs(): number {
  try {
    const text = readFileSync('/proc/self/stat', 'utf8');
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    return (Number(fields[13]) + Number(fields[14])) * 10;
  } catch {
    return 0; // no procfs: durations are all there is
  }
}
