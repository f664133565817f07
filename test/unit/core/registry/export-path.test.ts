import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { lstat, mkdir, readdir, readFile, readlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type ExportLimits, exportPath } from '../../../../src/core/registry/export-path.ts';
import { insideTarget } from '../../../../src/core/registry/folder-writer.ts';
import { createRegistryClient } from '../../../../src/core/registry/registry-client.ts';
import { ConfigurationError } from '../../../../src/core/runner/errors.ts';
import { keptLog } from './kept-log.ts';
import { type Compression, type LayerFile, makeImage, makeIndex, makeLayer, temporaryFolder } from './oci-layout.ts';
import { type RegistryServer, startRegistry } from './registry-server.ts';

async function store(
  registry: RegistryServer,
  layers: readonly (readonly LayerFile[])[],
  compression: Compression = 'gzip',
) {
  const blobs = [];
  for (const files of layers) blobs.push(await makeLayer(files, compression));
  const image = makeImage(blobs);
  const { blobs: stored, manifests, tags } = registry.repository('acme/site');
  for (const { digest, bytes } of image.blobs) stored.set(digest, bytes);
  manifests.set(image.manifest.digest, image.manifest);
  tags.set('1', image.manifest.digest);
  return image;
}

interface Exported {
  readonly files: number;
  readonly bytes: number;
  readonly digest: string;
  /** Path → content, `-> target` for links, `/` for folders; permissions in front. */
  readonly tree: Record<string, string>;
}

async function exported(
  layers: readonly (readonly LayerFile[])[],
  options: { path?: string; compression?: Compression; limits?: Partial<ExportLimits> } = {},
): Promise<Exported> {
  await using registry = await startRegistry();
  await using folder = await temporaryFolder();
  await store(registry, layers, options.compression);
  const into = join(folder.path, 'out');
  const result = await exportPath({
    client: createRegistryClient(),
    reference: `${registry.host}/acme/site:1`,
    path: options.path ?? '/app/dist',
    platform: 'linux/amd64',
    into,
    log: keptLog(),
    ...(options.limits === undefined ? {} : { limits: options.limits }),
  });
  return { ...result, tree: await treeOf(into) };
}

async function treeOf(root: string): Promise<Record<string, string>> {
  const tree: Record<string, string> = {};
  for (const entry of (await readdir(root, { recursive: true, withFileTypes: true })).values()) {
    const path = join(entry.parentPath, entry.name);
    const name = path.slice(root.length + 1);
    const mode = ((await lstat(path)).mode & 0o7777).toString(8);
    if (entry.isSymbolicLink()) tree[name] = `-> ${await readlink(path)}`;
    else tree[name] = entry.isDirectory() ? `${mode} /` : `${mode} ${await readFile(path, 'utf8')}`;
  }
  return tree;
}

const DIST: readonly LayerFile[] = [
  { name: 'etc/passwd', content: 'root' },
  { name: 'app/', type: 'directory', mode: 0o755 },
  { name: 'app/dist/', type: 'directory', mode: 0o755 },
  { name: 'app/dist/index.html', content: '<p>' },
  { name: 'app/dist/assets/', type: 'directory', mode: 0o750 },
  { name: 'app/dist/assets/a.js', content: 'a()', mode: 0o600 },
  { name: 'app/distant', content: 'no' },
];
const DIST_TREE = { 'index.html': '644 <p>', assets: '750 /', 'assets/a.js': '600 a()' };

describe('exportPath', () => {
  test.each<Compression>(['gzip', 'zstd', 'none'])(
    'takes a folder out of layers packed with %s, with permissions',
    async (compression) => {
      const { tree, files, bytes } = await exported([DIST], { compression });
      expect(tree).toEqual(DIST_TREE);
      expect({ files, bytes }).toEqual({ files: 2, bytes: 6 });
    },
  );

  test.each<[string, readonly LayerFile[], Record<string, string>]>([
    ['replaces a file', [{ name: 'app/dist/index.html', content: 'new' }], { ...DIST_TREE, 'index.html': '644 new' }],
    ['removes a file', [{ name: 'app/dist/.wh.index.html' }], { assets: '750 /', 'assets/a.js': '600 a()' }],
    ['removes a folder', [{ name: './app/dist/.wh.assets' }], { 'index.html': '644 <p>' }],
    ['empties a folder', [{ name: 'app/dist/assets/.wh..wh..opq' }], { 'index.html': '644 <p>', assets: '750 /' }],
    [
      'empties a folder and fills it anew, with the mark last',
      [{ name: 'app/dist/assets/b.js', content: 'b' }, { name: 'app/dist/assets/.wh..wh..opq' }],
      { 'index.html': '644 <p>', assets: '750 /', 'assets/b.js': '644 b' },
    ],
    [
      'removes the folder and makes another',
      [{ name: '.wh.app' }, { name: 'app/dist/x', content: 'x' }],
      { x: '644 x' },
    ],
    [
      'puts a file where a folder was',
      [{ name: 'app/dist/assets', content: 'f' }],
      { 'index.html': '644 <p>', assets: '644 f' },
    ],
    [
      'puts a folder where a file was',
      [
        { name: 'app/dist/index.html/', type: 'directory', mode: 0o700 },
        { name: 'app/dist/index.html/x', content: 'x' },
      ],
      { assets: '750 /', 'assets/a.js': '600 a()', 'index.html': '700 /', 'index.html/x': '644 x' },
    ],
    [
      'links inside, absolute or relative',
      [
        { name: 'app/dist/l1', type: 'symlink', linkname: '/app/dist/assets/a.js' },
        { name: 'app/dist/assets/l2', type: 'symlink', linkname: '../index.html' },
      ],
      { ...DIST_TREE, l1: '-> assets/a.js', 'assets/l2': '-> ../index.html' },
    ],
    [
      'takes a leaving link away again',
      [
        { name: 'app/dist/l', type: 'symlink', linkname: '/etc' },
        { name: 'app/dist/l', content: 'file' },
      ],
      { ...DIST_TREE, l: '644 file' },
    ],
    ['drops set-id bits', [{ name: 'app/dist/s', content: 's', mode: 0o4755 }], { ...DIST_TREE, s: '755 s' }],
  ])('honours a higher layer that %s', async (_what, layer, tree) => {
    expect((await exported([DIST, layer])).tree).toEqual(tree);
  });

  test('keeps hard links as files of the same content', async () => {
    const layer: readonly LayerFile[] = [
      { name: 'app/dist/a', content: 'same' },
      { name: 'app/dist/b', type: 'link', linkname: 'app/dist/a' },
    ];
    expect((await exported([layer])).tree).toEqual({ a: '644 same', b: '644 same' });
  });

  test.each<[string, readonly LayerFile[], string]>([
    [
      'a symbolic link to the outside',
      [{ name: 'app/dist/l', type: 'symlink', linkname: '../../etc/passwd' }],
      'l (a symbolic link to ../../etc/passwd',
    ],
    [
      'an absolute link to the outside',
      [{ name: 'app/dist/l', type: 'symlink', linkname: '/etc/passwd' }],
      'outside the folder',
    ],
    [
      'a link that climbs through a name',
      [{ name: 'app/dist/l', type: 'symlink', linkname: 'assets/../../x' }],
      'outside the folder',
    ],
    [
      'a hard link to the outside',
      [{ name: 'app/dist/l', type: 'link', linkname: 'etc/passwd' }],
      'a hard link to /etc/passwd',
    ],
    ['a device', [{ name: 'app/dist/null', type: 'character-device' }], 'a character-device'],
    ['a name that climbs', [{ name: 'app/dist/../../../tmp/x', content: 'x' }], 'leaves the image'],
    ['a whiteout that climbs', [{ name: 'app/dist/.wh...' }], 'leaves the image'],
  ])('refuses %s', async (_what, layer, message) => {
    await expect(exported([DIST, layer])).rejects.toThrow(message);
  });

  test('writes nothing through a link that a lower layer planted', async () => {
    await using outside = await temporaryFolder();
    const layers: readonly (readonly LayerFile[])[] = [
      [{ name: 'app/dist/l', type: 'symlink', linkname: '.' }],
      [{ name: 'app/dist/l/file', content: 'x' }],
      [{ name: 'app/dist/out', type: 'symlink', linkname: outside.path }],
      [{ name: 'app/dist/out/file', content: 'x' }],
    ];
    // As in an engine, the later folder takes the link's place.
    expect((await exported(layers)).tree).toEqual({ l: '755 /', 'l/file': '644 x', out: '755 /', 'out/file': '644 x' });
    expect(await readdir(outside.path)).toEqual([]);
  });

  test.each<[string, Partial<ExportLimits>, string]>([
    ['entries', { files: 2 }, 'more than 2 entries'],
    ['bytes', { bytes: 5 }, 'more than 5 bytes'],
    ['unpacked bytes', { unpackedBytes: 1000 }, 'unpack to more than 1000 bytes'],
  ])('stops at the limit of %s and leaves nothing behind', async (_what, limits, message) => {
    await using registry = await startRegistry();
    await using folder = await temporaryFolder();
    await store(registry, [DIST]);
    const into = join(folder.path, 'out');
    const options = { client: createRegistryClient(), reference: `${registry.host}/acme/site:1`, path: '/app/dist' };
    const exporting = exportPath({ ...options, platform: 'linux/amd64', into, limits, log: keptLog() });
    await expect(exporting).rejects.toThrow(message);
    await expect(exporting).rejects.toThrow(ConfigurationError);
    expect(existsSync(into)).toBe(false);
  });

  test.each([
    ['/srv', 'has no folder "/srv"'],
    ['/etc/passwd', 'is a file or a link'],
    ['app/dist', 'no absolute path'],
  ])('says what is wrong with the path %s', async (path, message) => {
    await expect(exported([DIST], { path })).rejects.toThrow(message);
  });

  test('names the folder that a link above the path leads to', async () => {
    const layer: readonly LayerFile[] = [{ name: 'app', type: 'symlink', linkname: 'srv/app' }];
    await expect(exported([layer])).rejects.toThrow('/app is a symbolic link to srv/app');
  });

  test('takes the asked platform out of an index, and lists the others when it is missing', async () => {
    await using registry = await startRegistry();
    await using folder = await temporaryFolder();
    const images = [];
    for (const platform of ['linux/amd64', 'linux/arm64']) {
      images.push(makeImage([await makeLayer([{ name: 'd/p', content: platform }])], platform));
    }
    const index = makeIndex(images, { withAttestations: true });
    const { blobs, manifests, tags } = registry.repository('acme/site');
    for (const { digest, bytes } of index.blobs) blobs.set(digest, bytes);
    for (const manifest of [index.manifest, ...index.manifests]) manifests.set(manifest.digest, manifest);
    tags.set('1', index.manifest.digest);
    const options = {
      client: createRegistryClient(),
      reference: `${registry.host}/acme/site:1`,
      path: '/d',
      log: keptLog(),
    };

    const into = join(folder.path, 'out');
    const { digest } = await exportPath({ ...options, platform: 'linux/arm64', into });
    expect(digest).toBe(images[1]?.manifest.digest);
    expect(await readFile(join(into, 'p'), 'utf8')).toBe('linux/arm64');
    const missing = exportPath({ ...options, platform: 'linux/s390x', into: join(folder.path, 'x') });
    await expect(missing).rejects.toThrow('its platforms are linux/amd64, linux/arm64');
  });

  test('goes on with a download that breaks off, and refuses bytes that are not the digest', async () => {
    await using registry = await startRegistry();
    await using folder = await temporaryFolder();
    const noise = Array.from({ length: 3000 }, (_, index) =>
      createHash('sha256').update(String(index)).digest('hex'),
    ).join('');
    await store(registry, [[{ name: 'd/noise', content: noise }]], 'none');
    const log = keptLog();
    const client = createRegistryClient({ retry: { attempts: 3, firstPause: 1, longestPause: 2 }, log });
    const options = { client, reference: `${registry.host}/acme/site:1`, path: '/d', platform: 'linux/amd64', log };
    registry.faults.add({ fault: { kind: 'cut', bytes: 70_000 }, match: /^GET .*blobs/, after: 1 });

    await exportPath({ ...options, into: join(folder.path, 'out') });
    expect(await readFile(join(folder.path, 'out', 'noise'), 'utf8')).toBe(noise);
    expect(log.lines.some((line) => line.includes('going on in'))).toBe(true);

    registry.faults.add({ fault: { kind: 'wrong-bytes' }, match: /^GET .*blobs/, after: 1 });
    await expect(exportPath({ ...options, into: join(folder.path, 'bad') })).rejects.toThrow();
    expect(existsSync(join(folder.path, 'bad'))).toBe(false);
  });

  test('leaves a folder that holds something alone', async () => {
    await using registry = await startRegistry();
    await using folder = await temporaryFolder();
    await store(registry, [DIST]);
    await mkdir(join(folder.path, 'out'));
    await writeFile(join(folder.path, 'out', 'mine'), 'mine');
    const options = { client: createRegistryClient(), reference: `${registry.host}/acme/site:1`, path: '/app/dist' };
    const exporting = exportPath({
      ...options,
      platform: 'linux/amd64',
      into: join(folder.path, 'out'),
      log: keptLog(),
    });
    await expect(exporting).rejects.toThrow('is not empty');
    expect(await readFile(join(folder.path, 'out', 'mine'), 'utf8')).toBe('mine');
  });
});

describe('insideTarget', () => {
  test.each([
    ['a', 'b', 'app', 'b'],
    ['a/b', '../c', 'app', '../c'],
    ['a/b', '..', 'app', '..'],
    ['a', '..', 'app', undefined],
    ['a', '.', 'app', '.'],
    ['a', '/app', 'app', '.'],
    ['a', '/apple', 'app', undefined],
    ['a/b', '/app/c/d', 'app', '../c/d'],
    ['a', '/etc', '', 'etc'],
    ['a', '/../etc', '', 'etc'],
    ['a', 'b/../c', 'app', undefined],
    ['a', '', 'app', undefined],
  ])('of %s to %s in /%s is %s', (path, target, folder, expected) => {
    expect(insideTarget(path, target, folder)).toBe(expected);
  });
});
