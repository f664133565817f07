import type { ChildProcess, SpawnOptions } from 'node:child_process';

/**
 * Ends programs together with all that they started: `docker` runs buildx as a child of its own, which keeps the pipes
 * open when its parent alone is ended.
 */

/** How a program is spawned so that it leads a group of its own; Windows has none. */
export const GROUP_OPTIONS: Pick<SpawnOptions, 'detached'> = { detached: process.platform !== 'win32' };

/** Sends a signal to the program and to all of its group. */
export function signalGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined || process.platform === 'win32') {
    child.kill(signal);
    return;
  }
  try {
    process.kill(-child.pid, signal);
  } catch (error) {
    // ESRCH: the whole group has ended by itself.
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
}

const running = new Map<ChildProcess, (signal: NodeJS.Signals) => void>();
const SIGNALS = ['SIGINT', 'SIGTERM'] as const;

/**
 * Has `onCancel` called when the runner cancels this process, until the function returned is called.
 *
 * A group of its own does not get the signals that this process gets: without this, a build would go on after the job.
 */
export function onCancel(child: ChildProcess, onCancelled: (signal: NodeJS.Signals) => void): () => void {
  if (running.size === 0) for (const signal of SIGNALS) process.on(signal, cancelAll);
  running.set(child, onCancelled);
  return () => {
    running.delete(child);
    if (running.size === 0) for (const signal of SIGNALS) process.off(signal, cancelAll);
  };
}

function cancelAll(signal: NodeJS.Signals): void {
  for (const cancelled of running.values()) cancelled(signal);
}
