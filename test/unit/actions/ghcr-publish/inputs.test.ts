import { describe, expect, test } from 'vitest';
import { createArtifactService } from '../../../../src/core/handoff/artifact-service.ts';
import { saveBuildRecord } from '../../../../src/core/handoff/build-record.ts';
import { parseRows } from '../../../../src/core/images/row.ts';
import { INPUTS_LABEL, inputsTag } from '../../../../src/core/registry/inputs-tag.ts';
import { type ResultsService, startResultsService } from '../../../harness/standins/results-service.ts';
import { type RegistryServer, startRegistry } from '../../core/registry/registry-server.ts';
import { storeIndex } from '../../core/registry/store-index.ts';
import { build, publish, startCommits } from './publish-step.ts';

const inputsOf = (digit: string): string => digit.repeat(64);

/** Two platforms of one image; the inputs of each are those digits. */
function matrixOf(amd64: string, arm64: string, exists: readonly string[] = []): string {
  const row = (platform: string, digit: string) => ({
    image: 'app',
    platform,
    inputs: inputsOf(digit),
    exists: exists.includes(digit),
  });
  return JSON.stringify([row('linux/amd64', amd64), row('linux/arm64', arm64)]);
}

/** What the build jobs do with the rows that do not exist. */
async function buildRows(registry: RegistryServer, results: ResultsService, matrix: string, name = 'acme/app') {
  for (const row of parseRows(matrix).filter(({ exists }) => !exists)) {
    const built = await build([row.platform], row.inputs, { [INPUTS_LABEL]: row.inputs });
    const digest = storeIndex(registry, name, built);
    const { mediaType, size } = built.manifest;
    const record = { version: 1, row, repository: `${registry.host}/${name}`, digest, mediaType, size } as const;
    await saveBuildRecord(record, createArtifactService(results.environment()));
  }
}

const indexOf = (registry: RegistryServer, tag: string, name = 'acme/app') => {
  const { manifests, tags } = registry.repository(name);
  return JSON.parse(manifests.get(tags.get(tag) ?? '')?.bytes.toString() ?? '{}');
};
const platformsOf = (registry: RegistryServer, tag: string, name?: string): readonly string[] =>
  indexOf(registry, tag, name).manifests.map(
    ({ platform }: { platform: { architecture: string } }) => platform.architecture,
  );

describe('promotion by inputs', () => {
  test('names again what an earlier run published, without any build of this run', async () => {
    await using registry = await startRegistry();
    await using results = await startResultsService();
    const tags = (tag: string) => `${registry.host}/acme/app:${tag}`;
    const matrix = matrixOf('1', '2');
    await buildRows(registry, results, matrix);
    await publish({ from: 'builds', matrix, tags: tags('main') }, { environment: results.environment() });
    expect([...registry.repository('acme/app').tags.keys()].sort()).toEqual(
      [inputsTag(inputsOf('1')), inputsTag(inputsOf('2')), 'main'].sort(),
    );

    const before = registry.requests.length;
    const { outputs } = await publish({ promote: 'inputs', matrix, tags: tags('1.0.0') });
    expect(outputs.digest).toBe(registry.repository('acme/app').tags.get('main'));
    expect(registry.repository('acme/app').tags.get('1.0.0')).toBe(outputs.digest);
    const written = registry.requests.slice(before).filter(({ method }) => !['GET', 'HEAD'].includes(method));
    expect(written.map(({ method, path }) => `${method} ${path}`)).toEqual(['PUT /v2/acme/app/manifests/1.0.0']);
  });

  test('into another repository of the registry, found there once it was published', async () => {
    await using registry = await startRegistry();
    await using results = await startResultsService();
    const matrix = matrixOf('1', '2');
    await buildRows(registry, results, matrix, 'acme/builds');
    const environment = results.environment();
    await publish({ from: 'builds', matrix, tags: `${registry.host}/acme/app:main` }, { environment });
    await publish({ promote: 'inputs', matrix, tags: `${registry.host}/acme/app:2.0.0` });
    expect(platformsOf(registry, '2.0.0')).toContain('arm64');
    expect(registry.requests.filter(({ method, path }) => method === 'PUT' && path.includes('/blobs/'))).toEqual([]);
  });

  test('a release takes the rows that exist by their inputs, and only the others from builds', async () => {
    await using registry = await startRegistry();
    await using results = await startResultsService();
    const environment = results.environment();
    const tags = `${registry.host}/acme/app:main`;
    const first = matrixOf('1', '2');
    await buildRows(registry, results, first);
    await publish({ from: 'builds', matrix: first, tags }, { environment });

    const second = matrixOf('1', '3', ['1']);
    await using next = await startResultsService();
    await buildRows(registry, next, second);
    const given = { from: 'builds', matrix: second, tags };
    await using api = await startCommits(['c'.repeat(40), 'd'.repeat(40)]);
    await publish(given, { environment: next.environment(), event: { sha: 'd'.repeat(40) }, api: api.url });
    const index = indexOf(registry, 'main');
    expect(platformsOf(registry, 'main').slice(0, 2)).toEqual(['amd64', 'arm64']);
    expect(index.annotations['org.opencontainers.image.revision']).toBe('d'.repeat(40));
    expect([...registry.repository('acme/app').tags.keys()]).toContain(inputsTag(inputsOf('3')));
  });

  test('a revert moves a tag to the image of the older commit, because it is what this commit builds', async () => {
    await using registry = await startRegistry();
    await using api = await startCommits([...'12c'].map((digit) => digit.repeat(40)));
    const revision = 'org.opencontainers.image.revision';
    const row = { image: 'app', platform: 'linux/amd64', inputs: inputsOf('1') };
    const old = await build(['linux/amd64'], 'old', { [INPUTS_LABEL]: inputsOf('1'), [revision]: '1'.repeat(40) });
    const digest = storeIndex(registry, 'acme/app', old, inputsTag(inputsOf('1')));
    storeIndex(registry, 'acme/app', await build(['linux/amd64'], 'new', { [revision]: '2'.repeat(40) }), 'main');
    const given = { promote: 'inputs', matrix: JSON.stringify([row]), tags: `${registry.host}/acme/app:main` };
    await publish(given, { api: api.url });
    expect(registry.repository('acme/app').tags.get('main')).toBe(digest);
  });

  test('lists every row that is nowhere, and names nothing', async () => {
    await using registry = await startRegistry();
    const given = { promote: 'inputs', matrix: matrixOf('1', '2'), tags: `${registry.host}/acme/app:1.0.0` };
    await expect(publish(given)).rejects.toThrow(
      `no image of these inputs exists, so nothing was named: app-linux-amd64 in ${registry.host}/acme/app, app-linux-arm64 in`,
    );
    expect(registry.requests.every(({ method }) => method === 'HEAD')).toBe(true);
  });

  test('does not believe a tag that somebody moved to an image of other inputs', async () => {
    await using registry = await startRegistry();
    const other = await build(['linux/amd64'], 'x', { [INPUTS_LABEL]: inputsOf('9') });
    storeIndex(registry, 'acme/app', other, inputsTag(inputsOf('1')));
    const matrix = JSON.stringify([{ image: 'app', platform: 'linux/amd64', inputs: inputsOf('1') }]);
    await expect(publish({ promote: 'inputs', matrix, tags: `${registry.host}/acme/app:1.0.0` })).rejects.toThrow(
      'somebody moved the tag',
    );
  });

  test('record-inputs: false leaves the tags away', async () => {
    await using registry = await startRegistry();
    await using results = await startResultsService();
    const matrix = matrixOf('1', '2');
    await buildRows(registry, results, matrix);
    const given = { from: 'builds', matrix, tags: `${registry.host}/acme/app:main`, 'record-inputs': 'false' };
    await publish(given, { environment: results.environment() });
    expect([...registry.repository('acme/app').tags.keys()]).toEqual(['main']);
  });

  test('rows that tell no inputs are refused', async () => {
    const matrix = JSON.stringify([{ image: 'app' }]);
    await expect(publish({ promote: 'inputs', matrix, tags: 'ghcr.io/acme/app:1' })).rejects.toThrow(
      'these tell none: app-linux-amd64',
    );
    const exists = JSON.stringify([{ image: 'app', exists: true }]);
    await expect(publish({ from: 'builds', matrix: exists, tags: 'ghcr.io/acme/app:1' })).rejects.toThrow(
      'these tell none: app-linux-amd64',
    );
  });
});
