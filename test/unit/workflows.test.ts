import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { fieldOf, isRecord } from '../../src/core/runner/event.ts';
import { evaluate } from '../harness/runner/expressions.ts';

const folder = path.resolve(import.meta.dirname, '../../.github/workflows');
const files = readdirSync(folder);
/** Has the permissions of the jobs that call it, which state them. */
const INHERITS = 'build-rows.yml';

interface Step {
  readonly if: string;
  readonly uses: string;
  readonly run: string;
  readonly with: Readonly<Record<string, unknown>>;
}

interface Job {
  readonly id: string;
  readonly body: Readonly<Record<string, unknown>>;
  readonly steps: readonly Step[];
}

const textOf = (file: string): string => readFileSync(path.join(folder, file), 'utf8');

function recordOf(value: unknown): Readonly<Record<string, unknown>> {
  return isRecord(value) ? value : {};
}

function stringOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function jobsOf(file: string): readonly Job[] {
  return Object.entries(recordOf(fieldOf(parse(textOf(file)), 'jobs'))).map(([id, job]) => {
    const steps = fieldOf(job, 'steps');
    return {
      id,
      body: recordOf(job),
      steps: (Array.isArray(steps) ? steps : []).map((step: unknown) => ({
        if: stringOf(fieldOf(step, 'if')),
        uses: stringOf(fieldOf(step, 'uses')),
        run: stringOf(fieldOf(step, 'run')),
        with: recordOf(fieldOf(step, 'with')),
      })),
    };
  });
}

describe.each(files)('%s', (file) => {
  const jobs = jobsOf(file);

  test.skipIf(file === INHERITS)('grants nothing by default, and each job what it states with a reason', () => {
    expect(fieldOf(parse(textOf(file)), 'permissions')).toEqual({});
    expect(jobs.filter(({ body }) => !('permissions' in body)).map(({ id }) => id)).toEqual([]);
    const granted = textOf(file)
      .split('\n')
      .filter((line) => /^ +[a-z-]+: (?:read|write)\b/.test(line));
    expect(granted.filter((line) => !/: (?:read|write) # \w/.test(line))).toEqual([]);
  });

  test('pins what is not of this repository by commit, with its version', () => {
    const uses = textOf(file)
      .split('\n')
      .filter((line) => /^\s*(?:- )?uses: /.test(line))
      .map((line) => line.replace(/^\s*(?:- )?uses: /, ''));
    const others = uses.filter((each) => !/^(?:\.\/|slipway-actions\/slipway\/)/.test(each));
    expect(others.filter((each) => !/^[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/.test(each))).toEqual([]);
  });

  test('evaluates no expression inside of a script', () => {
    expect(jobs.flatMap(({ steps }) => steps).filter(({ run }) => run.includes('${{'))).toEqual([]);
  });

  test('ends every job that runs on a machine after a time', () => {
    const endless = jobs.filter(({ body }) => 'runs-on' in body && !('timeout-minutes' in body));
    expect(endless.map(({ id }) => id)).toEqual([]);
  });

  test('says of every checkout whether its token stays, and why it does', () => {
    const checkouts = jobs.flatMap(({ steps }) => steps).filter(({ uses }) => uses.startsWith('actions/checkout@'));
    expect(checkouts.filter((step) => typeof step.with['persist-credentials'] !== 'boolean')).toEqual([]);
    expect(textOf(file)).not.toMatch(/persist-credentials: true(?! # \w)/);
  });
});

describe.each([
  { file: 'ci.yml', last: undefined },
  { file: 'release.yml', last: 'publish' },
  { file: 'validate.yml', last: 'build' },
])('all-passed of $file', ({ file, last }) => {
  const jobs = jobsOf(file);
  const passed = jobs.find(({ id }) => id === 'all-passed');
  const others = jobs.map(({ id }) => id).filter((id) => id !== 'all-passed');
  const isRed = (results: Readonly<Record<string, string>>, hasRows: string): boolean => {
    const needs = Object.fromEntries(
      others.map((id) => [
        id,
        { result: results[id] ?? 'success', outputs: id === 'plan' ? { 'has-rows': hasRows } : {} },
      ]),
    );
    return passed?.steps.some((step) => evaluate(step.if, { contexts: { needs } }) === true) === true;
  };

  test('waits for every job and always reports', () => {
    expect(passed?.body['needs']).toEqual(others);
    expect(passed?.body['if']).toBe('always()');
  });

  test('is green when all that was to be done succeeded', () => {
    expect(isRed({}, 'true')).toBe(false);
  });

  test('is red when any job failed or was cancelled', () => {
    for (const id of others)
      for (const result of ['failure', 'cancelled'])
        expect(isRed({ [id]: result }, 'true'), `${id} ${result}`).toBe(true);
  });

  test.skipIf(last === undefined)(
    'is green when nothing was to be built, and red when what was to be was skipped',
    () => {
      const skipped = { [last ?? '']: 'skipped' };
      expect(isRed(skipped, 'false')).toBe(false);
      expect(isRed(skipped, 'true')).toBe(true);
      // A plan that ended before it said anything.
      expect(isRed(skipped, '')).toBe(true);
    },
  );
});
