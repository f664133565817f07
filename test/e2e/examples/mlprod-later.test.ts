import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { append, write } from '../../harness/example/changes.ts';
import { type Example, openExample } from '../../harness/example/open-example.ts';
import {
  annotationsOf,
  bakeTargets,
  failuresOf,
  isReadOnly,
  jobOf,
  reasonsOf,
  stepOf,
} from '../../harness/example/run-facts.ts';
import type { WorkflowResult } from '../../harness/workflow/workflow-result.ts';

const [API, NODE] = ['idsia/mlprod/api', 'idsia/mlprod/worker'];

let example: Example;

beforeAll(async () => {
  example = await openExample({ name: 'mlprod-later', repository: 'IDSIA/MLprod' });
});
afterAll(() => example?.[Symbol.asyncDispose]());

const wavesOf = (run: WorkflowResult): readonly string[][] => {
  const waves: { include: { image: string }[] }[] = JSON.parse(stepOf(run, 'plan').outputs['waves'] ?? '[]');
  return waves.map(({ include }) => include.map(({ image }) => image));
};

describe('the later layout: an image that is made from one of the same repository', () => {
  test('the API is built in a second wave, from the node that the first has pushed, which no registry had', async () => {
    const run = await example.firstPush('publish.yml');
    expect(failuresOf(run)).toEqual([]);
    expect(wavesOf(run)).toEqual([['worker'], ['api']]);
    const published = await example.images.all();
    expect(Object.keys(published)).toEqual([API, NODE]);
    expect(jobOf(run, 'release/wave-2/build').log).toContain(
      `${NODE}@${published[NODE]?.['latest']}, built earlier in this run`,
    );
    const api = await example.images.image(API, 'latest');
    expect(api.config.Cmd).toContain('mlprod.api.routes:api');
    expect(api.history.join('\n')).toContain('COPY data/ data/');
  });

  test.each<[string, string, Readonly<Record<string, string>>]>([
    [
      'data/users.csv',
      'ada,bern',
      {
        'worker-linux-amd64': 'data/users.csv changed',
        'api-linux-amd64': 'an image it is built from changed',
      },
    ],
    [
      'docker/Dockerfile.api',
      'EXPOSE 4790',
      {
        'worker-linux-amd64': 'api is built from it',
        'api-linux-amd64': 'instructions of docker/Dockerfile.api changed',
      },
    ],
    ['docs/index.md', 'More.', {}],
  ])('a push that changes %s builds what is made of it', async (file, line, reasons) => {
    const before = await example.images.all();
    const run = await example.push('publish.yml', append(file, line));
    expect(failuresOf(run)).toEqual([]);
    const found = reasonsOf(run);
    expect(Object.keys(found).toSorted()).toEqual(Object.keys(reasons).toSorted());
    for (const [id, reason] of Object.entries(reasons)) expect(found[id]).toContain(reason);
    const after = await example.images.all();
    expect(after[API]?.['latest'] === before[API]?.['latest']).toBe(reasons['api-linux-amd64'] === undefined);
  });

  test('a pull request from a fork builds both in one graph, since nothing is pushed that another job could start from', async () => {
    const before = await example.images.all();
    const run = await example.pullRequest('validate.yml', 'fork', append('src/mlprod/__init__.py', '# from a fork'));
    expect(failuresOf(run)).toEqual([]);
    expect(Object.keys(bakeTargets(run))).toEqual(['worker-linux-amd64', 'api-linux-amd64']);
    expect(run.jobs.filter(({ id }) => id === 'validate/build/build')).toHaveLength(1);
    expect(isReadOnly(run)).toBe(true);
    expect(await example.images.all()).toEqual(before);
  });

  test('a release publishes both as one version', async () => {
    example.git.tag('v2.0.0');
    const run = await example.release('publish.yml', 'v2.0.0');
    expect(failuresOf(run)).toEqual([]);
    for (const tags of Object.values(await example.images.all()))
      expect(tags).toMatchObject({ '2.0.0': tags['latest'], '2.0': tags['latest'], '2': tags['latest'] });
  });
});

describe('the model on a volume', () => {
  test('is in no layer of any image', async () => {
    for (const name of [API, NODE])
      for (const layer of await example.images.layers(name, 'latest'))
        expect(layer.includes('safetensors')).toBe(false);
  });

  test('that is another than its digest says stops the release before anything is built, and moves no name', async () => {
    const before = await example.images.all();
    const run = await example.push(
      'publish.yml',
      write('docker/models/ranking.safetensors', 'another'),
      append('data/users.csv', 'carl,lugano'),
    );
    expect(run.conclusion).toBe('failure');
    expect(annotationsOf(run)).toContainEqual(
      expect.objectContaining({ level: 'error', file: 'docker/models/SHA256SUMS', line: 1 }),
    );
    expect(jobOf(run, 'release').result).toBe('skipped');
    expect(await example.images.all()).toEqual(before);
  });

  test('would not be carried into an image unseen, either', async () => {
    const run = await example.pullRequest(
      'validate.yml',
      'branch',
      write('.dockerignore', '.git/\n'),
      append('docker/Dockerfile.node', 'COPY docker/models/ models/'),
    );
    expect(jobOf(run, 'validate/all-passed').result).toBe('failure');
    expect(annotationsOf(run)).toContainEqual(
      expect.objectContaining({ level: 'error', message: expect.stringContaining('ranking.safetensors') }),
    );
  });
});
