import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { gzipSync } from 'node:zlib';
import { pack } from 'tar-stream';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readExportedFiles } from '../../../../src/core/buildkit/exported-files.ts';
import type { ImageRules } from '../../../../src/core/buildkit/image-rules.ts';
import { findLayerOrigins } from '../../../../src/core/buildkit/layer-origin.ts';
import { readLayout } from '../../../../src/core/buildkit/oci-layout.ts';
import { checkLayoutImage } from '../../../../src/core/buildkit/result-checks.ts';
import { parseGlobs } from '../../../../src/core/runner/input-grammar.ts';

const LAYER = 'application/vnd.oci.image.layer.v1.tar+gzip';
const MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
const rules: ImageRules = { maxSize: undefined, maxGrowth: undefined, require: [], forbidPaths: [] };
const format = (bytes: number): string => `${bytes} B`;

let root: string;
let layout: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'result-checks-'));
  layout = join(root, 'layout');
  await mkdir(join(layout, 'blobs', 'sha256'), { recursive: true });
  const layers = [
    await blob(await layer(['app/main.js', 'app/main.js.map', 'usr/bin/gcc-12']), LAYER),
    await blob(await layer(['app/main.js', 'app/.wh.main.js.map', '.env']), LAYER),
  ];
  const config = {
    os: 'linux',
    architecture: 'amd64',
    config: { User: 'root' },
    history: [
      { created_by: 'COPY dist /app # buildkit' },
      { created_by: 'USER root', empty_layer: true },
      { created_by: 'RUN /bin/sh -c strip # buildkit' },
    ],
  };
  const manifest = { schemaVersion: 2, config: await blob(JSON.stringify(config), 'application/json'), layers };
  const manifests = [await blob(JSON.stringify({ ...manifest, mediaType: MANIFEST }), MANIFEST)];
  await writeFile(join(layout, 'index.json'), JSON.stringify({ schemaVersion: 2, manifests }));
});
afterAll(() => rm(root, { recursive: true }));

async function layer(paths: readonly string[]): Promise<Buffer> {
  const archive = pack();
  for (const name of paths) archive.entry({ name }, name);
  archive.finalize();
  return gzipSync(await buffer(archive));
}
async function blob(content: string | Buffer, mediaType: string): Promise<object> {
  const hex = createHash('sha256').update(content).digest('hex');
  await writeFile(join(layout, 'blobs', 'sha256', hex), content);
  return { mediaType, digest: `sha256:${hex}`, size: Buffer.byteLength(content) };
}

describe('checks on an image in a layout', () => {
  it.each<[Partial<ImageRules>, string, RegExp]>([
    [
      { require: ['no-build-tools'] },
      'no-build-tools',
      /^\/usr\/bin\/gcc-12 in layer sha256:\w{12} by COPY dist \/app$/,
    ],
    // Deleted by the second layer, it travels with the first.
    [{ forbidPaths: parseGlobs('**/*.map') }, 'forbid-paths', /^\/app\/main\.js\.map in layer \S+ by COPY dist \/app$/],
    [{ forbidPaths: parseGlobs('**/.env') }, 'forbid-paths', /^\/\.env in layer \S+ by RUN strip$/],
    [
      { forbidPaths: parseGlobs('app/**\n!**/*.map') },
      'forbid-paths',
      /^\/app\/main\.js in .* by COPY .*; \/app\/main\.js in .* by RUN strip$/,
    ],
    [{ require: ['non-root'] }, 'non-root', /^processes run as root by USER root$/],
    [{ maxSize: 10 }, 'max-size', /^\d+ B of at most 10 B; the largest layer sha256:\w{12} is \d+ B by (?:COPY|RUN) /],
  ])('of %j fail %s with its layer and instruction: %s', async (change, check, finding) => {
    const [image] = (await readLayout(layout)).images;
    if (image === undefined) throw new Error('the layout holds no image');
    expect(await checkLayoutImage(layout, image, { ...rules, ...change }, undefined, format)).toEqual([
      { check, hasPassed: false, finding: expect.stringMatching(finding) },
    ]);
  });

  it('pass where nothing is found', async () => {
    const [image] = (await readLayout(layout)).images;
    if (image === undefined) throw new Error('the layout holds no image');
    const forbidPaths = parseGlobs('**/__pycache__/**');
    expect(await checkLayoutImage(layout, image, { ...rules, forbidPaths }, undefined, format)).toEqual([
      { check: 'forbid-paths', hasPassed: true, finding: 'no layer holds a forbidden path' },
    ]);
  });

  it('know the last layer that holds a file', async () => {
    const origins = await findLayerOrigins(layout, ['/app/main.js', '/app/main.js.map', '/none']);
    expect([...origins].map(([path, { instruction }]) => [path, instruction])).toEqual([
      ['/app/main.js', 'RUN strip'],
      ['/app/main.js.map', 'COPY dist /app'],
    ]);
  });
});

describe('an exported folder', () => {
  it('is measured with its largest file and what must not be there; links are not followed', async () => {
    const folder = join(root, 'site');
    await mkdir(join(folder, 'assets'), { recursive: true });
    await writeFile(join(folder, 'index.html'), 'x'.repeat(10));
    await writeFile(join(folder, 'assets', 'app.js'), 'x'.repeat(30));
    await writeFile(join(folder, 'assets', 'app.js.map'), 'x'.repeat(20));
    await symlink('/etc', join(folder, 'link'));
    expect(await readExportedFiles(folder, parseGlobs('**/*.map\nlink'))).toEqual({
      size: 60,
      files: 3,
      largest: { path: 'assets/app.js', size: 30 },
      forbidden: ['assets/app.js.map', 'link'],
    });
    await mkdir(join(root, 'empty'));
    expect(await readExportedFiles(join(root, 'empty'), [])).toMatchObject({ size: 0, files: 0, largest: undefined });
  });
});
