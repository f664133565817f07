import { runAction } from '../../core/runner/run-action.ts';
import { contract } from './contract.ts';
import { createRun } from './run.ts';

/** Runs the action as a step of a job; the bundle's entry is what reading threads are started with. */
export const startStep = (): Promise<void> => runAction(contract, { run: createRun(process.argv[1]) });
