import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTarReader, readLayerPaths } from '../../../../src/core/buildkit/layer-paths.ts';

const LAYER = 'application/vnd.oci.image.layer.v1.tar';
const long = `${'d'.repeat(90)}/${'e'.repeat(90)}/${'f'.repeat(90)}.txt`;
let root: string;

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'layer-paths-'));
  const files = join(root, 'files');
  await mkdir(join(files, 'd'.repeat(90), 'e'.repeat(90)), { recursive: true });
  await writeFile(join(files, long), 'x'.repeat(1_500));
  await writeFile(join(files, '.env'), 'A=1');
  await writeFile(join(files, '.wh.gone'), '');
  await symlink('.env', join(files, 'link'));
  for (const format of ['gnu', 'pax'])
    execFileSync('tar', ['-C', files, `--format=${format}`, '-cf', join(root, `${format}.tar`), '.']);
  execFileSync('gzip', ['-k', join(root, 'pax.tar')]);
});
afterAll(() => rm(root, { recursive: true, force: true }));

async function pathsOf(name: string, mediaType: string): Promise<string[]> {
  const paths: string[] = [];
  await readLayerPaths(join(root, name), mediaType, (path) => paths.push(path));
  return paths.filter((path) => !path.endsWith('/')).sort();
}

describe('the paths of a layer', () => {
  it.each([
    ['gnu.tar', LAYER],
    ['pax.tar', LAYER],
    ['pax.tar.gz', `${LAYER}+gzip`],
  ])('are read from %s, long names and links among them, deletions not', async (name, mediaType) => {
    expect(await pathsOf(name, mediaType)).toEqual(['.env', long, 'link'].sort());
  });

  it('are the same however the bytes arrive', () => {
    const tar = execFileSync('tar', ['-C', join(root, 'files'), '--format=gnu', '-cf', '-', '.']);
    const paths: string[] = [];
    const reader = createTarReader((path) => paths.push(path));
    for (let at = 0; at < tar.length; at += 7) reader.take(tar.subarray(at, at + 7));
    reader.finish();
    expect(paths).toContain(`./${long}`);
  });

  it('are refused from a file that is cut off', async () => {
    await writeFile(join(root, 'cut.tar'), execFileSync('tar', ['-C', join(root, 'files'), '-cf', '-', '.env']));
    await truncate(join(root, 'cut.tar'), 700);
    await expect(pathsOf('cut.tar', LAYER)).rejects.toThrow('ends in the middle');
  });

  it('are refused from a file that is no tar', async () => {
    await writeFile(join(root, 'no.tar'), 'x'.repeat(2_000));
    await expect(pathsOf('no.tar', LAYER)).rejects.toThrow('no tar file');
  });
});
