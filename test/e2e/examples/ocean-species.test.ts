import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { append, type Change, replace } from '../../harness/example/changes.ts';
import { type Example, openExample } from '../../harness/example/open-example.ts';
import { pulledTags } from '../../harness/example/published-images.ts';
import { annotationsOf, failuresOf, isReadOnly, jobOf } from '../../harness/example/run-facts.ts';
import { startWeightsServer, type WeightsServer } from '../../harness/example/weights-server.ts';
import type { WorkflowResult } from '../../harness/workflow/workflow-result.ts';

const MODEL = 'ocean-species-identification';
const REPOSITORY = `pmhalvor/${MODEL}`;

let example: Example;
let server: WeightsServer;

beforeAll(async () => {
  server = await startWeightsServer(safetensors());
  example = await openExample({
    name: 'ocean-species',
    repository: 'pmhalvor/Ocean-Species-Identification',
  });
  example.git.commit([replace('models.yml', 'https://models.ocean.example', server.url)]);
});
afterAll(async () => {
  await server?.[Symbol.asyncDispose]();
  await example?.[Symbol.asyncDispose]();
});

/** One tensor of four by four floats, as the committed digest has it. */
function safetensors(): Buffer {
  const header = '{"backbone.weight": {"dtype": "F32", "shape": [4, 4], "data_offsets": [0, 64]}}';
  const text = Buffer.from(header.padEnd(Math.ceil(header.length / 8) * 8));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  return Buffer.concat([length, text, Buffer.from(new Float32Array(16).map((_, index) => index / 16).buffer)]);
}

const builds = (run: WorkflowResult): Readonly<Record<string, unknown>> =>
  Object.fromEntries(
    run.jobs
      .filter(({ id, result }) => id === 'build' && result === 'success')
      .map(({ matrix }) => [String(matrix['image']), matrix['context']]),
  );

describe('the images of the note, as their workflows are written', () => {
  let first: WorkflowResult;

  test('each Dockerfile is built with the one context that holds what it copies', async () => {
    first = await example.firstPush('publish.yml');
    expect(failuresOf(first)).toEqual([]);
    expect(builds(first)).toEqual({
      'greet-app': 'docker',
      'greet2-app': 'docker',
      'greet3-app': 'docker',
      'greet-gradio': 'docker',
      'img2vid-exe': '.',
      [MODEL]: '.',
    });
  });

  test('the one that fits no folder is refused, with the reason for each', () => {
    expect(annotationsOf(first)).toContainEqual(
      expect.objectContaining({
        level: 'warning',
        file: 'docker/Dockerfile',
        line: 4,
        message: expect.stringMatching(/no folder can be the context.*"img2vid\.py".*"docker".*the root/),
      }),
    );
  });

  test('the source that git ignores is reported, with what to do', () => {
    expect(annotationsOf(first)).toContainEqual(
      expect.objectContaining({
        level: 'warning',
        file: 'Dockerfile',
        line: 4,
        message: expect.stringMatching(/"models" is not in a clean checkout: git ignores "models"/),
      }),
    );
  });

  test('the copy of a whole repository is pointed out', () => {
    expect(annotationsOf(first)).toContainEqual(
      expect.objectContaining({
        level: 'notice',
        file: 'Dockerfile',
        message: expect.stringContaining('.dockerignore'),
      }),
    );
  });

  test('images are named by the suffixes of their files, in lower case, with the tags of the push', async () => {
    const names = ['greet-app', 'greet-gradio', 'greet2-app', 'greet3-app', 'img2vid-exe', MODEL];
    const published = await example.images.all();
    expect(Object.keys(published)).toEqual(names.map((name) => `${REPOSITORY}/${name}`).toSorted());
    const commit = `sha-${example.git.head().slice(0, 7)}`;
    for (const tags of Object.values(published)) expect(pulledTags(tags)).toEqual(['latest', 'main', commit]);
  });

  test('the executable image and the image with a GUI are what they say', async () => {
    const { config: executable } = await example.images.image(`${REPOSITORY}/img2vid-exe`, 'latest');
    expect(executable.Entrypoint).toEqual(['python', 'img2vid.py']);
    const { config: gui } = await example.images.image(`${REPOSITORY}/greet-gradio`, 'latest');
    expect(gui.Env).toEqual(expect.arrayContaining(['SERVER_NAME=0.0.0.0', 'SERVER_PORT=7860']));
  });

  test('weights were fetched and verified before the one build that carries them', async () => {
    const verified = first.jobs.filter(({ steps }) => steps.some(({ outputs }) => outputs['verified'] === '1'));
    expect(verified.map(({ matrix }) => matrix['image'])).toEqual([MODEL]);
    const layers = await example.images.layers(`${REPOSITORY}/${MODEL}`, 'latest');
    expect(layers.some((layer) => layer.includes(safetensors()))).toBe(true);
  });

  test('each image with a GUI was asked at its port before it was published, and no other was', () => {
    const asked = first.jobs.flatMap(({ matrix, steps }) => {
      const [, port] = /smoke: (port \d+)/.exec(steps.map(({ summary }) => summary).join('\n')) ?? [];
      return port === undefined ? [] : [[matrix['image'], port]];
    });
    expect(asked.toSorted()).toEqual([
      ['greet-gradio', 'port 7860'],
      [MODEL, 'port 7861'],
    ]);
  });

  test('a change of one greeting builds its image alone, and that which copies everything', async () => {
    const before = await example.images.all();
    const run = await example.push('publish.yml', append('docker/greet2.py', '# a word more'));
    expect(failuresOf(run)).toEqual([]);
    expect(Object.keys(builds(run)).toSorted()).toEqual(['greet2-app', MODEL]);
    const after = await example.images.all();
    expect(after[`${REPOSITORY}/greet-app`]).toEqual(before[`${REPOSITORY}/greet-app`]);
    expect(after[`${REPOSITORY}/greet2-app`]?.['latest']).not.toBe(before[`${REPOSITORY}/greet2-app`]?.['latest']);
  });

  test('weights that were verified once come out of GitHub’s cache: their server may hold others by now', async () => {
    server.weights = Buffer.concat([safetensors(), Buffer.from([0])]);
    const run = await example.push('publish.yml', append('src/app.py', '# a word more'));
    expect(failuresOf(run)).toEqual([]);
  });

  test('weights that are not those of the committed digest stop the build, and move no name', async () => {
    const before = await example.images.all();
    const run = await example.push('publish.yml', replace('models.yml', '9c98310f', '00000000'));
    expect(jobOf(run, 'build').result).toBe('failure');
    expect(jobOf(run, 'build').annotations).toContainEqual(
      expect.objectContaining({ level: 'error', file: 'models.yml', line: 2 }),
    );
    expect(jobOf(run, 'publish').result).toBe('skipped');
    expect(await example.images.all()).toEqual(before);
    example.git.commit([replace('models.yml', '00000000', '9c98310f')]);
  });

  test('a pull request from a fork builds what it changes, and writes nothing', async () => {
    const before = await example.images.all();
    const run = await example.pullRequest('validate.yml', 'fork', append('docker/greet_gradio.py', '# from a fork'));
    expect(failuresOf(run)).toEqual([]);
    expect(Object.keys(builds(run)).toSorted()).toEqual(['greet-gradio', MODEL]);
    expect(jobOf(run, 'validated').result).toBe('success');
    expect(isReadOnly(run)).toBe(true);
    expect(await example.images.all()).toEqual(before);
  });

  test.each<[string, Change, RegExp]>([
    ['a build that fails', append('docker/Dockerfile.greet-app', 'RUN false'), /RUN false/],
    ['a GUI that does not start', replace('docker/greet_gradio.py', 'import os', 'import oss'), /port 7860.*oss/s],
  ])('a pull request with %s is not validated', async (_, change, message) => {
    const run = await example.pullRequest('validate.yml', 'branch', change);
    expect(annotationsOf(run)).toContainEqual(
      expect.objectContaining({ level: 'error', message: expect.stringMatching(message) }),
    );
    expect(jobOf(run, 'validated').result).toBe('failure');
  });

  test('a tag publishes all of them as one version', async () => {
    const run = await example.pushTag('publish.yml', 'v0.2.0');
    expect(failuresOf(run)).toEqual([]);
    const published = Object.values(await example.images.all());
    expect(published).toHaveLength(6);
    for (const tags of published) expect(tags['0.2.0']).toBe(tags['latest']);
  });
});
