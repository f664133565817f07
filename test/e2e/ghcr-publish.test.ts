import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { contract } from '../../src/actions/ghcr-publish/contract.ts';
import { run } from '../../src/actions/ghcr-publish/run.ts';
import { exportPath } from '../../src/core/registry/export-path.ts';
import { pushLayout } from '../../src/core/registry/push-layout.ts';
import { createRegistryClient } from '../../src/core/registry/registry-client.ts';
import { runCommand } from '../../src/core/runner/command.ts';
import { readInputs } from '../../src/core/runner/inputs.ts';
import { keptLog } from '../unit/core/registry/kept-log.ts';
import { makeImage, makeIndex, makeLayer, temporaryFolder, writeLayout } from '../unit/core/registry/oci-layout.ts';
import { serviceAddress } from './service-address.ts';

const registry = serviceAddress('SLIPWAY_REGISTRY');
const client = createRegistryClient();
const name = (repository: string): string => `${registry}/publish-test/${repository}`;

async function pushBuilt(repository: string, platform: string, content: string): Promise<string> {
  await using folder = await temporaryFolder();
  const files = [{ name: 'app/dist/index.html', content, mode: 0o640 }];
  const index = makeIndex([makeImage([await makeLayer(files, 'zstd')], platform)], { withAttestations: true });
  await writeLayout(folder.path, index.manifest, [...index.manifests, ...index.blobs]);
  const pushed = await pushLayout({ layout: folder.path, repository: name(repository), client, log: keptLog() });
  return pushed.digest;
}

async function publish(inputs: Readonly<Record<string, string>>): Promise<Readonly<Record<string, unknown>>> {
  const log = keptLog();
  const variables = Object.entries(inputs).map(([input, value]) => [`INPUT_${input.toUpperCase()}`, value]);
  const environment = { DOCKER_CONFIG: '/nonexistent', ...Object.fromEntries(variables) };
  const event = {
    name: 'push',
    ref: 'refs/heads/main',
    sha: 'c'.repeat(40),
    repository: 'acme/app',
    actor: 'octocat',
    workflow: 'release',
    job: 'publish',
    runId: '1',
    runAttempt: 1,
    serverUrl: 'https://github.com',
    apiUrl: 'http://127.0.0.1:9',
    graphqlUrl: '',
    payload: {},
  };
  const state = { save: () => undefined, get: () => undefined };
  const context = { event, environment, workspace: '/', temp: '/tmp', log, runCommand, state };
  const { outputs } = await run(readInputs(contract, environment, log), context);
  return outputs ?? {};
}

const tagsOf = async (repository: string): Promise<readonly string[]> =>
  [...(await client.listTags({ registry, name: `publish-test/${repository}` }))].sort();

describe('publishing to a real registry', () => {
  test('names an index of two platforms, whose files can be taken out again', async () => {
    const amd64 = await pushBuilt('app', 'linux/amd64', '<p>amd64');
    const arm64 = await pushBuilt('app', 'linux/arm64', '<p>arm64');
    const outputs = await publish({
      sources: `${name('app')}@${amd64}\n${name('app')}@${arm64}`,
      tags: ['latest', '1.2', '1.2.3'].map((tag) => `${name('app')}:${tag}`).join('\n'),
      expect: 'linux/amd64,linux/arm64',
    });
    expect(await tagsOf('app')).toEqual(['1.2', '1.2.3', 'latest']);
    await using folder = await temporaryFolder();
    const into = join(folder.path, 'out');
    const reference = `${name('app')}@${String(outputs['digest'])}`;
    await exportPath({ client, reference, path: '/app/dist', platform: 'linux/arm64', into, log: keptLog() });
    expect(await readFile(join(into, 'index.html'), 'utf8')).toBe('<p>arm64');
  });

  test('promotes into another repository by mounts, and keeps the digest', async () => {
    const digest = await pushBuilt('staging', 'linux/amd64', 'promoted');
    const outputs = await publish({ promote: `${name('staging')}@${digest}`, tags: `${name('prod')}:1.0.0` });
    expect(outputs['digest']).toBe(digest);
    expect(await client.findDigest({ registry, name: 'publish-test/prod' }, '1.0.0')).toBe(digest);
  });

  test('two publishers at once leave every tag at a whole image', async () => {
    const digests = [await pushBuilt('race', 'linux/amd64', 'one'), await pushBuilt('race', 'linux/amd64', 'other')];
    const tags = ['latest', 'edge', 'main'].map((tag) => `${name('race')}:${tag}`).join('\n');
    await Promise.all(digests.map((digest) => publish({ promote: `${name('race')}@${digest}`, tags })));
    for (const tag of ['latest', 'edge', 'main']) {
      expect(digests).toContain(await client.findDigest({ registry, name: 'publish-test/race' }, tag));
    }
  });
});
