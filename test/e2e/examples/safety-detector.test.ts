import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { append, type Change, replace, write } from '../../harness/example/changes.ts';
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
import { assetsOf, sitePage } from '../../harness/example/site-pages.ts';

const IMAGES = ['backend', 'frontend', 'yolov8-model'];
const nameOf = (image: string): string => `code-martians/safety-detector/${image}`;

let example: Example;

beforeAll(async () => {
  example = await openExample({
    name: 'safety-detector',
    repository: 'Code-Martians/Safety-Detector',
    vars: (world) => world.vars,
  });
});
afterAll(() => example?.[Symbol.asyncDispose]());

// Changes of one image, and a model that was tampered with, are in test/e2e/release.test.ts.
describe('what is released of the safety detector', () => {
  test('a push to main builds the stages that run, publishes them, and deploys the site', async () => {
    const run = await example.firstPush('release.yml');
    expect(failuresOf(run)).toEqual([]);
    const targets = Object.values(bakeTargets(run)).map(({ target }) => target);
    expect(targets.toSorted()).toEqual(['production', 'runtime', 'runtime']);
    const published = await example.images.all();
    const commit = `sha-${example.git.head().slice(0, 7)}`;
    for (const image of IMAGES) expect(pulledTags(published[nameOf(image)])).toEqual(['latest', 'main', commit]);
    const page = await sitePage(example.world, 'index.html');
    for (const asset of assetsOf(page)) expect((await sitePage(example.world, asset)).status, asset).toBe(200);
    expect(page.headers['content-type']).toBe('text/html; charset=utf-8');
  });

  test('no image runs as root, each says whether it is well, and what it was told is in it', async () => {
    const configs = await Promise.all(IMAGES.map(async (image) => (await published(image)).config));
    expect(configs.map(({ User }) => User)).toEqual(['1000', '101', '1000']);
    expect(configs.map(({ Healthcheck }) => Healthcheck?.Test[0])).toEqual(['CMD-SHELL', 'CMD-SHELL', 'CMD-SHELL']);
    expect(configs[0]?.Env).toEqual(expect.arrayContaining(['MODEL_PATH=/app/models/best.pt', 'INFERENCE_SIZE=480']));
  });

  test('a tag publishes all three as one version, and deploys what is there already without sending a file', async () => {
    const before = await example.images.all();
    const run = await example.pushTag('release.yml', 'v1.2.0');
    expect(failuresOf(run)).toEqual([]);
    const after = await example.images.all();
    for (const image of IMAGES) {
      const tags = after[nameOf(image)] ?? {};
      expect(Object.keys(tags).filter((tag) => !(tag in (before[nameOf(image)] ?? {})))).toEqual([
        '1',
        '1.2',
        '1.2.0',
        'v1.2.0',
      ]);
      expect(tags['latest']).toBe(tags['1.2.0']);
    }
    const [deployed] = jobOf(run, 'site').steps.flatMap(({ outputs }) => (outputs['uploaded'] ? [outputs] : []));
    expect(deployed).toMatchObject({ uploaded: '0', unchanged: '4' });
  });
});

describe('pull requests to the safety detector', () => {
  test('of all three images, from a fork, are built with the rules of the release and a token that can write nothing', async () => {
    const before = await example.images.all();
    const run = await example.pullRequest(
      'validate.yml',
      'fork',
      append('backend/app.py', '# more'),
      append('frontend/src/style.css', 'h1 { margin: 0; }'),
      append('yolov8_model/copy_model.sh', '# more'),
    );
    expect(failuresOf(run)).toEqual([]);
    expect(Object.keys(reasonsOf(run))).toEqual(IMAGES.map((image) => `${image}-linux-amd64`));
    const models = run.jobs.flatMap(({ steps }) => steps.flatMap(({ outputs }) => outputs['verified'] ?? []));
    expect(models).toEqual(['1']);
    const summaries = run.jobs.flatMap(({ steps }) => steps.map(({ summary }) => summary)).join('\n');
    for (const limit of ['2.0 GB', '100 MB', '30.0 MB']) expect(summaries).toContain(limit);
    expect(summaries.match(/max-growth/g)).toHaveLength(3);
    expect(jobOf(run, 'validated').result).toBe('success');
    expect(isReadOnly(run)).toBe(true);
    expect(await example.images.all()).toEqual(before);
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
      replace('yolov8_model/Dockerfile', 'COPY best.pt SHA256SUMS', 'COPY ../YOLOv8/best.pt SHA256SUMS'),
      { file: 'yolov8_model/Dockerfile', line: 5, message: /"YOLOv8\/best\.pt" is not in the context "yolov8_model"/ },
    ],
    [
      'a COPY from a wrong path',
      replace('backend/Dockerfile', 'COPY app.py detector.py', 'COPY src/app.py detector.py'),
      { file: 'backend/Dockerfile', line: 20, message: /"src\/app\.py" is not in the context "backend"/ },
    ],
    [
      'dist, where Vite writes to build',
      replace('frontend/Dockerfile', '/app/build', '/app/dist'),
      {
        file: 'frontend/Dockerfile',
        line: 28,
        message: /"\/app\/dist" is made by no step.*"\/app\/build" \(frontend\/vite\.config\.js:2\)/,
      },
    ],
  ])('with %s are stopped at its line before anything is built', async (_, change, { message, ...place }) => {
    const run = await example.pullRequest('validate.yml', 'branch', change);
    expect(jobOf(run, 'plan').annotations).toContainEqual(
      expect.objectContaining({ level: 'error', ...place, message: expect.stringMatching(message) }),
    );
    expect(jobOf(run, 'build').result).toBe('skipped');
    expect(jobOf(run, 'validated').result).toBe('failure');
  });

  const random = (bytes: number, file: string): string => `RUN head -c ${bytes} /dev/urandom >${file}`;
  const tampered = append('yolov8_model/best.pt', 'tampered');
  test.each<[string, readonly Change[], readonly RegExp[]]>([
    [
      'a backend with root, a compiler and compiled leftovers',
      [
        replace('backend/Dockerfile', 'USER 1000', 'RUN touch /usr/bin/gcc'),
        append('backend/Dockerfile', 'RUN mkdir models/__pycache__ && touch models/__pycache__/a.pyc'),
      ],
      [/non-root/, /no-build-tools.*gcc/, /forbid-paths.*__pycache__/],
    ],
    [
      'a frontend with source maps, no health check, and a tenth more than is published',
      [
        replace('frontend/Dockerfile', "-name '*.map' -delete", "-name '*.map'"),
        append('frontend/Dockerfile', `HEALTHCHECK NONE\n${random(9_000_000, '/tmp/more')}`),
      ],
      [/forbid-paths.*\.map/, /healthcheck/, /max-growth: .* published, of at most 10 % more/],
    ],
    [
      'a model’s image beyond its budget',
      [append('yolov8_model/Dockerfile', random(30_000_001, '/tmp/more'))],
      [/max-size: .* of at most 30\.0 MB/],
    ],
    ['another model than the one whose digest is committed', [tampered], [/best\.pt: its sha256 is .* is expected/]],
    [
      'such a model, when the image alone compares it',
      [tampered, replace('.github/images.yml', 'models: [yolov8_model/best.pt]', '')],
      [/sha256sum -c/],
    ],
  ])('with %s are not validated', async (_, changes, messages) => {
    const run = await example.pullRequest('validate.yml', 'branch', ...changes);
    for (const message of messages)
      expect(jobOf(run, 'build').annotations).toContainEqual(
        expect.objectContaining({ level: 'error', message: expect.stringMatching(message) }),
      );
    expect(jobOf(run, 'validated').result).toBe('failure');
  });
});

test('without definitions, the compose file says the same: contexts, targets, arguments of its list', async () => {
  const rows = await planRows(example, { source: 'compose' });
  expect(rows.map(({ id, context, target, args }) => [id, context, target, args])).toEqual([
    ['yolov8-model-linux-amd64', 'yolov8_model', 'runtime', {}],
    ['backend-linux-amd64', 'backend', 'runtime', {}],
    ['frontend-linux-amd64', 'frontend', 'production', { VITE_API_URL: 'http://localhost:8000' }],
  ]);
});

const published = (image: string): ReturnType<Example['images']['image']> =>
  example.images.image(nameOf(image), 'latest');
