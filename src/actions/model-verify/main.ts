import { parentPort, workerData } from 'node:worker_threads';
import { isInspectionWorker, serveInspections } from '../../core/models/inspect-models.ts';
import { runAction } from '../../core/runner/run-action.ts';
import { contract } from './contract.ts';
import { createRun } from './run.ts';

/** In a thread that reads models this serves them; the bundle's own entry is what such a thread is started with. */
export const start = async (): Promise<void> => {
  if (parentPort !== null && isInspectionWorker(workerData)) return serveInspections(parentPort);
  await runAction(contract, { run: createRun(process.argv[1]) });
};
