import type { MessagePort } from 'node:worker_threads';
import { inspectModel } from './inspect-model.ts';
import { claimNext, type InspectionWork, type WorkerMessage } from './inspection-work.ts';

/** A message for every chunk would cost more than the hashing. */
const PROGRESS_STEP = 16 * 1024 * 1024;

/** Reads, in a worker, files that no other thread has taken until none is left, and tells of each through the port. */
export async function serveInspections(port: MessagePort, work: InspectionWork): Promise<void> {
  const send = (message: WorkerMessage): void => port.postMessage(message);
  for (let index = claimNext(work); index < work.jobs.length; index = claimNext(work)) {
    const job = work.jobs[index];
    if (job === undefined) continue;
    send({ kind: 'reading', index });
    let untold = 0;
    const model = await inspectModel(job, (bytes) => {
      untold += bytes;
      if (untold < PROGRESS_STEP) return;
      send({ kind: 'progress', bytes: untold });
      untold = 0;
    });
    send({ kind: 'progress', bytes: untold });
    send({ kind: 'read', model });
  }
  send({ kind: 'finished' });
}
