import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { runCommand } from '../../../../src/core/runner/command.ts';
import { hashFiles, md5Of } from '../../../../src/core/site/file-digests.ts';
import { readSourceFolder } from '../../../../src/core/site/source-folder.ts';

const limits = { maxFiles: 10, maxBytes: 1000 };
let outer = '';
let folder = '';

beforeEach(async () => {
  outer = await mkdtemp(join(tmpdir(), 'slipway-source-'));
  folder = join(outer, 'dist');
  await mkdir(join(folder, 'assets'), { recursive: true });
  await writeFile(join(folder, 'index.html'), 'hello');
  await writeFile(join(folder, 'assets/app.js'), 'app');
});
afterEach(() => rm(outer, { recursive: true }));

const read = (more = limits) =>
  readSourceFolder(folder, (path) => !path.endsWith('.map'), more).map(({ path, size }) => [path, size]);

describe('readSourceFolder', () => {
  it('finds the files that take part, in order', async () => {
    await writeFile(join(folder, 'assets/app.js.map'), '{}');
    expect(read()).toEqual([
      ['assets/app.js', 3],
      ['index.html', 5],
    ]);
  });

  it('follows links that stay inside', async () => {
    await symlink('index.html', join(folder, '404.html'));
    await symlink('assets', join(folder, 'static'));
    expect(read()).toEqual([
      ['404.html', 5],
      ['assets/app.js', 3],
      ['index.html', 5],
      ['static/app.js', 3],
    ]);
  });

  it.each([
    ['leaves the source', '/etc/passwd'],
    ['leaves the source', '../..'],
    ['leads nowhere', 'missing'],
    ['leads in a circle', '.'],
    ['leads nowhere', 'link'],
  ])('refuses a link that %s: %s', async (message, target) => {
    await symlink(target, join(folder, 'link'));
    expect(() => read()).toThrow(`link: this symbolic link ${message}`);
  });

  it('does not take a sibling whose name begins alike for the inside', async () => {
    await mkdir(join(outer, 'dist-secret'));
    await symlink('../dist-secret', join(folder, 'link'));
    expect(() => read()).toThrow('leaves the source');
  });

  it('refuses an empty source', async () => {
    await rm(folder, { recursive: true });
    await mkdir(folder);
    expect(() => read()).toThrow('has no file to deploy');
  });

  it('refuses a source that is missing or a file', () => {
    const all = () => true;
    const readOther = (name: string) => () => readSourceFolder(join(folder, name), all, limits);
    expect(readOther('nope')).toThrow('input "source": there is no folder');
    expect(readOther('index.html')).toThrow('is no folder');
  });

  it('refuses a name that is not valid UTF-8, and a pipe', async () => {
    await writeFile(Buffer.concat([Buffer.from(`${folder}/caf`), Buffer.of(0xe9), Buffer.from('.html')]), 'latin-1');
    expect(() => read()).toThrow('caf\uFFFD.html: its name is not valid UTF-8');
    await rm(folder, { recursive: true });
    await mkdir(folder);
    await runCommand('mkfifo', [join(folder, 'pipe')]);
    expect(() => read()).toThrow('pipe: neither a file nor a folder');
  });

  it('refuses more than the limits', () => {
    expect(() => read({ maxFiles: 1, maxBytes: 1000 })).toThrow('input "max-files"');
    expect(() => read({ maxFiles: 10, maxBytes: 7 })).toThrow('input "max-bytes"');
  });
});

describe('hashFiles', () => {
  it('gives the digests of small files and of streamed ones', async () => {
    await writeFile(join(folder, 'big.bin'), Buffer.alloc(3_000_000, 'x'));
    const files = readSourceFolder(folder, () => true, { maxFiles: 10, maxBytes: 1e9 });
    const hashed = await hashFiles(files);
    expect(hashed.map(({ path, sha256, crc32 }) => [path, sha256.slice(0, 12), crc32])).toEqual([
      ['assets/app.js', 'a172cedcae47', 3_379_458_255],
      ['big.bin', 'e55b8bdf621d', 4_041_822_095],
      ['index.html', '2cf24dba5fb0', 907_060_870],
    ]);
    expect(await Promise.all(files.slice(2).map(md5Of))).toEqual(['5d41402abc4b2a76b9719d911017c592']);
  });
});
