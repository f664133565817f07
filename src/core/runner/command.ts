import { spawn } from 'node:child_process';
import { StringDecoder } from 'node:string_decoder';
import type { Environment } from './commands.ts';
import { GROUP_OPTIONS, onCancel, signalGroup } from './process-group.ts';

export interface CommandOptions {
  readonly cwd?: string;
  /** The whole environment of the process; default: this process's own. */
  readonly env?: Environment;
  /** Written to standard input, which is closed at once without it. */
  readonly input?: string | Uint8Array;
  /** Milliseconds after which the process is ended. */
  readonly deadline?: number;
  /** Bytes kept of each stream; more ends the process. Streams that are read by lines are not kept. Default 64 MiB. */
  readonly maxOutput?: number;
  readonly signal?: AbortSignal;
  /** Returns a non-zero exit code instead of throwing. */
  readonly allowFailure?: boolean;
  /** Reads standard output by lines as they come; `stdout` of the result is then empty. */
  readonly onStdoutLine?: (line: string) => void;
  /** Reads standard error by lines as they come; `stderr` of the result is then its last 64 KiB. */
  readonly onStderrLine?: (line: string) => void;
}

export interface CommandResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A process that could not be started, was ended, or failed. `exitCode` is undefined unless it exited by itself. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
  readonly exitCode: number | undefined;
  readonly stderr: string;

  constructor(
    message: string,
    options: { readonly exitCode?: number; readonly stderr?: string; readonly cause?: unknown },
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.exitCode = options.exitCode;
    this.stderr = options.stderr ?? '';
  }
}

const DEFAULT_MAX_OUTPUT = 64 * 1024 * 1024;
const STDERR_TAIL = 64 * 1024;
const LINE_LIMIT = 4 * 1024 * 1024;
const GRACE_BEFORE_KILL = 5_000;

/**
 * Runs a program with an argument vector, never through a shell, and waits for its end.
 *
 * Success is the exit code alone: `docker buildx` can fail with an empty stderr. Throws CommandError when the program
 * cannot be started, exits with another code than 0 (unless `allowFailure`), passes `deadline` or `maxOutput`, or is
 * aborted. Node's own `spawn` and not `@actions/exec`, which can neither end a process nor bound what it keeps.
 */
export async function runCommand(
  file: string,
  args: readonly string[],
  options: CommandOptions = {},
): Promise<CommandResult> {
  const child = spawn(file, args, {
    cwd: options.cwd,
    env: options.env ?? process.env,
    stdio: ['pipe', 'pipe', 'pipe'],
    windowsHide: true,
    ...GROUP_OPTIONS,
  });
  const shown = `${file} ${args[0] ?? ''}`.trim();
  let ended: string | undefined;
  let killTimer: NodeJS.Timeout | undefined;
  const end = (reason: string): void => {
    if (ended !== undefined) return;
    ended = reason;
    signalGroup(child, 'SIGTERM');
    killTimer = setTimeout(() => signalGroup(child, 'SIGKILL'), GRACE_BEFORE_KILL);
  };
  const forget = onCancel(child, (signal) => end(`was cancelled (${signal})`));

  const limit = options.maxOutput ?? DEFAULT_MAX_OUTPUT;
  const stdout = collect(limit, options.onStdoutLine, () => end(`printed more than ${limit} bytes`));
  const stderr = collect(options.onStderrLine ? STDERR_TAIL : limit, options.onStderrLine, () => {
    if (!options.onStderrLine) end(`printed more than ${limit} bytes`);
  });
  child.stdout.on('data', stdout.take);
  child.stderr.on('data', stderr.take);

  const timer =
    options.deadline === undefined
      ? undefined
      : setTimeout(() => end(`took longer than ${options.deadline} ms`), options.deadline);
  const abort = (): void => end('was cancelled');
  options.signal?.addEventListener('abort', abort, { once: true });
  if (options.signal?.aborted) abort();

  try {
    const exit = await new Promise<{ code: number | null; signal: NodeJS.Signals | null }>((resolve, reject) => {
      child.once('error', (cause) =>
        reject(new CommandError(`${shown} could not be started: ${cause.message}`, { cause })),
      );
      child.once('close', (code, signal) => resolve({ code, signal }));
      // A program may end without reading its input; that is its right and no error of ours.
      child.stdin.on('error', (cause: NodeJS.ErrnoException) => {
        if (cause.code !== 'EPIPE' && cause.code !== 'ECONNRESET')
          reject(new CommandError(`${shown}: ${cause.message}`, { cause }));
      });
      child.stdin.end(options.input);
    });
    const tail = stderr.finish();
    const result = { exitCode: exit.code ?? -1, stdout: stdout.finish(), stderr: tail };
    if (ended !== undefined) throw new CommandError(`${shown} ${ended}`, { stderr: tail });
    if (exit.code === null)
      throw new CommandError(`${shown} was ended by ${exit.signal ?? 'a signal'}`, { stderr: tail });
    if (exit.code !== 0 && options.allowFailure !== true) {
      const said = lastLines(tail, 20);
      throw new CommandError(`${shown} exited with ${exit.code}${said === '' ? '' : `: ${said}`}`, {
        exitCode: exit.code,
        stderr: tail,
      });
    }
    return result;
  } finally {
    forget();
    clearTimeout(timer);
    clearTimeout(killTimer);
    options.signal?.removeEventListener('abort', abort);
  }
}

export type RunCommand = typeof runCommand;

interface Collector {
  readonly take: (chunk: Buffer) => void;
  readonly finish: () => string;
}

/** Keeps a stream's text up to `limit` bytes, or hands it on line by line and keeps only the tail. */
function collect(limit: number, onLine: ((line: string) => void) | undefined, overflow: () => void): Collector {
  const chunks: Buffer[] = [];
  let size = 0;
  let rest = '';
  const decoder = new StringDecoder('utf8');
  const keep = (chunk: Buffer): void => {
    chunks.push(chunk);
    size += chunk.length;
    if (onLine === undefined) {
      if (size > limit) overflow();
      return;
    }
    while (chunks.length > 1 && size - (chunks[0]?.length ?? 0) >= limit) size -= chunks.shift()?.length ?? 0;
  };
  return {
    take(chunk) {
      if (onLine === undefined && size > limit) return;
      keep(chunk);
      if (onLine === undefined) return;
      const lines = (rest + decoder.write(chunk)).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) onLine(line.endsWith('\r') ? line.slice(0, -1) : line);
      if (rest.length > LINE_LIMIT) {
        onLine(rest);
        rest = '';
      }
    },
    finish() {
      if (onLine !== undefined) {
        rest += decoder.end();
        if (rest !== '') onLine(rest);
        rest = '';
      }
      return Buffer.concat(chunks).toString('utf8');
    },
  };
}

function lastLines(text: string, count: number): string {
  return text.trimEnd().split(/\r?\n/).slice(-count).join('\n');
}
