import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { messagesOf } from '../runner/errors.ts';
import { statsOf } from './byte-source.ts';
import { type InspectedModel, type InspectionJob, inspectModel, unreadModel } from './inspect-model.ts';
import { claimNext, createClaims, type InspectionWork, WORKER, type WorkerMessage } from './inspection-work.ts';

/** Files of fewer bytes together are read by one thread: a second one costs some 50 ms of processor time to start. */
const WORTH_THREADS = 64 * 1024 * 1024;
/** Megabytes of heap of a worker: what a hostile file makes it hold beyond that ends the worker, and not the machine. */
const WORKER_HEAP = 192;

/** How files are spread over threads. */
export interface Parallelism {
  /** At most this many threads, this one included. */
  readonly threads: number;
  /** The module that a worker runs: it must call `serveInspections`. Undefined to stay in this thread. */
  readonly workerEntry: string | URL | undefined;
}

/**
 * Reads files, large ones on all cores, and returns them in the order of `jobs`. `onProgress` hears the bytes that were
 * hashed. A file that cannot be read, or that ends the thread which reads it, is a finding of its own: what is found in
 * the others outranks it.
 *
 * This thread reads as well. Every thread takes the next file by itself: asking for it would wait for this thread, which
 * is busy hashing.
 */
export async function inspectModels(
  jobs: readonly InspectionJob[],
  { threads, workerEntry }: Parallelism,
  onProgress: (bytes: number) => void,
): Promise<readonly InspectedModel[]> {
  const sizes = new Map(jobs.map((job) => [job, statsOf(job.file)?.size ?? 0]));
  const total = [...sizes.values()].reduce((sum, size) => sum + size, 0);
  const count = Math.min(threads, availableParallelism(), jobs.length);
  const isWorthThreads = workerEntry !== undefined && count > 1 && total >= WORTH_THREADS;
  // The largest first: what is left at the end is small, and no thread waits long for another.
  const sorted = isWorthThreads ? [...jobs].sort((a, b) => (sizes.get(b) ?? 0) - (sizes.get(a) ?? 0)) : jobs;
  const results = new Map<InspectionJob, InspectedModel>();
  const work: InspectionWork = { kind: WORKER, jobs: sorted, claims: createClaims() };
  const workers = isWorthThreads
    ? Array.from({ length: count - 1 }, () => readInWorker(workerEntry, work, results, onProgress))
    : [];
  await Promise.all([readHere(work, results, onProgress), ...workers]);
  return jobs.flatMap((job) => results.get(job) ?? []);
}

async function readHere(
  work: InspectionWork,
  results: Map<InspectionJob, InspectedModel>,
  onProgress: (bytes: number) => void,
): Promise<void> {
  for (let index = claimNext(work); index < work.jobs.length; index = claimNext(work)) {
    const job = work.jobs[index];
    if (job !== undefined) results.set(job, await inspectModel(job, onProgress));
  }
}

async function readInWorker(
  entry: string | URL,
  work: InspectionWork,
  results: Map<InspectionJob, InspectedModel>,
  onProgress: (bytes: number) => void,
): Promise<void> {
  let reading: InspectionJob | undefined;
  const worker = new Worker(entry, {
    workerData: work,
    resourceLimits: { maxOldGenerationSizeMb: WORKER_HEAP },
  });
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  worker.on('message', (message: WorkerMessage) => {
    if (message.kind === 'progress') onProgress(message.bytes);
    else if (message.kind === 'reading') reading = work.jobs[message.index];
    else if (message.kind === 'read') {
      if (reading !== undefined) results.set(reading, message.model);
      reading = undefined;
    } else resolve();
  });
  worker.on('error', reject);
  worker.on('exit', (code) => reject(new Error(`its thread ended with ${code}`)));
  try {
    await promise;
  } catch (error) {
    // What was read when the thread ended did it: more memory than a worker has, most likely.
    if (reading === undefined) throw error;
    results.set(reading, unreadModel(reading, `reading it ended its thread: ${messagesOf(error).join(': ')}`));
  } finally {
    await worker.terminate();
  }
}
