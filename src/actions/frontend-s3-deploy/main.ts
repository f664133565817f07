import { runAction } from '../../core/runner/run-action.ts';
import { contract } from './contract.ts';

/** Inputs are read, and may be refused, before what a deploy needs is loaded. */
export const start = (): Promise<void> =>
  runAction(contract, { run: async (inputs, context) => (await import('./run.ts')).run(inputs, context) });
