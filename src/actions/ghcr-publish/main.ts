import { runAction } from '../../core/runner/run-action.ts';
import { contract } from './contract.ts';
import { post, run } from './run.ts';

export const start = (): Promise<void> => runAction(contract, { run, post });
