import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { request } from '../../src/core/net/request.ts';
import { readConfig, resolveImage } from '../../src/core/registry/platform-image.ts';
import { createRegistryClient } from '../../src/core/registry/registry-client.ts';
import { fieldOf } from '../../src/core/runner/event.ts';
import { append, replace, write } from '../harness/example/changes.ts';
import { type Example, openExample } from '../harness/example/open-example.ts';
import { pulledTags } from '../harness/example/published-images.ts';
import { failuresOf, isReadOnly, jobOf, reasonsOf } from '../harness/example/run-facts.ts';
import type { JobResult, WorkflowResult } from '../harness/workflow/workflow-result.ts';

const IMAGES = ['base', 'api', 'frontend'];

let example: Example;

beforeAll(async () => {
  example = await openExample({
    name: 'one-line',
    source: path.join(import.meta.dirname, 'repositories/one-line'),
    repository: 'Acme/One-Line',
    vars: ({ vars }) => vars,
  });
});
afterAll(() => example?.[Symbol.asyncDispose]());

const jobNames = (run: WorkflowResult, end: JobResult['result']): string[] =>
  run.jobs.filter((job) => job.result === end).map(({ name }) => name);

const lastNames = (names: readonly string[]): (string | undefined)[] => names.map((name) => name.split(' / ').at(-1));

/** Digests by tag. */
async function tagsOf(image: string): Promise<Readonly<Record<string, string>>> {
  return (await example.images.all())[`acme/one-line_${image}`] ?? {};
}

async function page(): Promise<string> {
  const answer = await request({ url: `${example.world.s3.endpoint}/safety-site/index.html` });
  return answer.body.toString();
}

describe('release.yml, called with one line', () => {
  let first: WorkflowResult;

  test('builds what is built from each other in waves, publishes it, and deploys the site', async () => {
    first = await example.firstPush('release.yml');
    expect(failuresOf(first)).toEqual([]);
    expect(jobNames(first, 'success')).toEqual([
      'release / plan',
      'release / wave-1 / build base-linux-amd64',
      'release / wave-1 / build frontend-linux-amd64',
      'release / wave-2 / build api-linux-amd64',
      'release / publish',
      'release / site',
      'release / all-passed',
    ]);
    for (const image of IMAGES) expect(Object.keys(await tagsOf(image))).toContain('latest');
    expect(await page()).toContain('Hello');
  });

  test('starts the second wave from the image that the first has pushed, not from one built again', async () => {
    const api = first.jobs.find(({ name }) => name.endsWith('build api-linux-amd64'));
    expect(api?.log).toContain(`one-line_base@${(await tagsOf('base'))['latest']}, built earlier in this run`);
  });

  test('says in the labels of an image which model it carries', async () => {
    const reference = { registry: example.world.registry.host, name: 'acme/one-line_api', tag: 'latest' };
    const client = createRegistryClient();
    const { config } = await resolveImage(client, reference, 'linux/amd64');
    expect(fieldOf(await readConfig(client, reference, config), 'config', 'Labels')).toMatchObject({
      'dev.slipway.model.model.npy': expect.stringMatching(/^sha256:[0-9a-f]{64}$/),
    });
  });

  test('gives each job the permissions it needs, and the identity token to the deploying one alone', () => {
    const granted = first.jobs
      .filter(({ result }) => result === 'success')
      .map(({ id, permissions }): [string, readonly string[]] => [
        id,
        Object.entries(permissions).flatMap(([scope, access]) => (access === 'none' ? [] : [`${scope}: ${access}`])),
      ]);
    expect(Object.fromEntries(granted)).toEqual({
      'release/plan': ['contents: read', 'packages: read'],
      'release/wave-1/build': ['contents: read', 'packages: write'],
      'release/wave-2/build': ['contents: read', 'packages: write'],
      'release/publish': ['contents: read', 'packages: write'],
      'release/site': ['id-token: write', 'packages: read'],
      'release/all-passed': [],
    });
  });

  test('builds, publishes and deploys nothing after a push of documentation, and passes', async () => {
    const before = await example.images.all();
    const run = await example.push('release.yml', write('docs/usage.md', 'How to say hello.\n'));
    expect(failuresOf(run)).toEqual([]);
    expect(jobNames(run, 'success')).toEqual(['release / plan', 'release / all-passed']);
    expect(run.conclusion).toBe('success');
    expect(await example.images.all()).toEqual(before);
  });

  test('builds on a change of a base what is built from it, and leaves the site as it is', async () => {
    const [api, frontend] = [await tagsOf('api'), await tagsOf('frontend')];
    const run = await example.push('release.yml', append('base/greeting', 'and good morning'));
    expect(failuresOf(run)).toEqual([]);
    expect(jobOf(run, 'release/site').result).toBe('skipped');
    expect((await tagsOf('api'))['latest']).not.toBe(api['latest']);
    expect(await tagsOf('frontend')).toEqual(frontend);
  });

  test('builds what an earlier push changed and did not get built', async () => {
    const before = await tagsOf('api');
    example.git.commit([append('base/greeting', 'said in a run that was cancelled')]);
    const run = await example.push('release.yml', write('docs/usage.md', 'How to say hello again.\n'));
    expect(failuresOf(run)).toEqual([]);
    expect(reasonsOf(run)).toEqual({
      'base-linux-amd64': 'the registry holds no image of its inputs',
      'api-linux-amd64': 'the registry holds no image of its inputs',
    });
    expect((await tagsOf('api'))['latest']).not.toBe(before['latest']);
  });

  test.each([
    { event: 'a tag', start: () => example.pushTag('release.yml', 'v1.2.0'), tag: '1.2.0' },
    {
      event: 'a release',
      start: () => {
        example.git.tag('v1.3.0');
        return example.release('release.yml', 'v1.3.0');
      },
      tag: '1.3.0',
    },
  ])('publishes everything under the names of $event', async ({ start, tag }) => {
    const run = await start();
    expect(failuresOf(run)).toEqual([]);
    expect(jobNames(run, 'success').filter((name) => name.includes('build'))).toHaveLength(IMAGES.length);
    for (const image of IMAGES) expect(Object.keys(await tagsOf(image))).toContain(tag);
  });

  test('builds everything on newer base images on a schedule, under its date, and looks for none on a push', async () => {
    const run = await example.schedule('release.yml', '17 3 * * 1');
    expect(failuresOf(run)).toEqual([]);
    for (const image of IMAGES)
      expect(Object.keys(await tagsOf(image))).toContainEqual(expect.stringMatching(/^\d{8}$/));
    const pulls = ({ jobs }: WorkflowResult): readonly boolean[] =>
      jobs.flatMap(({ steps }) =>
        steps.flatMap(({ outputs: { definition } }) =>
          definition === undefined ? [] : [/"pull":\s*true/.test(definition)],
        ),
      );
    expect(pulls(run)).toEqual(IMAGES.map(() => true));
    expect(pulls(first)).toEqual(IMAGES.map(() => false));
  });

  test('takes a part of the images in each of two calls, with caches in the registry or none', async () => {
    const run = await example.push('parts.yml', append('base/greeting', 'to all'), append('site/index.html', '<p>All'));
    expect(failuresOf(run)).toEqual([]);
    expect(jobNames(run, 'success').filter((name) => name.includes('/ build'))).toEqual([
      'services / wave-1 / build base-linux-amd64',
      'services / wave-2 / build api-linux-amd64',
      'pages / wave-1 / build frontend-linux-amd64',
    ]);
    for (const image of IMAGES) expect(Object.keys(await tagsOf(image))).toContain('parts');
    const cached = async (image: string) =>
      Object.keys(await tagsOf(image)).some((tag) => tag.startsWith('buildcache-'));
    expect(await Promise.all(IMAGES.map(cached))).toEqual([true, true, false]);
  });

  test.each([
    {
      what: 'when a model is another than its checksum says',
      change: append('api/model.npy', 'tampered'),
      failed: ['build api-linux-amd64', 'all-passed'],
    },
    {
      what: 'when an image of the first wave does not build, and builds nothing upon it',
      change: append('base/Dockerfile', 'COPY --from=acme/nowhere:1 / /'),
      failed: ['build base-linux-amd64', 'all-passed'],
    },
  ])('names nothing and fails its one check $what', async ({ change, failed }) => {
    const before = await example.images.all();
    const run = await example.push('release.yml', change);
    expect(lastNames(jobNames(run, 'failure'))).toEqual(failed);
    expect(jobOf(run, 'release/publish').result).toBe('skipped');
    const named = async () =>
      Object.entries(await example.images.all()).map(([image, tags]) => [image, pulledTags(tags)] as const);
    expect(await named()).toEqual(Object.entries(before).map(([image, tags]) => [image, pulledTags(tags)]));
    example.git.run('revert', '--no-edit', 'HEAD');
  });

  test('says what to do when images are built from each other more than three deep', async () => {
    const images = [
      'base: { context: base, tags: [acme/base:1] }',
      'api: { context: api, tags: [acme/api:1] }',
      'third: { context: ., dockerfile_inline: "FROM acme/api:1", tags: [acme/third:1] }',
      'fourth: { context: ., dockerfile_inline: "FROM acme/third:1" }',
    ];
    const definitions = `images:\n${images.map((image) => `  ${image}\n`).join('')}`;
    const run = await example.push(
      'release.yml',
      write('.github/images.yml', definitions),
      append('base/greeting', 'deep'),
    );
    expect(jobOf(run, 'release/plan').annotations).toContainEqual(
      expect.objectContaining({ level: 'error', message: expect.stringContaining('four deep') }),
    );
    expect(lastNames(jobNames(run, 'failure'))).toEqual(['plan', 'all-passed']);
    example.git.run('revert', '--no-edit', 'HEAD');
  });
});

describe('validate.yml, called with one line', () => {
  test('finds on a pull request what the release would find, and pushes nothing', async () => {
    const before = await example.images.all();
    const run = await example.pullRequest('validate.yml', 'branch', append('api/model.npy', 'tampered'));
    expect(lastNames(jobNames(run, 'failure'))).toEqual(['build api-linux-amd64', 'all-passed']);
    expect(await example.images.all()).toEqual(before);
  });

  test('builds from a fork, with a token that reads and no secret, an image together with its base', async () => {
    const run = await example.pullRequest('validate.yml', 'fork', append('base/greeting', 'and good evening'));
    expect(failuresOf(run)).toEqual([]);
    expect(jobNames(run, 'success')).toEqual([
      'validate / plan',
      'validate / build / build api-linux-amd64',
      'validate / all-passed',
    ]);
    expect(isReadOnly(run)).toBe(true);
  });

  test('reports its check also when nothing is to be built', async () => {
    const run = await example.pullRequest('validate.yml', 'branch', write('docs/more.md', 'More.\n'));
    expect(jobNames(run, 'success')).toEqual(['validate / plan', 'validate / all-passed']);
    expect(run.conclusion).toBe('success');
  });

  test('takes the part of the images that it is asked for', async () => {
    const run = await example.pullRequest(
      'validate.yml',
      'fork',
      append('base/greeting', 'and good night'),
      append('site/index.html', '<p>Good night</p>'),
      replace('.github/workflows/validate.yml', 'with:\n', 'with:\n      include: front*\n'),
    );
    expect(failuresOf(run)).toEqual([]);
    expect(lastNames(jobNames(run, 'success'))).toEqual(['plan', 'build frontend-linux-amd64', 'all-passed']);
  });

  test('says what to do with more rows than it hands on', async () => {
    const images = Array.from({ length: 401 }, (_, index) => `  site-${index}: { context: site }\n`);
    const run = await example.pullRequest(
      'validate.yml',
      'branch',
      write('.github/images.yml', `images:\n${images.join('')}`),
    );
    expect(jobOf(run, 'validate/plan').annotations).toContainEqual(
      expect.objectContaining({ level: 'error', message: expect.stringMatching(/^401 rows are more.*"include"/) }),
    );
    expect(lastNames(jobNames(run, 'failure'))).toEqual(['plan', 'all-passed']);
  });
});
