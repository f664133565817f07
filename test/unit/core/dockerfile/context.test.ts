import { describe, expect, it } from 'vitest';
import { type ContextEntry, entriesBelow, selectEntries } from '../../../../src/core/dockerfile/context.ts';
import { NOTHING_IGNORED, readIgnoreFile } from '../../../../src/core/dockerfile/ignore-file.ts';
import { resolveBuild } from '../../../../src/core/dockerfile/resolve.ts';
import { parseDockerfile } from '../../../../src/core/dockerfile/stages.ts';

function entriesOf(paths: readonly string[]): ContextEntry[] {
  const modes: Record<string, string> = { '@': '120000', '+': '160000' };
  return paths
    .map((path) => ({
      path: path.replace(/[@+]$/, ''),
      mode: modes[path.at(-1) ?? ''] ?? '100644',
      id: 'f'.repeat(40),
    }))
    .sort((a, b) => (a.path < b.path ? -1 : 1));
}

function select(instruction: string, paths: readonly string[], ignore = '') {
  const build = resolveBuild(parseDockerfile(`FROM i\n${instruction}\n`, 'Dockerfile'), {
    target: '',
    args: new Map(),
    platform: 'linux/amd64',
    contextNames: new Set(),
  });
  const context = { entries: entriesOf(paths), isIgnored: ignore === '' ? NOTHING_IGNORED : readIgnoreFile(ignore) };
  return build.contextReads.map((read) => selectEntries(context, read));
}

const FILES = [
  'Dockerfile',
  'a.py',
  'b.txt',
  'src/main.py',
  'src/deep/x.py',
  'src/deep/y.txt',
  'src2/z.py',
  'weird[1].txt',
  '.env',
];

describe('files that a source takes', () => {
  it.each<[string, string[]]>([
    ['COPY a.py /x', ['a.py']],
    ['COPY src /x', ['src/deep/x.py', 'src/deep/y.txt', 'src/main.py']],
    ['COPY src/ /x', ['src/deep/x.py', 'src/deep/y.txt', 'src/main.py']],
    ['COPY src/deep /x', ['src/deep/x.py', 'src/deep/y.txt']],
    ['COPY src/* /x', ['src/deep/x.py', 'src/deep/y.txt', 'src/main.py']],
    ['COPY src/*.py /x', ['src/main.py']],
    ['COPY src* /x', ['src/deep/x.py', 'src/deep/y.txt', 'src/main.py', 'src2/z.py']],
    ['COPY *.py /x', ['a.py']],
    ['COPY ?.py /x', ['a.py']],
    ['COPY [ab].* /x', ['a.py', 'b.txt']],
    ['COPY [^a].txt /x', ['b.txt']],
    ['COPY */deep/* /x', ['src/deep/x.py', 'src/deep/y.txt']],
    ['COPY src/**/x.py /x', ['src/deep/x.py']],
    ['COPY **/x.py /x', []],
    ['COPY --parents **/x.py /x', ['src/deep/x.py']],
    ['COPY --parents ./src/./deep/*.txt /x', ['src/deep/y.txt']],
    ['COPY --parents src/**/*.py /x', ['src/deep/x.py', 'src/main.py']],
    ['COPY weird[[]1].txt /x', ['weird[1].txt']],
    ['COPY .e* /x', ['.env']],
    ['COPY --exclude=*.py --exclude=src --exclude=src2 . /x', ['.env', 'Dockerfile', 'b.txt', 'weird[1].txt']],
    ['COPY --exclude=**/*.txt src /x', ['src/deep/x.py', 'src/main.py']],
    ['COPY --exclude=*.txt b* a.py /x/', ['b.txt', 'a.py']],
    ['COPY --parents --exclude=**/*.py src /x', ['src/deep/x.py', 'src/deep/y.txt', 'src/main.py']],
    // Not known whether "*.py" means the folder's or the context's: nothing is left out.
    ['COPY --exclude=*.py src /x', ['src/deep/x.py', 'src/deep/y.txt', 'src/main.py']],
    ['COPY missing /x', []],
  ])('%s', (instruction, expected) => {
    expect(select(instruction, FILES).flatMap(({ entries }) => entries.map(({ path }) => path))).toEqual(expected);
  });

  it('takes everything for a pattern that is none', () => {
    const [selection] = select('COPY [a /x', FILES);
    expect(selection).toMatchObject({ widened: expect.stringMatching(/no valid pattern/) });
    expect(selection?.entries).toHaveLength(FILES.length);
  });

  it.each<[string, string, string[], boolean]>([
    ['a source that is a link', 'COPY link /x', ['link@', 'b'], true],
    ['a source behind a link', 'COPY link/deep /x', ['link@', 'b'], true],
    ['a pattern that meets a link', 'COPY l* /x', ['link@', 'b'], true],
    ['a link inside a copied folder, which is copied as it is', 'COPY d /x', ['d/link@', 'd/f', 'b'], false],
  ])('%s', (_, instruction, paths, isWidened) => {
    const [selection] = select(instruction, paths);
    expect(selection?.widened !== undefined).toBe(isWidened);
    expect(selection?.entries.some(({ path }) => path === 'b')).toBe(isWidened);
  });

  it('takes a submodule for a source inside it', () => {
    const [selection] = select('COPY lib/sub/src /x', ['lib/sub+', 'lib/other']);
    expect(selection?.entries.map(({ path }) => path)).toEqual(['lib/sub']);
  });

  it('finds a file by its name alone among neighbours that sort around it', () => {
    const [selection] = select('COPY a /x', ['a-b', 'a.txt', 'a/b', 'a0']);
    expect(selection?.entries.map(({ path }) => path)).toEqual(['a/b']);
  });

  it('a hostile pattern ends', () => {
    const [selection] = select(`COPY ${'*a'.repeat(200)}b /x`, ['a'.repeat(5000)]);
    expect(selection?.entries).toEqual([]);
  });
});

describe('ignore files', () => {
  const kept = (ignore: string, paths: readonly string[]) =>
    select('COPY . /x', paths, ignore).flatMap(({ entries }) => entries.map(({ path }) => path));

  it.each<[string, string, string[], string[]]>([
    ['a name matches at the root only', '*.pyc', ['a.pyc', 'd/a.pyc'], ['d/a.pyc']],
    ['two stars match everywhere', '**/*.pyc', ['a.pyc', 'd/a.pyc', 'x'], ['x']],
    ['a folder takes what lies below it', 'dist', ['dist/a', 'dist2/a', 'a/dist/b'], ['a/dist/b', 'dist2/a']],
    ['the last line that matches wins', '*\n!src\nsrc/x', ['a', 'src/b', 'src/x'], ['src/b']],
    ['case matters', 'README', ['README', 'readme'], ['readme']],
    ['comments, blanks and CRLF', '# no\r\n\r\n a \r\n', ['a', 'b'], ['b']],
    ['a leading slash', '/a', ['a', 'd/a'], ['d/a']],
    [
      'characters that a regular expression knows',
      '(group)\n+x.ts\na{b}',
      ['(group)/a', '+x.ts', 'a{b}', 'group/a', 'xx.ts'],
      ['group/a', 'xx.ts'],
    ],
    ['a byte order mark', '\uFEFFa', ['a', 'b'], ['b']],
    ['names of Object.prototype', 'x', ['constructor', 'x'], ['constructor']],
    ['a pattern of many stars leaves nothing out', `${'*a'.repeat(9)}\nb`, ['b'], ['b']],
  ])('%s', (_, ignore, paths, expected) => {
    expect(kept(ignore, paths)).toEqual(expected);
  });

  it('says that a source was there and is left out', () => {
    expect(select('COPY dist /x', ['dist/a', 'b'], 'dist')).toMatchObject([{ entries: [], isIgnored: true }]);
    expect(select('COPY gone /x', ['dist/a', 'b'], 'dist')).toMatchObject([{ entries: [], isIgnored: false }]);
  });
});

describe('a context below the root', () => {
  it('has paths of its own', () => {
    const entries = entriesOf(['api/a', 'api/b/c', 'api2/a', 'apx']);
    expect(entriesBelow(entries, 'api').map(({ path }) => path)).toEqual(['a', 'b/c']);
    expect(entriesBelow(entries, '.')).toBe(entries);
  });
});
