import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { append, write } from '../../harness/example/changes.ts';
import { type Example, openExample } from '../../harness/example/open-example.ts';
import { planRows } from '../../harness/example/plan-rows.ts';
import { pulledTags } from '../../harness/example/published-images.ts';
import {
  annotationsOf,
  bakeTargets,
  failuresOf,
  isReadOnly,
  jobOf,
  reasonsOf,
} from '../../harness/example/run-facts.ts';

const BASE = 'ghcr.io/hotosm/fair-utilities-base';
const SOLARIS = 'backend/docker/ramp/solaris/docker';
const SUBMODULE = 'backend/ramp-code';

let example: Example;

beforeAll(async () => {
  example = await openExample({
    name: 'fair',
    repository: 'hotosm/fAIr',
    branch: 'master',
    vars: () => ({
      BASE_IMAGES: [
        `${BASE}:latest-cpu=docker-image://tensorflow/tensorflow:2.9.2`,
        `${BASE}:latest-gpu=docker-image://tensorflow/tensorflow:2.9.2-gpu`,
      ].join('\n'),
    }),
  });
  example.git.run('branch', 'develop');
});
afterAll(() => example?.[Symbol.asyncDispose]());

/** The publishing workflow with another line, beside the repository. */
function changedWorkflow(line: string, by: string): string {
  const text = readFileSync(path.join(example.folder, '.github/workflows/publish.yml'), 'utf8');
  if (!text.includes(line)) throw new Error(`publish.yml holds no ${JSON.stringify(line)}`);
  const file = path.join(path.dirname(example.folder), 'changed.yml');
  writeFileSync(file, text.replace(line, by));
  return file;
}

describe('images of the backend, as their workflows are written', () => {
  test('a push to master publishes them under the names they had, in lower case, a variant by its ending', async () => {
    const run = await example.firstPush('publish.yml');
    expect(failuresOf(run)).toEqual([]);
    const published = await example.images.all();
    expect(Object.keys(published)).toEqual(['hotosm/fair_api', 'hotosm/fair_offline_predictor', 'hotosm/fair_worker']);
    const commit = `sha-${example.git.head().slice(0, 7)}`;
    expect(pulledTags(published['hotosm/fair_api'])).toEqual(['latest', 'master', commit]);
    expect(pulledTags(published['hotosm/fair_worker'])).toEqual(
      ['cpu', 'gpu'].flatMap((ending) => [`latest-${ending}`, `master-${ending}`, `${commit}-${ending}`]).toSorted(),
    );

    expect(annotationsOf(run)).toContainEqual(
      expect.objectContaining({
        level: 'notice',
        file: 'backend/Dockerfile.API',
        message: expect.stringContaining('backend/.dockerignore'),
      }),
    );

    const rows = run.jobs.filter(({ id }) => id === 'build').map(({ matrix }) => matrix);
    const gpu = rows.filter((row) => row['free-disk-space'] === true);
    expect(gpu.map(({ id }) => id)).toEqual(['worker-gpu-linux-amd64']);
    const caches = Object.fromEntries(
      Object.entries(bakeTargets(run)).map(([name, target]) => [name, target['cache-to']?.[0]]),
    );
    const cacheTo = (name: string, mode: string): unknown =>
      expect.stringMatching(`^type=gha,scope=${name}-[0-9a-f]{8},timeout=1200s,mode=${mode},ignore-error=true$`);
    expect(caches).toEqual({
      'api-linux-amd64': cacheTo('api-linux-amd64', 'max'),
      'offline_predictor-linux-amd64': cacheTo('offline_predictor-linux-amd64', 'max'),
      'worker-cpu-linux-amd64': cacheTo('worker-cpu-linux-amd64', 'max'),
      'worker-gpu-linux-amd64': cacheTo('worker-gpu-linux-amd64', 'min'),
    });
  });

  test('one Dockerfile makes two images by its argument, and a registry shows one platform and no unknown one', async () => {
    const api = await example.images.image('hotosm/fair_api', 'latest');
    const predictor = await example.images.image('hotosm/fair_offline_predictor', 'latest');
    expect(api.digest).not.toBe(predictor.digest);
    expect(predictor.history.join('\n')).toContain('BUILD_TARGET=predictor');
    expect(api.platforms).toEqual(['linux/amd64']);
    expect((await example.images.image('hotosm/fair_worker', 'latest-gpu')).platforms).toEqual(['linux/amd64']);
  });

  test.each<[string, readonly string[]]>([
    ['docs/index.md', []],
    ['frontend/src/main.js', []],
    ['backend/api/views.py', ['api', 'offline_predictor']],
  ])('a push that changes %s publishes %j', async (file, images) => {
    const before = await example.images.all();
    const run = await example.push('publish.yml', append(file, '// more'));
    expect(failuresOf(run)).toEqual([]);
    const after = await example.images.all();
    const moved = Object.keys(after).filter((name) => JSON.stringify(after[name]) !== JSON.stringify(before[name]));
    expect(moved).toEqual(images.map((name) => `hotosm/fair_${name}`));
  });

  test('a release publishes all of them as a version, by its variants too', async () => {
    example.git.tag('v2.0.11');
    const run = await example.release('publish.yml', 'v2.0.11');
    expect(failuresOf(run)).toEqual([]);
    const published = await example.images.all();
    expect(Object.keys(published['hotosm/fair_api'] ?? {})).toEqual(expect.arrayContaining(['2.0.11', '2.0', '2']));
    expect(Object.keys(published['hotosm/fair_worker'] ?? {})).toEqual(
      expect.arrayContaining(['2.0.11-cpu', '2.0.11-gpu']),
    );
  });

  test('a run by hand without caches reads and writes none', async () => {
    const run = await example.dispatch('publish.yml', { use_cache: false });
    expect(failuresOf(run)).toEqual([]);
    const targets = Object.values(bakeTargets(run));
    expect(targets).toHaveLength(4);
    expect(targets.flatMap((target) => [...(target['cache-from'] ?? []), ...(target['cache-to'] ?? [])])).toEqual([]);
  });

  test.each([
    ['an unknown platform, which provenance makes', 'provenance: false', 'provenance: mode=max', /unknown\/unknown/],
    ['no image for a platform that is expected', 'expect: linux/amd64', 'expect: linux/arm64', /linux\/arm64/],
  ])('%s is refused before a name is written', async (_, line, by, message) => {
    const before = await example.images.all();
    const run = await example.dispatch(changedWorkflow(line, by));
    expect(jobOf(run, 'publish').result).toBe('failure');
    expect(jobOf(run, 'publish').log).toMatch(message);
    expect(await example.images.all()).toEqual(before);
  });
});

describe('pull requests', () => {
  test('from a fork, of the worker’s code, build its two variants with a token that can write nothing', async () => {
    const before = await example.images.all();
    const run = await example.pullRequest('validate.yml', 'fork', append('backend/Dockerfile.workers', 'EXPOSE 5555'));
    expect(failuresOf(run)).toEqual([]);
    expect(Object.keys(reasonsOf(run))).toEqual(
      expect.arrayContaining(['worker-cpu-linux-amd64', 'worker-gpu-linux-amd64']),
    );
    expect(isReadOnly(run)).toBe(true);
    expect(Object.values(bakeTargets(run)).flatMap((target) => target['cache-to'] ?? [])).toEqual([]);
    expect(await example.images.all()).toEqual(before);
  });

  test('of the documentation alone report the required check all the same', async () => {
    const run = await example.pullRequest('validate.yml', 'fork', append('docs/index.md', 'More.'));
    expect(jobOf(run, 'build').result).toBe('skipped');
    expect(jobOf(run, 'validated').result).toBe('success');
  });

  test('of the frontend build it as it will be deployed', async () => {
    const run = await example.pullRequest('validate.yml', 'branch', append('frontend/src/main.js', '// more'));
    expect(failuresOf(run)).toEqual([]);
    expect(Object.keys(reasonsOf(run))).toEqual(['frontend-linux-amd64']);
  });

  test('of a workflow that keeps two Dockerfiles in one cache scope, as the old one did, are stopped at its line', async () => {
    const step = (file: string): string =>
      `      - { uses: docker/build-push-action@v6, with: { context: backend/, file: backend/${file}, cache-to: "type=gha,scope=api" } }`;
    const jobs = ['Dockerfile_CPU', 'Dockerfile.workers'].map(step).join('\n');
    const old = `on: push\njobs:\n  build:\n    runs-on: ubuntu-latest\n    steps:\n${jobs}\n`;
    const run = await example.pullRequest('validate.yml', 'branch', write('.github/workflows/docker_build.yml', old));
    expect(jobOf(run, 'plan').annotations).toContainEqual(
      expect.objectContaining({
        level: 'error',
        file: '.github/workflows/docker_build.yml',
        line: 7,
        message: expect.stringContaining('the cache scope "api"'),
      }),
    );
  });

  test('of a submodule’s commit build what holds the submodule', async () => {
    const link = (folder: string): void => {
      mkdirSync(path.join(folder, SUBMODULE));
      example.git.run('update-index', '--add', '--cacheinfo', `160000,${'1'.repeat(40)},${SUBMODULE}`);
    };
    const run = await example.pullRequest('validate.yml', 'branch', link);
    expect(Object.keys(reasonsOf(run))).toEqual(['api-linux-amd64', 'offline_predictor-linux-amd64']);
  });
});

describe('without definitions', () => {
  const planned = async (inputs: Readonly<Record<string, string>>): Promise<readonly (readonly string[])[]> =>
    (await planRows(example, inputs)).map((row) => [row.dockerfile, row.id, row['cache-mode']]);

  test('variants come from file names and base images; what is vendored is not built', async () => {
    const found = await planned({ source: 'dockerfiles' });
    expect(found).toContainEqual(['backend/Dockerfile', 'backend-gpu-linux-amd64', 'min']);
    expect(found).toContainEqual(['backend/Dockerfile_CPU', 'backend-cpu-linux-amd64', 'max']);
    expect(found.filter(([dockerfile]) => dockerfile?.includes('solaris'))).toEqual([]);
  });

  test('what is vendored is built when it is asked for, and a folder named cpu makes no variant of a CUDA base', async () => {
    const rows = await planRows(example, { source: 'dockerfiles', files: `${SOLARIS}/*/Dockerfile` });
    expect(rows.map((row) => [row.dockerfile, row.variant, row['cache-mode']])).toEqual([
      [`${SOLARIS}/cpu/Dockerfile`, '', 'min'],
      [`${SOLARIS}/gpu/Dockerfile`, 'gpu', 'min'],
    ]);
  });

  test('a pair of compose files is one project, and what differs in it is a variant', async () => {
    expect(await planned({ source: 'compose' })).toEqual([
      ['backend/Dockerfile_CPU', 'backend-api-linux-amd64', 'max'],
      ['backend/Dockerfile', 'backend-worker-gpu-linux-amd64', 'min'],
      ['backend/Dockerfile_CPU', 'backend-worker-cpu-linux-amd64', 'max'],
      ['frontend/Dockerfile.frontend', 'frontend-linux-amd64', 'max'],
    ]);
  });
});
