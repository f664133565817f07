import { describe, expect, it } from 'vitest';
import { followProgress, parseStepName, type Step } from '../../../../src/core/buildkit/progress.ts';

const time = (second: number): string => new Date(Date.UTC(2026, 0, 1, 0, 0, second)).toISOString();
const vertex = (fields: Record<string, unknown>): string =>
  JSON.stringify({ vertexes: [{ digest: 'sha256:1', name: '[builder 1/2] RUN make', ...fields }] });
const log = (text: string, stream = 1): string =>
  JSON.stringify({ logs: [{ vertex: 'sha256:1', stream, data: Buffer.from(text).toString('base64') }] });
const follow = (lines: readonly string[], labels: ReadonlyMap<string, string> = new Map()) => {
  const completed: Step[] = [];
  const progress = followProgress(labels, (step) => completed.push(step));
  for (const line of lines) progress.read(line);
  return { progress, completed };
};

describe('the progress of a build', () => {
  it('tells a step once, when it has ended, with what it printed', () => {
    const { completed } = follow([
      vertex({}),
      vertex({ started: time(1) }),
      log('one\ntw'),
      log('o\n50%\r100%\n'),
      vertex({ started: time(1), completed: time(4) }),
      vertex({ started: time(1), completed: time(4) }),
    ]);
    expect(completed).toHaveLength(1);
    expect(completed[0]).toMatchObject({
      stage: 'builder',
      place: '1/2',
      instruction: 'RUN make',
      output: ['one', 'two', '100%'],
      isCached: false,
    });
    expect((completed[0]?.completed ?? 0) - (completed[0]?.started ?? 0)).toBe(3_000);
  });

  it('takes a step that several targets share for one', () => {
    const lines = ['app', 'gpu'].map((target) =>
      vertex({ name: `[${target} builder 1/2] RUN make`, started: time(1), completed: time(2) }),
    );
    const { progress, completed } = follow(
      lines,
      new Map([
        ['app', 'app'],
        ['gpu', 'gpu'],
      ]),
    );
    expect(completed.map(({ target, stage }) => [target, stage])).toEqual([['app', 'builder']]);
    expect(progress.steps()).toHaveLength(1);
  });

  it('waits for a FROM that is resolved and then fetched', () => {
    const { progress } = follow([vertex({ started: time(1), completed: time(2) }), vertex({ started: time(3) })]);
    expect(progress.steps()[0]?.completed).toBeUndefined();
  });

  it('keeps a failed step’s last lines of both streams, and counts the rest', () => {
    const many = Array.from({ length: 2_000 }, (_, index) => `line ${index}`).join('\n');
    const { completed } = follow([
      vertex({ started: time(1) }),
      log(`${many}\n`),
      log('oh no\n', 2),
      vertex({ completed: time(2), error: 'exit code: 1' }),
    ]);
    const [step] = completed;
    expect(step?.output).toHaveLength(400);
    expect(step?.droppedLines).toBe(1_601);
    expect(step?.errorOutput).toEqual(['oh no']);
  });

  it('keeps no output of steps that went well', () => {
    const { progress } = follow([vertex({ started: time(1) }), log('a\n'), vertex({ completed: time(2) })]);
    expect(progress.steps()[0]?.output).toEqual([]);
  });

  it('keeps what is no progress as text', () => {
    const { progress } = follow(['ERROR: no', '{"not": "ended"', '{}', 'null']);
    expect(progress.text()).toBe('ERROR: no\n{"not": "ended"\nnull');
  });

  it.each([
    '{"vertexes":[1,null,{"digest":3}]}',
    '{"logs":[{"vertex":"x","data":"aa"}]}',
    '{"warnings":[{}]}',
    '{"vertexes":{}}',
  ])('bears %s', (line) => {
    expect(() => follow([line])).not.toThrow();
  });

  it('tells a Dockerfile’s warnings with their lines, each once', () => {
    const warning = {
      short: Buffer.from('FromAsCasing: x (line 3)').toString('base64'),
      url: 'https://d',
      sourceInfo: { filename: 'Dockerfile' },
      range: [{ start: { line: 3 } }],
    };
    const line = JSON.stringify({ warnings: [warning] });
    expect(follow([line, line]).progress.warnings()).toEqual([
      { message: 'FromAsCasing: x (line 3)', url: 'https://d', file: 'Dockerfile', line: 3 },
    ]);
  });
});

describe('a step’s name', () => {
  const labels = new Map([
    ['app', ''],
    ['gpu', 'gpu'],
  ]);
  it.each([
    ['[builder 2/3] RUN a [b]', { stage: 'builder', place: '2/3', instruction: 'RUN a [b]' }],
    ['[app builder 2/3] RUN a', { stage: 'builder', place: '2/3' }],
    ['[gpu linux/arm64/v8 builder 2/3] RUN a', { target: 'gpu', platform: 'linux/arm64/v8', stage: 'builder' }],
    ['[1/1] COPY a /', { stage: 'build', place: '1/1' }],
    ['[app 1/1] COPY a /', { stage: 'build', place: '1/1' }],
    ['[linux/amd64 1/1] COPY a /', { stage: 'build', platform: 'linux/amd64' }],
    [
      '[gpu internal] load .dockerignore',
      { stage: undefined, target: 'gpu', instruction: '[internal] load .dockerignore' },
    ],
    ['[app] exporting to image', { stage: undefined, instruction: 'exporting to image' }],
    ['importing cache manifest from gha:1', { stage: undefined, instruction: 'importing cache manifest from gha:1' }],
  ])('%s is understood', (name, expected) => {
    expect(parseStepName(name, labels)).toMatchObject(expected);
  });
});
