import { statSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { type MessagePort, Worker } from 'node:worker_threads';
import { isRecord } from '../runner/event.ts';
import { type InspectedModel, type InspectionJob, inspectModel } from './inspect-model.ts';

/** Files of fewer bytes together are read by one thread: a second one costs some 40 ms to start. */
const WORTH_THREADS = 64 * 1024 * 1024;
/** Megabytes of heap of a worker: what a hostile file makes it hold beyond that ends the worker, and not the machine. */
const WORKER_HEAP = 192;

/** How files are spread over threads. */
export interface Parallelism {
  /** At most this many threads. */
  readonly threads: number;
  /** The module that a worker runs: it must call `serveInspections`. Undefined to stay in this thread. */
  readonly workerEntry: string | URL | undefined;
}

type WorkerMessage =
  | { readonly kind: 'progress'; readonly bytes: number }
  | { readonly kind: 'done'; readonly model: InspectedModel }
  | { readonly kind: 'failed'; readonly error: unknown };

/**
 * Reads files, large ones on all cores, and returns them in the order of `jobs`. `onProgress` hears the bytes that were
 * hashed. The first file that cannot be read ends all; its error is thrown.
 */
export async function inspectModels(
  jobs: readonly InspectionJob[],
  { threads, workerEntry }: Parallelism,
  onProgress: (bytes: number) => void,
): Promise<readonly InspectedModel[]> {
  const sizes = new Map(jobs.map((job) => [job, statSync(job.file).size]));
  const total = [...sizes.values()].reduce((sum, size) => sum + size, 0);
  const count = Math.min(threads, availableParallelism(), jobs.length);
  const results = new Map<InspectionJob, InspectedModel>();
  if (workerEntry === undefined || count < 2 || total < WORTH_THREADS) {
    for (const job of jobs) results.set(job, await inspectModel(job, onProgress));
  } else {
    // The largest first: what is left at the end is small, and no thread waits long for another.
    const queue = [...jobs].sort((a, b) => (sizes.get(b) ?? 0) - (sizes.get(a) ?? 0)).values();
    await Promise.all(Array.from({ length: count }, () => drain(queue, workerEntry, results, onProgress)));
  }
  return jobs.flatMap((job) => results.get(job) ?? []);
}

async function drain(
  queue: Iterator<InspectionJob> & Iterable<InspectionJob>,
  workerEntry: string | URL,
  results: Map<InspectionJob, InspectedModel>,
  onProgress: (bytes: number) => void,
): Promise<void> {
  const worker = new Worker(workerEntry, {
    workerData: { slipway: 'inspect-models' },
    resourceLimits: { maxOldGenerationSizeMb: WORKER_HEAP },
  });
  try {
    for (const job of queue) results.set(job, await inspectIn(worker, job, onProgress));
  } finally {
    await worker.terminate();
  }
}

function inspectIn(worker: Worker, job: InspectionJob, onProgress: (bytes: number) => void): Promise<InspectedModel> {
  const { promise, resolve, reject } = Promise.withResolvers<InspectedModel>();
  const onMessage = (message: WorkerMessage): void => {
    if (message.kind === 'progress') onProgress(message.bytes);
    else if (message.kind === 'done') resolve(message.model);
    else reject(message.error);
  };
  const onError = (cause: unknown): void => reject(new Error(`"${job.path}" could not be read`, { cause }));
  const onExit = (code: number): void => reject(new Error(`the thread that read "${job.path}" ended with ${code}`));
  worker.on('message', onMessage).on('error', onError).on('exit', onExit);
  worker.postMessage(job);
  return promise.finally(() => {
    worker.off('message', onMessage).off('error', onError).off('exit', onExit);
  });
}

/** True in a thread that `inspectModels` started. */
export function isInspectionWorker(workerData: unknown): boolean {
  return isRecord(workerData) && workerData['slipway'] === 'inspect-models';
}

/** Serves inspections in a worker: one message in, progress and one result out. */
export function serveInspections(port: MessagePort): void {
  const send = (message: WorkerMessage): void => port.postMessage(message);
  port.on('message', (job: InspectionJob) => {
    inspectModel(
      job,
      batched((bytes) => send({ kind: 'progress', bytes })),
    ).then(
      (model) => send({ kind: 'done', model }),
      (error: unknown) => send({ kind: 'failed', error }),
    );
  });
}

/** Tells of bytes in steps of 16 MiB: a message for every chunk would cost more than the hashing. */
function batched(tell: (bytes: number) => void): (bytes: number) => void {
  let waiting = 0;
  return (bytes) => {
    waiting += bytes;
    if (waiting < 16 * 1024 * 1024) return;
    tell(waiting);
    waiting = 0;
  };
}
