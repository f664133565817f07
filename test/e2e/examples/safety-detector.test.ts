import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { append, type Change, replace, write } from '../../harness/example/changes.ts';
import { type Example, openExample } from '../../harness/example/open-example.ts';
import { annotationsOf, failuresOf, isReadOnly, jobOf, reasonsOf } from '../../harness/example/run-facts.ts';

let example: Example;

beforeAll(async () => {
  example = await openExample({ name: 'safety-detector', repository: 'Code-Martians/Safety-Detector' });
});
afterAll(() => example?.[Symbol.asyncDispose]());

// What its release workflow publishes and deploys is in test/e2e/release.test.ts.
describe('pull requests to the safety detector', () => {
  test('of all three images, from a fork, are built with the rules of the release and a token that can write nothing', async () => {
    const run = await example.pullRequest(
      'validate.yml',
      'fork',
      append('backend/app.py', '# more'),
      append('frontend/src/style.css', 'h1 { margin: 0; }'),
      append('yolov8_model/copy_model.sh', '# more'),
    );
    expect(failuresOf(run)).toEqual([]);
    expect(Object.keys(reasonsOf(run))).toEqual([
      'backend-linux-amd64',
      'frontend-linux-amd64',
      'yolov8-model-linux-amd64',
    ]);
    const models = run.jobs.flatMap(({ steps }) => steps.flatMap(({ outputs }) => outputs['verified'] ?? []));
    expect(models).toEqual(['1']);
    expect(jobOf(run, 'validated').result).toBe('success');
    expect(isReadOnly(run)).toBe(true);
    expect(await example.images.all()).toEqual({});
    expect(annotationsOf(run)).toContainEqual(
      expect.objectContaining({
        level: 'notice',
        file: 'frontend/Dockerfile',
        message: expect.stringContaining('the stage deps-prod feeds no image'),
      }),
    );
  });

  test('of a stage that feeds nothing build nothing', async () => {
    const change = replace('frontend/Dockerfile', 'production dependencies: none', 'production dependencies: two');
    expect(reasonsOf(await example.pullRequest('validate.yml', 'branch', change))).toEqual({});
  });

  test.each<[string, Change, { file: string; line: number; message: RegExp }]>([
    [
      'a Dockerfile of no bytes',
      write('backend/Dockerfile', ''),
      { file: 'backend/Dockerfile', line: 1, message: /empty/ },
    ],
    [
      'a COPY from outside the context',
      replace('yolov8_model/Dockerfile', 'COPY best.pt SHA256SUMS', 'COPY models/best.pt SHA256SUMS'),
      { file: 'yolov8_model/Dockerfile', line: 5, message: /"models\/best\.pt" is not in the context "yolov8_model"/ },
    ],
    [
      'a COPY from a wrong path',
      replace('backend/Dockerfile', 'COPY app.py detector.py', 'COPY src/app.py detector.py'),
      { file: 'backend/Dockerfile', line: 20, message: /"src\/app\.py" is not in the context "backend"/ },
    ],
  ])('with %s are stopped at its line before anything is built', async (_, change, { message, ...place }) => {
    const run = await example.pullRequest('validate.yml', 'branch', change);
    expect(jobOf(run, 'plan').annotations).toContainEqual(
      expect.objectContaining({ level: 'error', ...place, message: expect.stringMatching(message) }),
    );
    expect(jobOf(run, 'build').result).toBe('skipped');
    expect(jobOf(run, 'validated').result).toBe('failure');
  });

  test.each<[string, readonly Change[], RegExp]>([
    ['no user', [replace('backend/Dockerfile', 'USER 1000', '# USER 1000')], /root/],
    ['no health check', [append('frontend/Dockerfile', 'HEALTHCHECK NONE')], /health/i],
    ['source maps', [replace('frontend/Dockerfile', "-name '*.map' -delete", "-name '*.map'")], /\.map/],
    [
      'a folder of nobody’s, dist for build',
      [replace('frontend/Dockerfile', '/app/build', '/app/dist')],
      /\/app\/dist/,
    ],
  ])('with %s are not validated', async (_, changes, message) => {
    const run = await example.pullRequest('validate.yml', 'branch', ...changes);
    expect(jobOf(run, 'build').annotations).toContainEqual(
      expect.objectContaining({ level: 'error', message: expect.stringMatching(message) }),
    );
    expect(jobOf(run, 'validated').result).toBe('failure');
  });
});
