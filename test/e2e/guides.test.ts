import { createHash } from 'node:crypto';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { fencesOf } from '../../scripts/docs/markdown.ts';
import { request } from '../../src/core/net/request.ts';
import { append, type Change, write } from '../harness/example/changes.ts';
import { type Example, openExample } from '../harness/example/open-example.ts';
import { failuresOf, jobOf, stepOf } from '../harness/example/run-facts.ts';
import { type CloudFront, startCloudFront } from '../harness/standins/cloudfront.ts';
import type { WorkflowResult } from '../harness/workflow/workflow-result.ts';

const root = path.resolve(import.meta.dirname, '../..');

let source: string;
let cloudFront: CloudFront;
let example: Example;

/** The YAML of a guide that begins with this line; the first one, or the one of this place among several. */
function snippetOf(guide: string, begin: string, place = 0): string {
  const markdown = readFileSync(path.join(root, 'docs/guides', guide), 'utf8');
  const all = fencesOf(markdown).filter(({ language, text }) => language === 'yaml' && text.startsWith(`${begin}\n`));
  const found = all[place];
  if (found === undefined) throw new Error(`${guide} shows nothing that begins with ${JSON.stringify(begin)}`);
  return found.text;
}

/**
 * A guide's workflow as a reader would put it into the repository: with the names of their own registry, bucket and role,
 * and without what the guide says is only for Git LFS.
 */
const workflowOf =
  (guide: string, name: string, place = 0): Change =>
  (folder) => {
    const text = snippetOf(guide, `name: ${name}`, place)
      .replaceAll(/ghcr\.io|containers\.github\.example\.com/g, example.world.registry.host)
      .replace(/^ +with: \{ lfs: true \} # only where .*\n/m, '')
      .replaceAll('acme-site', example.world.vars['SITE_BUCKET'] ?? '')
      .replaceAll('arn:aws:iam::123456789012:role/site', example.world.vars['SITE_ROLE'] ?? '');
    write('.github/workflows/guide.yml', text)(folder);
  };

const definitionsOf = (guide: string): Change => write('.github/images.yml', snippetOf(guide, '# .github/images.yml'));

const dockerfile = (file: string, ...lines: readonly string[]): Change => write(file, `${lines.join('\n')}\n`);

const builtBy = (run: WorkflowResult): readonly string[] =>
  run.jobs.flatMap(({ steps }) =>
    steps.flatMap(({ outputs: { definition } }) =>
      definition === undefined ? [] : Object.keys(JSON.parse(definition).target),
    ),
  );

async function page(key: string): Promise<{ readonly status: number; readonly text: string }> {
  const bucket = example.world.vars['SITE_BUCKET'] ?? '';
  const answer = await request({ url: `${example.world.s3.endpoint}/${bucket}/${key}` });
  return { status: answer.status, text: answer.body.toString() };
}

beforeAll(async () => {
  source = mkdtempSync(path.join(tmpdir(), 'slipway-guides-'));
  writeFileSync(path.join(source, 'Dockerfile'), 'FROM alpine:3.19\nCOPY words /words\nUSER 1000\n');
  writeFileSync(path.join(source, 'words'), 'Hello\n');
  const npm = { name: 'site', version: '1.0.0', scripts: { build: 'mkdir -p dist && cp page.html dist/index.html' } };
  writeFileSync(path.join(source, 'package.json'), JSON.stringify(npm));
  writeFileSync(
    path.join(source, 'package-lock.json'),
    JSON.stringify({ name: 'site', version: '1.0.0', lockfileVersion: 3, packages: { '': npm } }),
  );
  writeFileSync(path.join(source, 'page.html'), '<h1>First</h1>\n');
  cloudFront = await startCloudFront({ distributions: [{ id: 'E1A2B3C4D5E6F7' }] });
  example = await openExample({
    name: 'guides',
    source,
    repository: 'Acme/Guides',
    environment: () => ({ AWS_ENDPOINT_URL_CLOUDFRONT: cloudFront.url }),
    vars: ({ vars }) => ({
      ...vars,
      PREVIEW_BUCKET: vars['SITE_BUCKET'] ?? '',
      PREVIEW_ROLE: vars['SITE_ROLE'] ?? '',
      API_URL: 'https://api.example.com',
    }),
  });
});
afterAll(async () => {
  await example?.[Symbol.asyncDispose]();
  await cloudFront?.[Symbol.asyncDispose]();
  rmSync(source, { recursive: true, force: true });
});

describe('what a guide shows works as it stands:', () => {
  test('two variants of an image in one build', async () => {
    const run = await example.pullRequest(
      'guide.yml',
      'branch',
      workflowOf('variants.md', 'both'),
      definitionsOf('variants.md'),
      dockerfile('backend/Dockerfile', 'FROM alpine:3.19', 'RUN echo gpu > /variant'),
      dockerfile('backend/Dockerfile_CPU', 'FROM alpine:3.19', 'RUN echo cpu > /variant'),
      dockerfile('trainer/Dockerfile', 'ARG BUILD_TYPE=cpu', 'FROM alpine:3.19 AS predictor', 'FROM alpine:3.19'),
    );
    expect(failuresOf(run)).toEqual([]);
    expect(builtBy(run)).toEqual(['worker-cpu-linux-amd64', 'worker-gpu-linux-amd64']);
  });

  test('images that are built from each other, in graphs', async () => {
    const run = await example.pullRequest(
      'guide.yml',
      'fork',
      workflowOf('monorepo.md', 'graphs'),
      definitionsOf('monorepo.md'),
      dockerfile('docker/base/Dockerfile', 'FROM alpine:3.19', 'RUN echo base > /base'),
      dockerfile('docker/Dockerfile.api', 'FROM acme/base:1', 'COPY . .'),
      dockerfile('docker/Dockerfile.worker', 'FROM scratch', 'COPY words /words'),
    );
    expect(failuresOf(run)).toEqual([]);
    expect(builtBy(run).toSorted()).toEqual([
      'api-linux-amd64',
      'base-linux-amd64',
      'worker-linux-amd64',
      'worker-linux-arm64',
    ]);
  });

  test('a model that is verified before its image is built, and compared again inside', async () => {
    const model = readFileSync(path.join(root, 'examples/safety-detector/yolov8_model/best.pt'));
    const [copy = '', compare = ''] =
      fencesOf(readFileSync(path.join(root, 'docs/guides/models.md'), 'utf8'))
        .find(({ language }) => language === 'dockerfile')
        ?.text.split('\n') ?? [];
    const run = await example.pullRequest(
      'guide.yml',
      'fork',
      workflowOf('models.md', 'detector'),
      definitionsOf('models.md'),
      (folder) => {
        mkdirSync(path.join(folder, 'detector'));
        copyFileSync(
          path.join(root, 'examples/safety-detector/yolov8_model/best.pt'),
          path.join(folder, 'detector/best.pt'),
        );
      },
      write('detector/SHA256SUMS', `${createHash('sha256').update(model).digest('hex')}  best.pt\n`),
      dockerfile('detector/Dockerfile', 'FROM alpine:3.19', copy, compare),
    );
    expect(failuresOf(run)).toEqual([]);
    expect(stepOf(run, 'model').outputs['verified']).toBe('1');
    expect(builtBy(run)).toEqual(['detector-linux-amd64']);
  });

  test('an image that moved from Docker’s actions', async () => {
    const run = await example.push('guide.yml', workflowOf('from-docker.md', 'image'));
    expect(failuresOf(run)).toEqual([]);
    const { config } = await example.images.image('acme/guides', 'main');
    expect(config.Labels?.['org.opencontainers.image.revision']).toBe(example.git.head());
  });

  test('digests from job to job on a server without an artifact service, and names from a tag', async () => {
    example.git.commit([workflowOf('enterprise-server.md', 'release')]);
    const run = await example.pushTag('guide.yml', 'v1.4.0');
    expect(failuresOf(run)).toEqual([]);
    const { digest } = await example.images.image('acme/guides', '1.4.0');
    expect((await example.images.image('acme/guides', '1.4')).digest).toBe(digest);
  });

  test('a site that moved from aws s3 sync', async () => {
    const run = await example.push('guide.yml', workflowOf('from-s3-sync.md', 'site'));
    expect(failuresOf(run)).toEqual([]);
    expect((await page('index.html')).text).toBe('<h1>First</h1>\n');
    expect(cloudFront.invalidations).toHaveLength(1);
  });

  test('a site out of an image’s stage, and back to the release before', async () => {
    const frontend = [
      'FROM alpine:3.19 AS builder',
      'ARG VITE_API_URL',
      'RUN mkdir -p /app/dist && echo "$VITE_API_URL" > /app/dist/index.html',
      'FROM scratch',
      'COPY --from=builder /app/dist /site',
    ];
    const deployed = await example.push(
      'guide.yml',
      workflowOf('frontend.md', 'site'),
      dockerfile('frontend/Dockerfile', ...frontend),
    );
    expect(failuresOf(deployed)).toEqual([]);
    expect((await page('index.html')).text).toBe('https://api.example.com\n');
    example.git.commit([workflowOf('frontend.md', 'roll back the site')]);
    expect(failuresOf(await example.dispatch('guide.yml', { release: 'previous' }))).toEqual([]);
    expect((await page('index.html')).text).toBe('<h1>First</h1>\n');
  });

  test('a preview of a pull request, and none for a fork’s', async () => {
    const change = append('page.html', '<p>Proposed</p>');
    const preview = workflowOf('frontend.md', 'preview');
    const run = await example.pullRequest('guide.yml', 'branch', preview, change);
    expect(failuresOf(run)).toEqual([]);
    const { url = '' } = jobOf(run, 'preview').steps.find(({ outputs }) => 'url' in outputs)?.outputs ?? {};
    expect(url).toMatch(/^https:\/\/previews\.example\.com\/pr-\d+\/$/);
    const folder = new URL(url).pathname.slice(1);
    expect((await page(`${folder}index.html`)).text).toBe('<h1>First</h1>\n<p>Proposed</p>\n');
    const fork = await example.pullRequest('guide.yml', 'fork', preview, change);
    expect(fork.jobs.map(({ result }) => result)).toEqual(['skipped']);
  });
});

describe('promotion, as its guide shows it,', () => {
  const release = `
on: push
permissions: {}
jobs:
  release:
    permissions: { contents: read, packages: write, id-token: write }
    uses: slipway-actions/slipway/.github/workflows/release.yml@v1
    with: { registry: "\${{ vars.REGISTRY }}" }
`;
  let built: string;

  test('gives what was built of the commit the names of the release', async () => {
    const run = await example.push(
      'release.yml',
      write('.github/workflows/release.yml', release),
      write('.github/images.yml', 'images:\n  api: { context: . }\n'),
      workflowOf('promote.md', 'promote'),
    );
    expect(failuresOf(run)).toEqual([]);
    built = (await example.images.image('acme/guides/api', 'latest')).digest;
    example.git.tag('v2.0.0');
    const promotion = await example.release('guide.yml', 'v2.0.0');
    expect(failuresOf(promotion)).toEqual([]);
    expect((await example.images.image('acme/guides/api', '2.0.0')).digest).toBe(built);
  });

  test('finds by its inputs what an earlier commit has built', async () => {
    const run = await example.push(
      'release.yml',
      workflowOf('promote.md', 'promote', 1),
      write('notes.md', 'Words.\n'),
    );
    expect(builtBy(run)).toEqual([]);
    example.git.tag('v2.1.0');
    const promotion = await example.release('guide.yml', 'v2.1.0');
    expect(failuresOf(promotion)).toEqual([]);
    expect((await example.images.image('acme/guides/api', '2.1.0')).digest).toBe(built);
  });
});
