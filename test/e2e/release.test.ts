import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { request } from '../../src/core/net/request.ts';
import { append } from '../harness/example/changes.ts';
import { type Example, openExample, TOKEN } from '../harness/example/open-example.ts';
import { failuresOf, jobOf } from '../harness/example/run-facts.ts';
import type { WorkflowResult } from '../harness/workflow/workflow-result.ts';

let example: Example;

beforeAll(async () => {
  example = await openExample({
    name: 'safety-detector',
    repository: 'Acme/Safety-Detector',
    vars: ({ vars }) => vars,
  });
});
afterAll(() => example?.[Symbol.asyncDispose]());

const builtRows = (result: WorkflowResult): string[] =>
  result.jobs
    .filter(({ id, result: end }) => id === 'build' && end === 'success')
    .map(({ matrix }) => String(matrix['image']))
    .sort();

const imageOf = (image: string, tag: string) => example.images.image(`acme/safety-detector/${image}`, tag);

async function page(key: string): Promise<{ status: number; headers: Readonly<Record<string, string>>; text: string }> {
  const answer = await request({ url: `${example.world.s3.endpoint}/safety-site/${key}` });
  return { status: answer.status, headers: answer.headers, text: answer.body.toString() };
}

describe('a release of the safety detector, as its workflow is written', () => {
  let first: WorkflowResult;

  test('builds every image of a new branch, publishes them, and deploys the site', async () => {
    first = await example.firstPush('release.yml');
    expect(failuresOf(first)).toEqual([]);
    expect(first.jobs.map(({ result }) => result)).not.toContain('skipped');
    expect(builtRows(first)).toEqual(['backend', 'frontend', 'yolov8-model']);
  });

  test('names each image once it is whole, in lower case, with the tags of the event', async () => {
    const short = `sha-${example.git.head().slice(0, 7)}`;
    for (const image of ['backend', 'frontend', 'yolov8-model']) {
      const { digest, platforms } = await imageOf(image, 'latest');
      expect(platforms).toContain('linux/amd64');
      expect((await imageOf(image, 'main')).digest).toBe(digest);
      expect((await imageOf(image, short)).digest).toBe(digest);
    }
  });

  test('verifies the model before the one build that carries it', () => {
    const verified = first.jobs.filter(({ steps }) => steps.some(({ outputs }) => outputs['verified'] === '1'));
    expect(verified.map(({ matrix }) => matrix['image'])).toEqual(['yolov8-model']);
  });

  test('serves a page whose assets are all there, without source maps, with headers that fit', async () => {
    const { text, headers } = await page('index.html');
    expect(headers['content-type']).toBe('text/html; charset=utf-8');
    expect(headers['cache-control']).toBe('no-cache');
    const assets = [...text.matchAll(/(?:src|href)="\/([^"]+)"/g)].map(([, asset]) => asset ?? '');
    expect(assets).toHaveLength(3);
    for (const asset of assets) expect((await page(asset)).status, asset).toBe(200);
    const script = await page(assets.find((asset) => asset.endsWith('.js')) ?? '');
    expect(script.text).toContain('https://api.safety.example');
    expect(script.headers['cache-control']).toBe('public, max-age=31536000, immutable');
  });

  test('builds only the frontend after one line of its style changed, and leaves the other names alone', async () => {
    const before = { backend: await imageOf('backend', 'latest'), frontend: await imageOf('frontend', 'latest') };
    const result = await example.push('release.yml', append('frontend/src/style.css', 'h1 { margin: 0; }'));
    expect(result.conclusion).toBe('success');
    expect(builtRows(result)).toEqual(['frontend']);
    expect(jobOf(result, 'build').matrix['reason']).toBe('frontend/src/style.css changed');
    expect((await imageOf('backend', 'latest')).digest).toBe(before.backend.digest);
    expect((await imageOf('frontend', 'latest')).digest).not.toBe(before.frontend.digest);
    expect(jobOf(result, 'site').steps.find(({ outputs }) => outputs['uploaded'] !== undefined)?.outputs).toMatchObject(
      {
        uploaded: '2',
        unchanged: '2',
      },
    );
  });

  test('builds, publishes and deploys nothing after a change that no image reads', async () => {
    const result = await example.push('release.yml', append('README.md', 'More words.'));
    expect(result.conclusion).toBe('success');
    expect(result.jobs.map(({ id, result: end }) => [id, end])).toEqual([
      ['plan', 'success'],
      ['build', 'skipped'],
      ['publish', 'skipped'],
      ['site', 'skipped'],
    ]);
  });

  test('stops before the build when the model is another than its checksum says, and moves no name', async () => {
    const before = await imageOf('yolov8-model', 'latest');
    const result = await example.push('release.yml', append('yolov8_model/best.pt', 'tampered'));
    expect(jobOf(result, 'build').result).toBe('failure');
    expect(jobOf(result, 'build').annotations).toContainEqual(
      expect.objectContaining({ level: 'error', file: 'yolov8_model/SHA256SUMS', line: 1 }),
    );
    expect(jobOf(result, 'publish').result).toBe('skipped');
    expect((await imageOf('yolov8-model', 'latest')).digest).toBe(before.digest);
  });

  test('prints its token in no log', () => {
    for (const { log } of first.jobs) expect(log).not.toContain(TOKEN);
  });
});
