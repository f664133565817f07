import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { makeWorkspace, type Workspace } from '../../scripts/start/workspace.ts';
import { request } from '../../src/core/net/request.ts';
import { runWorkflow } from '../harness/workflow/run-workflow.ts';
import type { JobResult, WorkflowResult } from '../harness/workflow/workflow-result.ts';
import { startWorld, type World } from '../harness/world.ts';

const root = path.resolve(import.meta.dirname, '../..');
const REPOSITORY = 'Acme/Safety-Detector';
const NEW_BRANCH = '0'.repeat(40);

let folder: string;
let world: World;
let workspace: Workspace;
let runId = 0;

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'slipway-release-'));
  world = await startWorld({ folder: path.join(folder, 'world'), repository: REPOSITORY, log: () => {} });
  workspace = makeWorkspace(path.join(root, 'examples/safety-detector'), path.join(folder, 'repository'));
});
afterAll(async () => {
  await world?.stop();
  await rm(folder, { recursive: true, force: true });
});

function push(before: string): Promise<WorkflowResult> {
  runId += 1;
  const run = { ref: 'refs/heads/main', runId };
  const sha = workspace.head();
  return runWorkflow({
    repository: workspace.folder,
    file: '.github/workflows/release.yml',
    event: {
      name: 'push',
      ...run,
      sha,
      repository: REPOSITORY,
      apiUrl: world.api.url,
      token: 'ghs_release_token',
      payload: { ref: run.ref, before, after: sha, repository: { full_name: REPOSITORY, default_branch: 'main' } },
    },
    vars: world.vars,
    repositories: { 'slipway-actions/slipway': root },
    runnerEnvironment: (job) => world.environmentOf(job, run),
  });
}

const builtRows = (result: WorkflowResult): string[] =>
  result.jobs
    .filter(({ id, result: end }) => id === 'build' && end === 'success')
    .map(({ matrix }) => String(matrix['image']))
    .sort();

const job = (result: WorkflowResult, id: string): JobResult => {
  const found = result.jobs.find((each) => each.id === id);
  if (found === undefined) throw new Error(`the run has no job ${id}`);
  return found;
};

async function manifestOf(
  image: string,
  tag: string,
): Promise<{ digest: string; body: { manifests?: { digest: string; platform: object }[] } }> {
  const accept = 'application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json';
  const url = `http://${world.registry.host}/v2/acme/safety-detector/${image}/manifests/${tag}`;
  const answer = await request({ url, headers: { accept } });
  expect(answer.status, `${image}:${tag}`).toBe(200);
  return { digest: answer.headers['docker-content-digest'] ?? '', body: JSON.parse(answer.body.toString()) };
}

async function page(key: string): Promise<{ status: number; headers: Readonly<Record<string, string>>; text: string }> {
  const answer = await request({ url: `${world.s3.endpoint}/safety-site/${key}` });
  return { status: answer.status, headers: answer.headers, text: answer.body.toString() };
}

describe('a release of the safety detector, as its workflow is written', () => {
  let first: WorkflowResult;

  test('builds every image of a new branch, publishes them, and deploys the site', async () => {
    first = await push(NEW_BRANCH);
    expect(first.jobs.filter(({ result }) => result !== 'success').map(({ name, log }) => `${name}\n${log}`)).toEqual(
      [],
    );
    expect(builtRows(first)).toEqual(['backend', 'frontend', 'yolov8-model']);
  });

  test('names each image once it is whole, in lower case, with the tags of the event', async () => {
    const short = `sha-${workspace.head().slice(0, 7)}`;
    for (const image of ['backend', 'frontend', 'yolov8-model']) {
      const { digest, body } = await manifestOf(image, 'latest');
      expect(body.manifests).toContainEqual(
        expect.objectContaining({ platform: { architecture: 'amd64', os: 'linux' } }),
      );
      expect((await manifestOf(image, 'main')).digest).toBe(digest);
      expect((await manifestOf(image, short)).digest).toBe(digest);
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
    const before = { backend: await manifestOf('backend', 'latest'), frontend: await manifestOf('frontend', 'latest') };
    const result = await push(workspace.addLine('frontend/src/style.css', 'h1 { margin: 0; }'));
    expect(result.conclusion).toBe('success');
    expect(builtRows(result)).toEqual(['frontend']);
    expect(job(result, 'build').matrix['reason']).toBe('frontend/src/style.css changed');
    expect((await manifestOf('backend', 'latest')).digest).toBe(before.backend.digest);
    expect((await manifestOf('frontend', 'latest')).digest).not.toBe(before.frontend.digest);
    expect(job(result, 'site').steps.find(({ outputs }) => outputs['uploaded'] !== undefined)?.outputs).toMatchObject({
      uploaded: '2',
      unchanged: '2',
    });
  });

  test('builds, publishes and deploys nothing after a change that no image reads', async () => {
    const result = await push(workspace.addLine('README.md', 'More words.'));
    expect(result.conclusion).toBe('success');
    expect(result.jobs.map(({ id, result: end }) => [id, end])).toEqual([
      ['plan', 'success'],
      ['build', 'skipped'],
      ['publish', 'skipped'],
      ['site', 'skipped'],
    ]);
  });

  test('stops before the build when the model is another than its checksum says, and moves no name', async () => {
    const before = await manifestOf('yolov8-model', 'latest');
    const result = await push(workspace.addLine('yolov8_model/best.pt', 'tampered'));
    expect(job(result, 'build').result).toBe('failure');
    expect(job(result, 'build').annotations).toContainEqual(
      expect.objectContaining({ level: 'error', file: 'yolov8_model/SHA256SUMS', line: 1 }),
    );
    expect(job(result, 'publish').result).toBe('skipped');
    expect((await manifestOf('yolov8-model', 'latest')).digest).toBe(before.digest);
  });

  test('prints its token in no log', () => {
    for (const { log } of first.jobs) expect(log).not.toContain('ghs_release_token');
  });
});
