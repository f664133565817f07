import { describe, expect, it } from 'vitest';
import { buildTimeline } from '../../../../src/core/buildkit/build-timeline.ts';
import type { Step } from '../../../../src/core/buildkit/progress.ts';

const step = (change: Partial<Step>): Step => ({
  name: '',
  stage: 'builder',
  place: '1/1',
  target: undefined,
  platform: undefined,
  instruction: 'RUN x',
  started: 1_000,
  completed: 2_000,
  isCached: false,
  error: undefined,
  output: [],
  errorOutput: [],
  droppedLines: 0,
  ...change,
});

describe('the timeline of a build', () => {
  it('sums steps up by stage, in the order in which stages started', () => {
    const timeline = buildTimeline([
      step({ stage: 'run', started: 5_000, completed: 5_500 }),
      step({ instruction: 'FROM a', started: 1_000, completed: 4_000 }),
      step({ started: 4_000, completed: 6_000 }),
      step({ started: 4_500, completed: 4_600, isCached: true }),
      step({ stage: undefined, instruction: 'exporting to image', started: 6_000, completed: 8_000 }),
      step({ stage: 'unused', started: undefined, completed: undefined }),
    ]);
    expect(timeline).toEqual({
      stages: [
        { stage: 'builder', start: 0, duration: 5_000, steps: 2, cachedSteps: 1 },
        { stage: 'run', start: 4_000, duration: 500, steps: 1, cachedSteps: 0 },
      ],
      others: [{ name: 'exporting to image', start: 5_000, duration: 2_000 }],
      duration: 7_000,
      steps: 3,
      cachedSteps: 1,
    });
  });

  it('keeps stages of one name in several images apart', () => {
    const timeline = buildTimeline([step({ target: 'cpu' }), step({ target: 'gpu', platform: 'linux/arm64' })]);
    expect(timeline.stages.map(({ stage }) => stage)).toEqual(['cpu builder', 'gpu linux/arm64 builder']);
  });

  it('of a build that never began is empty', () => {
    expect(buildTimeline([])).toEqual({ stages: [], others: [], duration: 0, steps: 0, cachedSteps: 0 });
  });
});
