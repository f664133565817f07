import { isRecord } from '../runner/event.ts';
import type { InspectedModel, InspectionJob } from './inspect-model.ts';

/** Marks the data of a thread that reads models. */
export const WORKER = 'slipway-inspect-models';

/** The files that several threads read: each takes the next one by counting up what all of them share. */
export interface InspectionWork {
  readonly kind: typeof WORKER;
  readonly jobs: readonly InspectionJob[];
  readonly claims: Int32Array<SharedArrayBuffer>;
}

/** What a worker says: the job that it starts, by its index; how far it came; what it read; that no job is left. */
export type WorkerMessage =
  | { readonly kind: 'reading'; readonly index: number }
  | { readonly kind: 'progress'; readonly bytes: number }
  | { readonly kind: 'read'; readonly model: InspectedModel }
  | { readonly kind: 'finished' };

export function createClaims(): InspectionWork['claims'] {
  return new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
}

/** The index of the next job that no thread has taken; behind the last one where none is left. */
export function claimNext({ claims }: Pick<InspectionWork, 'claims'>): number {
  return Atomics.add(claims, 0, 1);
}

/** True for the data of a thread that `inspectModels` started. */
export function isInspectionWork(workerData: unknown): workerData is InspectionWork {
  return isRecord(workerData) && workerData['kind'] === WORKER;
}
