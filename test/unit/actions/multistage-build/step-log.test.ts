import { describe, expect, it } from 'vitest';
import { createStepLog } from '../../../../src/actions/multistage-build/step-log.ts';
import type { Step } from '../../../../src/core/buildkit/progress.ts';
import { createLog } from '../../../../src/core/runner/log.ts';

const step = (change: Partial<Step>): Step => ({
  name: '',
  stage: 'builder',
  place: '2/3',
  target: undefined,
  platform: undefined,
  instruction: 'RUN  npm\n ci',
  started: 1_000,
  completed: 3_500,
  isCached: false,
  error: undefined,
  output: [],
  errorOutput: [],
  droppedLines: 0,
  ...change,
});

async function logOf(steps: readonly Step[]): Promise<string[]> {
  const lines: string[] = [];
  const log = createStepLog(createLog((line) => lines.push(line), { debug: false }));
  for (const each of steps) log.onStep(each);
  await log.finish();
  return lines;
}

describe('the log of a build', () => {
  it.each<[string, Partial<Step>, string[]]>([
    ['a step on one line', {}, ['builder 2/3 RUN npm ci  2.5 s']],
    ['that it was cached', { isCached: true }, ['builder 2/3 RUN npm ci  CACHED']],
    [
      'what a step printed in a group',
      { output: ['a', '::warning::b'] },
      ['::group::builder 2/3 RUN npm ci  2.5 s', 'a', '\u200b::warning::b', '::endgroup::'],
    ],
    [
      'target and platform where there are several',
      { target: 'gpu', platform: 'linux/arm64' },
      ['gpu linux/arm64 builder 2/3 RUN npm ci  2.5 s'],
    ],
    [
      'nothing of short steps outside of stages',
      { stage: undefined, instruction: '[internal] load .dockerignore', completed: 1_100 },
      [],
    ],
    ['nothing of steps that another’s failure ended', { error: 'context canceled' }, []],
    [
      'that a cache does not exist yet',
      {
        stage: undefined,
        place: undefined,
        instruction: 'importing cache manifest from a/b:c',
        error: 'a/b:c: not found',
      },
      ['importing cache manifest from a/b:c: there is none yet'],
    ],
    [
      'that a cache failed',
      { stage: undefined, place: undefined, instruction: 'exporting to GitHub Actions Cache', error: 'refused' },
      ['::notice::exporting to GitHub Actions Cache failed, and the build went on without it: refused'],
    ],
  ])('shows %s', async (_, change, expected) => {
    expect(await logOf([step(change)])).toEqual(expected);
  });

  it('does not fold a failed step away', async () => {
    const output = Array.from({ length: 50 }, (_, index) => `line ${index}`);
    const lines = await logOf([step({ error: 'exit code: 1', output, errorOutput: ['oh no'] })]);
    expect(lines[0]).toBe('builder 2/3 RUN npm ci  FAILED after 2.5 s');
    expect(lines[1]).toBe('… 10 lines before these');
    expect(lines.slice(-3)).toEqual(['  line 49', '  On standard error:', '  oh no']);
  });

  it('keeps the order of steps, grouped or not', async () => {
    const lines = await logOf([step({ output: ['a'] }), step({ place: '3/3' })]);
    expect(lines.at(-1)).toBe('builder 3/3 RUN npm ci  2.5 s');
  });
});
