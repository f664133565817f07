import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { pushLayout } from '../../../../src/core/registry/push-layout.ts';
import { createRegistryClient } from '../../../../src/core/registry/registry-client.ts';
import { ConfigurationError } from '../../../../src/core/runner/errors.ts';
import { keptLog } from './kept-log.ts';
import { makeImage, makeIndex, makeLayer, temporaryFolder, writeLayout } from './oci-layout.ts';
import { startRegistry } from './registry-server.ts';

const FAST = { attempts: 4, firstPause: 5, longestPause: 20 };

async function builtIndex(content = 'hello') {
  const shared = await makeLayer([{ name: 'etc/base', content: 'base' }]);
  const images = [];
  for (const platform of ['linux/amd64', 'linux/arm64']) {
    images.push(
      makeImage([shared, await makeLayer([{ name: 'app/file', content: `${content} ${platform}` }])], platform),
    );
  }
  return makeIndex(images, { withAttestations: true });
}

describe('pushLayout', () => {
  test('pushes an index with its images and attestations by digest, and writes no tag', async () => {
    await using registry = await startRegistry();
    await using folder = await temporaryFolder();
    const index = await builtIndex();
    await writeLayout(folder.path, index.manifest, [...index.manifests, ...index.blobs]);
    const client = createRegistryClient();
    const repository = `${registry.host}/acme/app`;

    const pushed = await pushLayout({ layout: folder.path, repository, client, log: keptLog() });

    expect(pushed).toEqual({
      digest: index.manifest.digest,
      mediaType: index.manifest.mediaType,
      size: index.manifest.size,
    });
    const stored = registry.repository('acme/app');
    expect([...stored.manifests.keys()].sort()).toEqual(
      [index.manifest, ...index.manifests].map(({ digest }) => digest).sort(),
    );
    expect(stored.tags.size).toBe(0);
    expect(stored.manifests.get(index.manifest.digest)?.bytes).toEqual(index.manifest.bytes);
  });

  test('sends nothing a second time, and only what is new of a changed image', async () => {
    await using registry = await startRegistry();
    await using folder = await temporaryFolder();
    await using other = await temporaryFolder();
    const [first, second] = [await builtIndex('one'), await builtIndex('two')];
    await writeLayout(folder.path, first.manifest, [...first.manifests, ...first.blobs]);
    await writeLayout(other.path, second.manifest, [...second.manifests, ...second.blobs]);
    const client = createRegistryClient();
    const push = (layout: string) =>
      pushLayout({ layout, repository: `${registry.host}/acme/app`, client, log: keptLog() });
    await push(folder.path);
    const before = registry.requests.length;

    await push(folder.path);
    expect(registry.requests.slice(before).map(({ method }) => method)).toEqual(['HEAD']);

    const uploadsBefore = registry.requests.filter(({ method }) => method === 'POST').length;
    await push(other.path);
    const uploads = registry.requests.filter(({ method }) => method === 'POST').length - uploadsBefore;
    // Two layers and two attestations differ; the base layer and the configurations are there.
    expect(uploads).toBe(4);
  });

  test('gets through resets, 500s and 429s, and an upload that broke goes on', async () => {
    await using registry = await startRegistry();
    await using folder = await temporaryFolder();
    const index = await builtIndex();
    await writeLayout(folder.path, index.manifest, [...index.manifests, ...index.blobs]);
    registry.faults.add({ fault: { kind: 'reset', when: 'before' }, match: /^PUT .*blobs\/uploads/, times: 2 });
    registry.faults.add({ fault: { kind: 'reset', when: 'after' }, match: /^PUT .*manifests/, times: 1 });
    registry.faults.add({ fault: { kind: 'status', status: 500 }, match: /^POST/, times: 2 });
    registry.faults.add({
      fault: { kind: 'status', status: 429, headers: { 'retry-after': '0' } },
      match: /^HEAD .*blobs/,
      times: 2,
    });
    const client = createRegistryClient({ retry: FAST });

    await pushLayout({ layout: folder.path, repository: `${registry.host}/acme/app`, client, log: keptLog() });

    expect(registry.repository('acme/app').manifests.has(index.manifest.digest)).toBe(true);
  });

  test('stops before anything is sent when a manifest is not what its digest says', async () => {
    await using registry = await startRegistry();
    await using folder = await temporaryFolder();
    const index = await builtIndex();
    await writeLayout(folder.path, index.manifest, [...index.manifests, ...index.blobs]);
    const [child] = index.manifests;
    await writeFile(join(folder.path, 'blobs', 'sha256', child?.digest.slice(7) ?? ''), '{}');
    const options = { layout: folder.path, repository: `${registry.host}/a/b`, client: createRegistryClient() };

    await expect(pushLayout({ ...options, log: keptLog() })).rejects.toThrow('is not what its digest says');
    expect(registry.requests.every(({ method }) => method === 'HEAD')).toBe(true);
  });

  test('says that a folder is no image layout', async () => {
    await using folder = await temporaryFolder();
    const options = { layout: folder.path, repository: 'ghcr.io/a/b', client: createRegistryClient() };
    await expect(pushLayout({ ...options, log: keptLog() })).rejects.toThrow(ConfigurationError);
  });
});
