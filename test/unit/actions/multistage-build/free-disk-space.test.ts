import { expect, test } from 'vitest';
import { planFreeing } from '../../../../src/actions/multistage-build/free-disk-space.ts';

const gpu = { title: 'web-gpu', isForGpu: true };
const cpu = { title: 'web-cpu', isForGpu: false };

test.each([
  ['auto', [gpu], true, 20e9, true],
  ['auto', [gpu], true, 40e9, false],
  ['auto', [gpu, gpu], true, 40e9, true],
  ['auto', [cpu], true, 1e9, false],
  ['auto', [gpu], false, 1e9, false],
  ['true', [cpu], true, 40e9, true],
  ['true', [gpu], false, 1e9, false],
  ['false', [gpu], true, 1e9, false],
] as const)(
  '"%s" for %j, on a hosted runner: %s, with %d bytes free, frees space: %s',
  (choice, requests, isHostedRunner, freeBytes, isWanted) => {
    expect(planFreeing(choice, requests, { isHostedRunner, freeBytes }).isWanted).toBe(isWanted);
  },
);
