import { parentPort, workerData } from 'node:worker_threads';
import { isInspectionWork } from '../../core/models/inspection-work.ts';

/**
 * In a thread that reads models this serves them, and loads what reads them and nothing else; the bundle's own entry is
 * what such a thread is started with.
 */
export const start = async (): Promise<void> => {
  if (parentPort !== null && isInspectionWork(workerData)) {
    const { serveInspections } = await import('../../core/models/serve-inspections.ts');
    return serveInspections(parentPort, workerData);
  }
  const { startStep } = await import('./step.ts');
  await startStep();
};
