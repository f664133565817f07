import { describe, expect, test } from 'vitest';
import { assembleIndex, type IndexSource } from '../../../../src/core/registry/image-index.ts';
import { parseManifest } from '../../../../src/core/registry/manifest.ts';
import { type Blob, makeImage, makeIndex, makeLayer } from './oci-layout.ts';

const source = (manifest: Blob, platform?: string): IndexSource => ({
  name: `source ${manifest.digest.slice(7, 12)}`,
  manifest,
  content: parseManifest(manifest.bytes, manifest.mediaType),
  platform,
});

async function image(platform: string, content = platform) {
  return makeImage([await makeLayer([{ name: 'f', content }])], platform);
}

describe('assembleIndex', () => {
  test('gives equal bytes whatever the order, with attestations after the images', async () => {
    const built = [];
    for (const platform of ['linux/arm64', 'linux/amd64', 'linux/arm/v7']) {
      built.push(makeIndex([await image(platform)], { withAttestations: true }));
    }
    const sources = built.map(({ manifest }) => source(manifest));
    const one = assembleIndex(sources, { index: { b: '2', a: '1' }, descriptors: [] });
    const other = assembleIndex(sources.toReversed(), { index: { a: '1', b: '2' }, descriptors: [] });
    expect(one.manifest.bytes).toEqual(other.manifest.bytes);
    expect(one).toMatchObject({
      platforms: ['linux/amd64', 'linux/arm/v7', 'linux/arm64'],
      hasUnknownPlatforms: true,
      isNew: true,
    });

    const document = JSON.parse(one.manifest.bytes.toString());
    expect(document.annotations).toEqual({ a: '1', b: '2' });
    const entries: { digest: string; platform: { os: string }; annotations?: Record<string, string> }[] =
      document.manifests;
    expect(entries.map(({ platform }) => platform.os)).toEqual([
      'linux',
      'linux',
      'linux',
      'unknown',
      'unknown',
      'unknown',
    ]);
    expect(entries.slice(3).map(({ annotations }) => annotations?.['vnd.docker.reference.digest'])).toEqual(
      entries.slice(0, 3).map(({ digest }) => digest),
    );
  });

  test('leaves a single source as it is, and makes a new index only for annotations', async () => {
    const { manifest } = makeIndex([await image('linux/amd64')], { withAttestations: true });
    expect(assembleIndex([source(manifest)])).toMatchObject({ manifest: { digest: manifest.digest }, isNew: false });
    expect(assembleIndex([source(manifest)], { index: { a: '1' }, descriptors: [] }).isNew).toBe(true);
  });

  test('takes single images by the platform of their configuration', async () => {
    const [amd64, arm64] = [await image('linux/amd64'), await image('linux/arm64')];
    const { platforms } = assembleIndex([source(arm64.manifest, 'linux/arm64'), source(amd64.manifest, 'linux/amd64')]);
    expect(platforms).toEqual(['linux/amd64', 'linux/arm64']);
    expect(() => assembleIndex([source(amd64.manifest), source(arm64.manifest, 'linux/arm64')])).toThrow(
      'does not say which platform',
    );
  });

  test('refuses two images for one platform, and takes the same one twice', async () => {
    const [one, other] = [await image('linux/amd64', 'one'), await image('linux/amd64', 'other')];
    const sources = [source(one.manifest, 'linux/amd64'), source(other.manifest, 'linux/amd64')];
    expect(() => assembleIndex(sources)).toThrow('two images are for linux/amd64');
    const twice = [source(one.manifest, 'linux/amd64'), source(one.manifest, 'linux/amd64')];
    expect(assembleIndex(twice).platforms).toEqual(['linux/amd64']);
  });
});
