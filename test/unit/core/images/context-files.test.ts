import { describe, expect, it } from 'vitest';
import type { Read } from '../../../../src/core/dockerfile/reads.ts';
import { ContextFiles } from '../../../../src/core/images/context-files.ts';
import { createBlobCache, createSnapshot } from '../../../../src/core/images/snapshot.ts';
import { snapshotOf } from './memory-snapshot.ts';

const WHOLE = { only: [], ignore: [] };

function read(source: string, more: Partial<Read> = {}): Read {
  return {
    from: undefined,
    source,
    isPattern: false,
    keepsParents: false,
    excludes: [],
    line: 1,
    widened: undefined,
    ...more,
  };
}

const READS: readonly (readonly [folder: string, read: Read])[] = [
  ['.', read('')],
  ['.', read('a')],
  ['.', read('a/b/f')],
  ['a', read('')],
  ['a', read('b')],
  ['a', read('gone')],
  ['a', read('*.py', { isPattern: true })],
  ['a/b', read('f')],
  ['c', read('', { widened: 'an argument is not known' })],
];

/** A generator of numbers below 1 that are the same on every run (mulberry32). */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const PATHS = ['a/b/f', 'a/b/g', 'a/x.py', 'a/y.txt', 'a/b', 'c/f', 'd', 'a/.dockerignore', 'a/gone/z'];
const CONTENTS = ['1', '2', '*.txt\nb\n', undefined];

describe('answers of a similar commit', () => {
  it('are the same as those that are made afresh, whatever changed', async () => {
    const next = random(20);
    const pick = <Value>(values: readonly Value[]): Value | undefined => values[Math.floor(next() * values.length)];
    for (let round = 0; round < 400; round += 1) {
      const head = new Map(PATHS.flatMap((path) => entry(path, pick(CONTENTS))));
      const base = new Map(head);
      for (let change = 0; change < 2; change += 1) {
        const path = pick(PATHS) ?? 'd';
        const content = pick(CONTENTS);
        if (content === undefined) base.delete(path);
        else base.set(path, content);
      }
      const changed = PATHS.filter((path) => head.get(path) !== base.get(path));
      const snapshots = [head, base].map((files) => snapshotOf(Object.fromEntries(files)));
      await Promise.all(snapshots.map((snapshot) => snapshot.load(['a/.dockerignore'])));
      const [headSnapshot, baseSnapshot] = snapshots;
      if (headSnapshot === undefined || baseSnapshot === undefined) throw new Error('two snapshots');
      const similar = new ContextFiles(headSnapshot);
      const ask = (files: ContextFiles) =>
        READS.map(([folder, one]) => {
          const ignoreFile = files.ignoreFileOf(`${folder}/Dockerfile`, folder);
          const { entries, digest, isIgnored, widened } = files.select(folder, ignoreFile, one, WHOLE);
          return { entries, digest, isIgnored, widened };
        });
      for (const path of [...new Set(READS.map(([folder]) => folder))].flatMap((folder) => [
        `${folder}/Dockerfile.dockerignore`,
        folder === '.' ? '.dockerignore' : `${folder}/.dockerignore`,
      ]))
        await Promise.all(snapshots.map((snapshot) => snapshot.load([path])));
      ask(similar);
      const reused = ask(new ContextFiles(baseSnapshot, { files: similar, changed }));
      expect(reused).toEqual(ask(new ContextFiles(baseSnapshot)));
    }
  });

  it('are not taken where a folder above became a symbolic link', () => {
    const link = { path: 'l', mode: '120000', id: '1'.repeat(40) };
    const [head, base] = [[], [link]].map((entries) =>
      createSnapshot(entries, async () => new Map(), createBlobCache()),
    );
    if (head === undefined || base === undefined) throw new Error('two snapshots');
    const files = new ContextFiles(head);
    files.select('.', undefined, read('l/x'), WHOLE);
    const similar = new ContextFiles(base, { files, changed: ['l'] });
    expect(similar.select('.', undefined, read('l/x'), WHOLE).widened).toBe('"l" is a symbolic link');
  });

  it('are taken as they are where nothing changed below', () => {
    const head = snapshotOf({ 'a/f': '1', 'b/f': '1' });
    const base = snapshotOf({ 'a/f': '1', 'b/f': '2' });
    const files = new ContextFiles(head);
    const similar = new ContextFiles(base, { files, changed: ['b/f'] });
    const entriesOf = (of: ContextFiles, folder: string) => of.select(folder, undefined, read(''), WHOLE).entries;
    const answer = entriesOf(files, 'a');
    expect(entriesOf(similar, 'a')).toBe(answer);
    expect(entriesOf(similar, 'b')).not.toBe(entriesOf(files, 'b'));
  });
});

function entry(path: string, content: string | undefined): readonly [string, string][] {
  return content === undefined ? [] : [[path, content]];
}
