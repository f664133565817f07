import { copyFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { makeWorkspace, type Workspace } from '../../scripts/start/workspace.ts';
import { request } from '../../src/core/net/request.ts';
import { readConfig, resolveImage } from '../../src/core/registry/platform-image.ts';
import { createRegistryClient } from '../../src/core/registry/registry-client.ts';
import { fieldOf } from '../../src/core/runner/event.ts';
import type { TriggerEvent } from '../harness/runner/trigger-event.ts';
import { runWorkflow } from '../harness/workflow/run-workflow.ts';
import type { JobResult, WorkflowResult } from '../harness/workflow/workflow-result.ts';
import { startWorld, type World } from '../harness/world.ts';

const root = path.resolve(import.meta.dirname, '../..');
const repository = path.join(import.meta.dirname, 'repositories/one-line');
const REPOSITORY = 'Acme/One-Line';
const NEW_BRANCH = '0'.repeat(40);

let folder: string;
let world: World;
let workspace: Workspace;
let runId = 0;

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'slipway-reusable-'));
  world = await startWorld({ folder: path.join(folder, 'world'), repository: REPOSITORY, log: () => {} });
  workspace = makeWorkspace(repository, path.join(folder, 'repository'));
});
afterAll(async () => {
  await world?.stop();
  await rm(folder, { recursive: true, force: true });
});

function start(file: string, event: Pick<TriggerEvent, 'name' | 'ref' | 'payload'>): Promise<WorkflowResult> {
  runId += 1;
  const run = { ref: event.ref, runId };
  return runWorkflow({
    repository: workspace.folder,
    file: `.github/workflows/${file}`,
    event: {
      ...event,
      ...run,
      sha: workspace.head(),
      repository: REPOSITORY,
      apiUrl: world.api.url,
      token: 'ghs_reusable_token',
      payload: { ...event.payload, repository: { full_name: REPOSITORY, default_branch: 'main' } },
    },
    vars: world.vars,
    repositories: { 'slipway-actions/slipway': root },
    runnerEnvironment: (job) => world.environmentOf(job, run),
  });
}

const release = (name: string, ref: string, payload: Readonly<Record<string, unknown>>): Promise<WorkflowResult> =>
  start('release.yml', { name, ref, payload });

const push = (before: string, ref = 'refs/heads/main'): Promise<WorkflowResult> =>
  release('push', ref, { ref, before, after: workspace.head() });

function pullRequest(before: string, headRepository: string): Promise<WorkflowResult> {
  const sha = workspace.head();
  const head = { sha, ref: 'change', repo: { full_name: headRepository } };
  const base = { sha: before, ref: 'main', repo: { full_name: REPOSITORY } };
  return start('validate.yml', {
    name: 'pull_request',
    ref: 'refs/pull/7/merge',
    payload: { action: 'opened', number: 7, pull_request: { number: 7, head, base } },
  });
}

const jobNames = (result: WorkflowResult, end: JobResult['result']): string[] =>
  result.jobs.filter((job) => job.result === end).map(({ name }) => name);

const failures = (result: WorkflowResult): string[] =>
  result.jobs.filter((job) => job.result === 'failure').map(({ name, log }) => `${name}\n${log}`);

async function digestOf(image: string, tag: string): Promise<string | undefined> {
  const accept = 'application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json';
  const url = `http://${world.registry.host}/v2/acme/one-line_${image}/manifests/${tag}`;
  const answer = await request({ url, headers: { accept } });
  return answer.status === 200 ? answer.headers['docker-content-digest'] : undefined;
}

async function tagsOf(image: string): Promise<readonly string[]> {
  const answer = await request({ url: `http://${world.registry.host}/v2/acme/one-line_${image}/tags/list` });
  return answer.status === 200 ? JSON.parse(answer.body.toString()).tags.toSorted() : [];
}

async function page(): Promise<string> {
  const answer = await request({ url: `${world.s3.endpoint}/safety-site/index.html` });
  return answer.body.toString();
}

describe('release.yml, called with one line', () => {
  let first: WorkflowResult;

  test('builds what is built from each other in waves, publishes it, and deploys the site', async () => {
    first = await push(NEW_BRANCH);
    expect(failures(first)).toEqual([]);
    expect(jobNames(first, 'success')).toEqual([
      'release / plan',
      'release / wave-1 / build base-linux-amd64',
      'release / wave-1 / build frontend-linux-amd64',
      'release / wave-2 / build api-linux-amd64',
      'release / publish',
      'release / site',
      'release / all-passed',
    ]);
    for (const image of ['base', 'api', 'frontend']) expect(await tagsOf(image)).toContain('latest');
    expect(await page()).toContain('Hello');
  });

  test('starts the second wave from the image that the first has pushed, not from one built again', async () => {
    const api = first.jobs.find(({ name }) => name.endsWith('build api-linux-amd64'));
    expect(api?.log).toContain(`one-line_base@${await digestOf('base', 'latest')}, built earlier in this run`);
  });

  test('says in the labels of an image which model it carries', async () => {
    const reference = { registry: world.registry.host, name: 'acme/one-line_api', tag: 'latest' };
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
      'release/plan': ['contents: read'],
      'release/wave-1/build': ['contents: read', 'packages: write'],
      'release/wave-2/build': ['contents: read', 'packages: write'],
      'release/publish': ['contents: read', 'packages: write'],
      'release/site': ['id-token: write', 'packages: read'],
      'release/all-passed': [],
    });
  });

  test('builds, publishes and deploys nothing after a change that no image reads, and passes', async () => {
    const result = await push(workspace.addLine('.github/workflows/validate.yml', '# A word more.'));
    expect(failures(result)).toEqual([]);
    expect(jobNames(result, 'success')).toEqual(['release / plan', 'release / all-passed']);
    expect(result.conclusion).toBe('success');
  });

  test('builds on a change of a base what is built from it, and leaves the site as it is', async () => {
    const before = { api: await digestOf('api', 'latest'), frontend: await digestOf('frontend', 'latest') };
    const result = await push(workspace.addLine('base/greeting', 'and good morning'));
    expect(failures(result)).toEqual([]);
    expect(result.jobs.find(({ id }) => id === 'release/site')?.result).toBe('skipped');
    expect(await digestOf('api', 'latest')).not.toBe(before.api);
    expect(await digestOf('frontend', 'latest')).toBe(before.frontend);
  });

  test.each([
    { name: 'push', ref: 'refs/tags/v1.2.0', payload: { ref: 'refs/tags/v1.2.0', before: NEW_BRANCH }, tag: '1.2.0' },
    {
      name: 'release',
      ref: 'refs/tags/v1.3.0',
      payload: { action: 'released', release: { tag_name: 'v1.3.0' } },
      tag: '1.3.0',
    },
    { name: 'schedule', ref: 'refs/heads/main', payload: { schedule: '17 3 * * 1' }, tag: /^\d{8}$/ },
  ])('publishes everything under the names of a $name on $ref', async ({ name, ref, payload, tag }) => {
    const result = await release(name, ref, payload);
    expect(failures(result)).toEqual([]);
    for (const image of ['base', 'api', 'frontend'])
      expect(await tagsOf(image)).toContainEqual(typeof tag === 'string' ? tag : expect.stringMatching(tag));
  });

  test('names nothing and fails its one check when a model is another than its checksum says', async () => {
    const before = { api: await digestOf('api', 'main'), base: await digestOf('base', 'main') };
    const result = await push(workspace.addLine('api/model.npy', 'tampered'));
    expect(jobNames(result, 'failure').map((name) => name.split(' / ').at(-1))).toEqual([
      'build api-linux-amd64',
      'all-passed',
    ]);
    expect({ api: await digestOf('api', 'main'), base: await digestOf('base', 'main') }).toEqual(before);
  });
});

describe('validate.yml, called with one line', () => {
  test('finds on a pull request what the release would find, and pushes nothing', async () => {
    const before = workspace.addLine('base/greeting', 'and good night');
    const tags = await Promise.all(['base', 'api', 'frontend'].map(tagsOf));
    const result = await pullRequest(before, REPOSITORY);
    expect(jobNames(result, 'failure').map((name) => name.split(' / ').at(-1))).toEqual([
      'build api-linux-amd64',
      'all-passed',
    ]);
    expect(await Promise.all(['base', 'api', 'frontend'].map(tagsOf))).toEqual(tags);
  });

  test('builds from a fork, with a token that reads and no secret, an image together with its base', async () => {
    await copyFile(path.join(repository, 'api/model.npy'), path.join(workspace.folder, 'api/model.npy'));
    const result = await pullRequest(workspace.addLine('base/greeting', 'and good evening'), 'stranger/one-line');
    expect(failures(result)).toEqual([]);
    expect(jobNames(result, 'success')).toEqual([
      'validate / plan',
      'validate / build / build api-linux-amd64',
      'validate / all-passed',
    ]);
    for (const { permissions } of result.jobs) expect(Object.values(permissions)).not.toContain('write');
  });

  test('reports its check also when nothing is to be built', async () => {
    const result = await pullRequest(workspace.addLine('.github/workflows/validate.yml', '# More.'), REPOSITORY);
    expect(jobNames(result, 'success')).toEqual(['validate / plan', 'validate / all-passed']);
  });
});
