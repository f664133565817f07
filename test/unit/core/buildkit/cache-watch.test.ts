import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { isCacheStep, watchCache } from '../../../../src/core/buildkit/cache-watch.ts';
import type { Step } from '../../../../src/core/buildkit/progress.ts';

const step = (instruction: string, more: Partial<Step> = {}): Step => ({
  name: instruction,
  stage: undefined,
  place: undefined,
  target: undefined,
  platform: undefined,
  instruction,
  started: 1,
  completed: undefined,
  isCached: false,
  error: undefined,
  output: [],
  errorOutput: [],
  droppedLines: 0,
  ...more,
});
const EXPORT = 'exporting to GitHub Actions Cache';

describe('the watch over a cache', () => {
  it.each([
    ['importing cache manifest from gha:123', true],
    ['exporting to GitHub Actions Cache', true],
    ['exporting cache to registry', true],
    ['exporting to image', false],
    ['[internal] load build definition', false],
  ])('knows "%s" for a step of a cache: %s', (instruction, expected) => {
    expect(isCacheStep(step(instruction))).toBe(expected);
    expect(isCacheStep({ instruction, stage: 'builder' })).toBe(false);
  });

  it.each([
    ['that takes too long', step(EXPORT), EXPORT],
    ['that has ended', step(EXPORT, { completed: 2 }), undefined],
    ['that has not begun', step(EXPORT, { started: undefined }), undefined],
    ['of a stage, however long', step('RUN sleep', { stage: 'a' }), undefined],
  ])('gives up because of a step %s: %j', async (_, watched, expected) => {
    let given = 0;
    const watch = watchCache(
      () => [watched],
      60,
      () => {
        given += 1;
      },
    );
    await sleep(200);
    watch.stop();
    expect([watch.late(), given]).toEqual([expected, expected === undefined ? 0 : 1]);
  });
});
