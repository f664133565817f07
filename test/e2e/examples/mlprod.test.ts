import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { append, write } from '../../harness/example/changes.ts';
import { type Example, openExample } from '../../harness/example/open-example.ts';
import { pulledTags } from '../../harness/example/published-images.ts';
import { bakeTargets, failuresOf, isReadOnly, jobOf, reasonsOf } from '../../harness/example/run-facts.ts';

let example: Example;

beforeAll(async () => {
  example = await openExample({ name: 'mlprod', repository: 'IDSIA/MLprod' });
});
afterAll(() => example?.[Symbol.asyncDispose]());

describe('two images of one compose file', () => {
  test('a push builds the two of seven services that are built here, without an .env', async () => {
    const run = await example.firstPush('publish.yml');
    expect(failuresOf(run)).toEqual([]);
    expect(Object.keys(reasonsOf(run))).toEqual(['api-linux-amd64', 'worker-linux-amd64']);
    const published = await example.images.all();
    expect(Object.keys(published)).toEqual(['idsia/mlprod/api', 'idsia/mlprod/worker']);
    const commit = `sha-${example.git.head().slice(0, 7)}`;
    for (const tags of Object.values(published)) expect(pulledTags(tags)).toEqual(['latest', 'main', commit]);
  });

  test('no value of the absent .env, and no empty one, is in an image', async () => {
    for (const name of ['api', 'worker']) {
      const { config, history } = await example.images.image(`idsia/mlprod/${name}`, 'latest');
      expect(JSON.stringify([config, history])).not.toMatch(/DATABASE_|CELERY_/);
    }
  });

  test('each image has a cache of its own', async () => {
    const run = await example.pullRequest('validate.yml', 'branch', append('database/tables.py', '# both'));
    const scopes = Object.values(bakeTargets(run)).map((target) => target['cache-to']?.[0]);
    expect(new Set(scopes).size).toBe(2);
  });

  test.each<[string, readonly string[]]>([
    ['api/routes.py', ['api']],
    ['requirements.worker.txt', ['worker']],
    ['database/tables.py', ['api', 'worker']],
    ['docs/index.md', []],
    ['config/prometheus.yml', []], // a stock service reads it
  ])('a push that changes %s publishes %j', async (file, images) => {
    const before = await example.images.all();
    const run = await example.push('publish.yml', append(file, '# one more line'));
    expect(failuresOf(run)).toEqual([]);
    const after = await example.images.all();
    const moved = Object.keys(after).filter((name) => after[name]?.['latest'] !== before[name]?.['latest']);
    expect(moved).toEqual(images.map((name) => `idsia/mlprod/${name}`));
  });

  test('a pattern of .dockerignore without a slash speaks of the root alone', async () => {
    const run = await example.pullRequest('validate.yml', 'branch', write('old.pyc', 'x'), write('api/old.pyc', 'x'));
    expect(reasonsOf(run)).toEqual({ 'api-linux-amd64': 'api/old.pyc added' });
  });

  test('a tag publishes both images as one version', async () => {
    const run = await example.pushTag('publish.yml', 'v1.4.0');
    expect(failuresOf(run)).toEqual([]);
    for (const tags of Object.values(await example.images.all()))
      expect(tags).toMatchObject({ '1.4.0': tags['latest'], '1.4': tags['latest'], '1': tags['latest'] });
  });

  test('a pull request from a fork builds what it changes, and writes nothing', async () => {
    const before = await example.images.all();
    const run = await example.pullRequest('validate.yml', 'fork', append('worker/celery.py', '# from a fork'));
    expect(failuresOf(run)).toEqual([]);
    expect(Object.keys(reasonsOf(run))).toEqual(['api-linux-amd64', 'worker-linux-amd64']);
    expect(isReadOnly(run)).toBe(true);
    expect(jobOf(run, 'validate/all-passed').result).toBe('success');
    expect(Object.values(bakeTargets(run)).flatMap((target) => target['cache-to'] ?? [])).toEqual([]);
    expect(await example.images.all()).toEqual(before);
  });
});
