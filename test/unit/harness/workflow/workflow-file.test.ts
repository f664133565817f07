import { describe, expect, it } from 'vitest';
import { ancestorsOf, parseWorkflow } from '../../../harness/workflow/workflow-file.ts';

const job = (text: string) => `on: push\njobs:\n  a: { runs-on: x, steps: [{ run: x }], ${text} }\n`;

describe('parseWorkflow', () => {
  it.each([
    ['an unknown key', 'on: push\nenvs: {}\njobs: {}', "Unexpected value 'envs'"],
    ['no jobs', 'on: push\njobs: {}', 'at least one job'],
    ['no event', 'jobs: { a: { runs-on: x, steps: [{ run: x }] } }', 'names no event'],
    ['an unknown key of a job', job('need: b'), "job 'a': Unexpected value 'need'"],
    ['a container', job('container: alpine'), "'container' is not supported"],
    ['services', job('services: {}'), "'services' is not supported"],
    ['an unknown need', job('needs: b'), "unknown job 'b'"],
    [
      'a circle',
      'on: push\njobs:\n  a: { runs-on: x, needs: b, steps: [{ run: x }] }\n  b: { runs-on: x, needs: a, steps: [{ run: x }] }',
      'a → b → a',
    ],
    ['no runs-on', 'on: push\njobs: { a: { steps: [{ run: x }] } }', 'runs-on'],
    ['no steps', 'on: push\njobs: { a: { runs-on: x } }', 'needs steps'],
    ['a call with steps', 'on: push\njobs: { a: { uses: ./x.yml, steps: [{ run: x }] } }', 'neither steps nor runs-on'],
    [
      'a step that does nothing',
      'on: push\njobs: { a: { runs-on: x, steps: [{ name: x }] } }',
      "either 'run' or 'uses'",
    ],
    [
      'a step with an unknown key',
      'on: push\njobs: { a: { runs-on: x, steps: [{ run: x, with: {}, ifs: 1 }] } }',
      "Unexpected value 'ifs'",
    ],
    [
      'an id used twice',
      'on: push\njobs: { a: { runs-on: x, steps: [{ id: s, run: x }, { id: S, run: x }] } }',
      "'S' is invalid or used twice",
    ],
    [
      'a shell for an action',
      'on: push\njobs: { a: { runs-on: x, steps: [{ uses: ./x, shell: bash }] } }',
      "belong to 'run'",
    ],
  ])('refuses %s', (_, text, message) => {
    expect(() => parseWorkflow(text, 'ci.yml')).toThrow(message);
  });

  it('keeps the key `on` and all its forms', () => {
    const rest = 'jobs: { a: { runs-on: x, steps: [{ run: x }] } }';
    const events = (on: string) => [...parseWorkflow(`on: ${on}\n${rest}`, 'f').on.keys()];
    expect([events('push'), events('[push, release]'), events('{ push: { branches: [a] }, schedule: [] }')]).toEqual([
      ['push'],
      ['push', 'release'],
      ['push', 'schedule'],
    ]);
  });
});

it('finds all ancestors of a job', () => {
  const jobs = parseWorkflow(
    'on: push\njobs:\n  a: { runs-on: x, steps: [{ run: x }] }\n  b: { runs-on: x, needs: a, steps: [{ run: x }] }\n  c: { runs-on: x, needs: [b], steps: [{ run: x }] }',
    'f',
  ).jobs;
  expect([...ancestorsOf('c', jobs)].sort()).toEqual(['a', 'b']);
});
