type Cleanup = () => void;

const cleanups = new Set<Cleanup>();
const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

function runCleanups(): void {
  // The youngest first: a container engine goes before the bridge it uses.
  for (const cleanup of [...cleanups].reverse()) {
    cleanups.delete(cleanup);
    try {
      cleanup();
    } catch (error) {
      process.stderr.write(`while ending: ${String(error)}\n`);
    }
  }
}

function endBySignal(signal: NodeJS.Signals): void {
  // Somebody else handles this signal and will end the process in order; `exit` is early enough then.
  if (process.listenerCount(signal) > 1) return;
  runCleanups();
  for (const other of signals) process.off(other, endBySignal);
  process.kill(process.pid, signal);
}

/** Runs a synchronous `cleanup` when this process ends, by itself or by a signal. Returns the function that takes it back. */
export function onProcessEnd(cleanup: Cleanup): () => void {
  if (cleanups.size === 0) {
    process.on('exit', runCleanups);
    for (const signal of signals) process.on(signal, endBySignal);
  }
  cleanups.add(cleanup);
  return () => {
    if (!cleanups.delete(cleanup) || cleanups.size > 0) return;
    process.off('exit', runCleanups);
    for (const signal of signals) process.off(signal, endBySignal);
  };
}
