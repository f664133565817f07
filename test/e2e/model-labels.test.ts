import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { makeWorkspace, type Workspace } from '../../scripts/start/workspace.ts';
import { readConfig, resolveImage } from '../../src/core/registry/platform-image.ts';
import { createRegistryClient } from '../../src/core/registry/registry-client.ts';
import { fieldOf } from '../../src/core/runner/event.ts';
import { runWorkflow } from '../harness/workflow/run-workflow.ts';
import { startWorld, type World } from '../harness/world.ts';

const root = path.resolve(import.meta.dirname, '../..');
const REPOSITORY = 'Acme/Labelled';

let folder: string;
let world: World;
let workspace: Workspace;
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'slipway-labels-'));
  world = await startWorld({ folder: path.join(folder, 'world'), repository: REPOSITORY, log: () => {} });
  workspace = makeWorkspace(
    path.join(import.meta.dirname, 'repositories/model-labels'),
    path.join(folder, 'repository'),
  );
});
afterAll(async () => {
  await world?.stop();
  await rm(folder, { recursive: true, force: true });
});

test('a published image says in its labels which model it carries, and the model in it is that one', async () => {
  const run = { ref: 'refs/heads/main', runId: 1 };
  const sha = workspace.head();
  const result = await runWorkflow({
    repository: workspace.folder,
    file: '.github/workflows/release.yml',
    event: {
      name: 'push',
      ...run,
      sha,
      repository: REPOSITORY,
      apiUrl: world.api.url,
      token: 'ghs_labels_token',
      payload: {
        ref: run.ref,
        before: '0'.repeat(40),
        after: sha,
        repository: { full_name: REPOSITORY, default_branch: 'main' },
      },
    },
    vars: world.vars,
    repositories: { 'slipway-actions/slipway': root },
    runnerEnvironment: (job) => world.environmentOf(job, run),
  });
  expect(result.conclusion, result.log).toBe('success');
  const [image, verify] = result.jobs;
  const label = /^dev\.slipway\.model\.best\.npy=(sha256:[0-9a-f]{64})$/.exec(image?.outputs['models'] ?? '');
  expect(label, image?.log).not.toBeNull();
  expect(verify?.outputs['models']).toBe(image?.outputs['models']);

  const client = createRegistryClient();
  const reference = { registry: world.registry.host, name: 'acme/labelled', digest: image?.outputs['digest'] ?? '' };
  const { config } = await resolveImage(client, reference, 'linux/amd64');
  const labels = fieldOf(await readConfig(client, reference, config), 'config', 'Labels');
  expect(labels).toMatchObject({
    'dev.slipway.model.best.npy': label?.[1],
    'org.opencontainers.image.revision': sha,
  });
});
