import { mkdirSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { request } from '../../../src/core/net/request.ts';
import { append, write } from '../../harness/example/changes.ts';
import { type Example, openExample } from '../../harness/example/open-example.ts';
import { pulledTags } from '../../harness/example/published-images.ts';
import { bakeTargets, failuresOf, isReadOnly, jobOf, reasonsOf, stepOf } from '../../harness/example/run-facts.ts';
import { type CloudFront, startCloudFront } from '../../harness/standins/cloudfront.ts';

const BASE = 'ghcr.io/hotosm/fair-utilities-base';
const SUBMODULE = 'backend/ramp-code';

let example: Example;
let cloudFront: CloudFront;

beforeAll(async () => {
  cloudFront = await startCloudFront({ distributions: [{ id: 'E2FAIR', aliases: ['fair.example'] }] });
  example = await openExample({
    name: 'fair',
    repository: 'hotosm/fAIr',
    branch: 'master',
    vars: (world) => ({
      BASE_IMAGES: [
        `${BASE}:latest-cpu=docker-image://tensorflow/tensorflow:2.9.2`,
        `${BASE}:latest-gpu=docker-image://tensorflow/tensorflow:2.9.2-gpu`,
      ].join('\n'),
      FRONTEND_BUCKET: world.vars['SITE_BUCKET'] ?? '',
      FRONTEND_DOMAIN: 'fair.example',
      VITE_BASE_API_URL: 'https://api.fair.example/',
      VITE_FAIR_PREDICTOR_API_URL: 'https://predictor.fair.example/',
      VITE_OSM_HASHTAGS: '#HOTOSM-FAIR',
    }),
    secrets: (world) => ({ AWS_OIDC_ROLE: world.vars['SITE_ROLE'] ?? '' }),
    environment: () => ({ AWS_ENDPOINT_URL_CLOUDFRONT: cloudFront.url }),
  });
  example.git.run('branch', 'develop');
});
afterAll(async () => {
  await example?.[Symbol.asyncDispose]();
  await cloudFront?.stop();
});

async function page(key: string): Promise<{ text: string; headers: Readonly<Record<string, string>> }> {
  const { endpoint } = example.world.s3;
  const { status, headers, body } = await request({ url: `${endpoint}/${example.world.vars['SITE_BUCKET']}/${key}` });
  expect(status, key).toBe(200);
  return { text: body.toString(), headers };
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
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'slipway-plan-'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  /** Ids and cache modes by Dockerfile, as planned from one kind of file. */
  async function planFrom(source: string): Promise<readonly (readonly [string, string, string])[]> {
    const file = path.join(folder, `${source}.yml`);
    const step = `{ id: plan, uses: slipway-actions/slipway/actions/build-matrix@v1, with: { source: ${source} } }`;
    const steps = `[{ uses: actions/checkout@v5 }, ${step}]`;
    await writeFile(file, `on: workflow_dispatch\njobs: { plan: { runs-on: ubuntu-24.04, steps: ${steps} } }\n`);
    const { outputs } = stepOf(await example.dispatch(file), 'plan');
    const { include }: { include: Record<'id' | 'dockerfile' | 'cache-mode', string>[] } = JSON.parse(
      outputs['matrix'] ?? '',
    );
    return include.map((row) => [row.dockerfile, row.id, row['cache-mode']]);
  }

  test('variants come from file names and base images; what is vendored is not built', async () => {
    const found = await planFrom('dockerfiles');
    expect(found).toContainEqual(['backend/Dockerfile', 'backend-gpu-linux-amd64', 'min']);
    expect(found).toContainEqual(['backend/Dockerfile_CPU', 'backend-cpu-linux-amd64', 'max']);
    expect(found.filter(([dockerfile]) => dockerfile.includes('solaris'))).toEqual([]);
  });

  test('a pair of compose files is one project, and what differs in it is a variant', async () => {
    expect(await planFrom('compose')).toEqual([
      ['backend/Dockerfile_CPU', 'backend-api-linux-amd64', 'max'],
      ['backend/Dockerfile', 'backend-worker-gpu-linux-amd64', 'min'],
      ['backend/Dockerfile_CPU', 'backend-worker-cpu-linux-amd64', 'max'],
      ['frontend/Dockerfile.frontend', 'frontend-linux-amd64', 'max'],
    ]);
  });
});

describe('the frontend’s deploy', () => {
  test('a release puts the exported folder into the bucket, with the role’s credentials and the headers of theirs', async () => {
    const run = await example.release('frontend.yml', 'v2.0.11');
    expect(failuresOf(run)).toEqual([]);
    expect(jobOf(run, 'deploy').permissions).toMatchObject({ contents: 'read', packages: 'none', 'id-token': 'write' });
    const { text, headers } = await page('index.html');
    expect(headers['cache-control']).toBe('no-cache, no-store, must-revalidate');
    const [, asset = ''] = /src="\/([^"]+)"/.exec(text) ?? [];
    const script = await page(asset);
    expect(script.headers['cache-control']).toBe('public, max-age=31536000, immutable');
    expect(script.text).toContain('https://api.fair.example/');
    expect(cloudFront.invalidations.map(({ distribution, batch }) => [distribution, batch.paths])).toEqual([
      ['E2FAIR', ['/*']],
    ]);
  });

  test('a run by hand with nothing new sends nothing', async () => {
    const run = await example.dispatch('frontend.yml');
    expect(failuresOf(run)).toEqual([]);
    expect(stepOf(run, 'site').outputs).toMatchObject({ uploaded: '0', unchanged: '3' });
  });
});
