import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { exportPath } from '../../../../src/core/registry/export-path.ts';
import { createLayoutReader } from '../../../../src/core/registry/layout-reader.ts';
import { keptLog } from './kept-log.ts';
import {
  type Compression,
  type LayerFile,
  type MadeImage,
  makeImage,
  makeIndex,
  makeLayer,
  temporaryFolder,
  writeLayout,
} from './oci-layout.ts';

const image = async (files: readonly LayerFile[], platform = 'linux/amd64', compression: Compression = 'gzip') =>
  makeImage([await makeLayer(files, compression)], platform);

/** Takes /m out of a layout in a folder, which a test may change before. */
async function take(layout: string, platform = 'linux/amd64'): Promise<string> {
  const into = join(layout, '../out');
  await exportPath({
    client: createLayoutReader(layout),
    reference: 'localhost/layout:image',
    shown: 'build/image',
    path: '/m',
    platform,
    into,
    log: keptLog(),
  });
  return into;
}

async function layoutOf(folder: string, made: MadeImage | ReturnType<typeof makeIndex>): Promise<string> {
  const layout = join(folder, 'layout');
  await mkdir(layout);
  await writeLayout(layout, made.manifest, 'manifests' in made ? [...made.manifests, ...made.blobs] : made.blobs);
  return layout;
}

describe('a layout', () => {
  test.each(['gzip', 'zstd', 'none'] as const)('of layers in %s is read like a registry', async (compression) => {
    await using folder = await temporaryFolder();
    const lower = await makeLayer(
      [
        { name: 'm/a', content: 'one' },
        { name: 'm/gone', content: 'x' },
      ],
      compression,
    );
    const upper = await makeLayer(
      [
        { name: 'm/.wh.gone' },
        { name: 'm/b', type: 'link', linkname: 'm/a' },
        { name: 'm/c', type: 'symlink', linkname: '/m/a' },
      ],
      compression,
    );
    const into = await take(await layoutOf(folder.path, makeImage([lower, upper])));
    for (const name of ['a', 'b', 'c']) expect(await readFile(join(into, name), 'utf8')).toBe('one');
    await expect(readFile(join(into, 'gone'))).rejects.toThrow('ENOENT');
  });

  test('of several platforms gives the one that is asked for', async () => {
    await using folder = await temporaryFolder();
    const images = [
      await image([{ name: 'm/a', content: 'amd64' }]),
      await image([{ name: 'm/a', content: 'arm64' }], 'linux/arm64'),
    ];
    const layout = await layoutOf(folder.path, makeIndex(images, { withAttestations: true }));
    await expect(take(layout, 'linux/s390x')).rejects.toThrow(
      'build/image has no single image for linux/s390x; its platforms are linux/amd64, linux/arm64',
    );
    expect(await readFile(join(await take(layout, 'linux/arm64'), 'a'), 'utf8')).toBe('arm64');
  });

  test.each<[string, (layout: string, made: MadeImage) => Promise<unknown>, RegExp]>([
    ['has no index', (layout) => rm(join(layout, 'index.json')), /is no OCI image layout: it has no index\.json/],
    ['has an index that is no JSON', (layout) => writeFile(join(layout, 'index.json'), 'x'), /index\.json is no JSON/],
    [
      'holds two images',
      async (layout) => {
        const other = await image([{ name: 'm/b', content: 'b' }]);
        const entries = [other.manifest, other.blobs[0]].map((each) => ({ ...each, bytes: undefined }));
        await writeFile(join(layout, 'index.json'), JSON.stringify({ manifests: entries }));
      },
      /holds 2 images; one is read at a time/,
    ],
    [
      'has a manifest of other bytes',
      (layout, { manifest }) => writeFile(join(layout, 'blobs/sha256', manifest.digest.slice(7)), '{}'),
      /is not what its digest says/,
    ],
    [
      'has a layer of other bytes',
      async (layout, { blobs }) => {
        const layer = blobs.at(-1);
        if (layer === undefined) throw new Error('there is a layer');
        const bytes = Buffer.from(layer.bytes);
        bytes[9] = (bytes[9] ?? 0) ^ 0xff;
        await writeFile(join(layout, 'blobs/sha256', layer.digest.slice(7)), bytes);
      },
      /is not what its digest says/,
    ],
    [
      'has a layer of another size',
      async (layout, { blobs }) => writeFile(join(layout, 'blobs/sha256', blobs.at(-1)?.digest.slice(7) ?? ''), 'x'),
      /has 1 bytes, its descriptor says/,
    ],
  ])('that %s is refused', async (_, damage, error) => {
    await using folder = await temporaryFolder();
    const made = await image([{ name: 'm/a', content: 'a' }]);
    const layout = await layoutOf(folder.path, made);
    await damage(layout, made);
    await expect(take(layout)).rejects.toThrow(error);
  });
});
