import { randomUUID } from 'node:crypto';
import type { Git } from './git.ts';

/** A file, symbolic link or submodule of a commit. */
export interface TreeEntry {
  /** Relative to the folder git runs in, with `/`. */
  readonly path: string;
  /** `100644`, `100755`, `120000` (symbolic link) or `160000` (submodule). */
  readonly mode: string;
  readonly id: string;
}

/** What a path was and is between two commits. A rename is a deletion and an addition. */
export interface TreeChange {
  readonly path: string;
  /** Undefined for an added path. */
  readonly before: Omit<TreeEntry, 'path'> | undefined;
  /** Undefined for a deleted path. */
  readonly after: Omit<TreeEntry, 'path'> | undefined;
}

/** Everything in a commit, below the folder git runs in, sorted by path in UTF-16 order. */
export async function readTree(git: Git, commit: string): Promise<readonly TreeEntry[]> {
  const { stdout } = await git.run(['ls-tree', '-r', '-z', commit]);
  return sortEntries(parseTree(stdout));
}

/** Reads `git ls-tree -r -z`: `mode type id TAB path NUL`. */
export function parseTree(output: string): readonly TreeEntry[] {
  return splitAtNull(output).map((record) => {
    const tab = record.indexOf('\t');
    return {
      path: record.slice(tab + 1),
      mode: record.slice(0, 6),
      id: record.slice(record.lastIndexOf(' ', tab) + 1, tab),
    };
  });
}

/**
 * What differs between two commits, below the folder git runs in: additions, deletions, contents, modes, symbolic
 * links and submodules, without any limit on their number. Renames are not guessed at.
 */
export async function readChanges(git: Git, base: string, head: string): Promise<readonly TreeChange[]> {
  // A .gitmodules with `ignore = all` would hide a submodule's new commit.
  const args = ['diff-tree', '-r', '-z', '--raw', '--no-renames', '--relative', '--ignore-submodules=none', base, head];
  const { stdout } = await git.run(args);
  return parseChanges(stdout);
}

/** Reads `git diff-tree -r -z --raw --no-renames`: `:mode mode id id status NUL path NUL`. */
export function parseChanges(output: string): readonly TreeChange[] {
  const fields = splitAtNull(output);
  const changes: TreeChange[] = [];
  for (let index = 0; index + 1 < fields.length; index += 2) {
    const [oldMode = '', newMode = '', oldId = '', newId = ''] = (fields[index] ?? '').slice(1).split(' ');
    const path = fields[index + 1] ?? '';
    changes.push({ path, before: side(oldMode, oldId), after: side(newMode, newId) });
  }
  return changes;
}

/** The tree before the changes that led to `entries`. Sorted as `entries` are. */
export function undoChanges(entries: readonly TreeEntry[], changes: readonly TreeChange[]): readonly TreeEntry[] {
  if (changes.length === 0) return entries;
  const changed = new Set(changes.map(({ path }) => path));
  const restored = changes.flatMap(({ path, before }) => (before === undefined ? [] : [{ path, ...before }]));
  return sortEntries([...entries.filter(({ path }) => !changed.has(path)), ...restored]);
}

/**
 * The texts of blobs by id, in one git process however many there are. The ids must be those of blobs
 * that the clone has. Bytes that are no UTF-8 come back as U+FFFD.
 */
export async function readBlobs(git: Git, ids: readonly string[]): Promise<ReadonlyMap<string, string>> {
  if (ids.length === 0) return new Map();
  // The output is decoded text, so lengths in bytes are of no use: a word nobody can guess parts the blobs.
  const separator = randomUUID();
  const format = `--batch=${separator} %(objectname)`;
  const { stdout } = await git.run(['cat-file', format], { input: ids.map((id) => `${id}\n`).join('') });
  const texts = new Map<string, string>();
  for (const part of stdout.split(separator).slice(1)) {
    const lineEnd = part.indexOf('\n');
    texts.set(part.slice(1, lineEnd), part.slice(lineEnd + 1, -1));
  }
  return texts;
}

function side(mode: string, id: string): Omit<TreeEntry, 'path'> | undefined {
  return /^0+$/.test(mode) ? undefined : { mode, id };
}

function splitAtNull(output: string): readonly string[] {
  const fields = output.split('\0');
  if (fields.at(-1) === '') fields.pop();
  return fields;
}

function sortEntries(entries: readonly TreeEntry[]): readonly TreeEntry[] {
  return entries.toSorted((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0));
}
