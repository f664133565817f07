import { type IsIgnored, NOTHING_IGNORED, readExcludes } from './ignore-file.ts';
import { matchPath, parsePattern } from './patterns.ts';
import type { Read } from './reads.ts';

/** A file, symbolic link or submodule as git keeps it. */
export interface ContextEntry {
  /** Relative to the context's root, with `/`. */
  readonly path: string;
  /** Git's mode: `100644`, `100755`, `120000` (symbolic link), `160000` (submodule). */
  readonly mode: string;
  /** The blob's, or the submodule commit's, object id. */
  readonly id: string;
}

/** The folder a build is given. */
export interface BuildContext {
  /** Sorted by path (in UTF-16 order); ignored ones included. */
  readonly entries: readonly ContextEntry[];
  readonly isIgnored: IsIgnored;
}

export interface Selection {
  readonly entries: readonly ContextEntry[];
  /** True when something matched the source and the ignore file left all of it out. */
  readonly isIgnored: boolean;
  /** Why all of the context is taken instead of the source. */
  readonly widened: string | undefined;
}

const SYMBOLIC_LINK = '120000';
const SUBMODULE = '160000';

/**
 * The entries of a context that a read takes: paths and patterns match files and folders (with all below them), the
 * ignore file and `--exclude` are taken off. A source that is, or lies behind, a symbolic link reads wherever the link
 * points, so it takes everything; a source inside a submodule takes the submodule.
 */
export function selectEntries(context: BuildContext, read: Read): Selection {
  if (read.source === '' || read.widened !== undefined) return { ...takeAll(context, read), widened: read.widened };
  if (!read.isPattern) return selectLiteral(context, read);
  const segments = parsePattern(read.source, read.keepsParents);
  if (segments === undefined) return { ...takeAll(context, read), widened: `"${read.source}" is no valid pattern` };
  const matched: ContextEntry[] = [];
  for (const entry of candidates(context.entries, read)) {
    const path = entry.path.split('/');
    const relation = matchPath(segments, path);
    if (relation === 'none') continue;
    const isDirect = relation === 'above' || matchPath(segments, path.slice(0, -1)) !== 'match';
    if (entry.mode === SYMBOLIC_LINK && isDirect && !context.isIgnored(entry.path)) {
      return { ...takeAll(context, read), widened: `"${entry.path}" is a symbolic link` };
    }
    if (relation === 'match' || entry.mode === SUBMODULE) matched.push(entry);
  }
  const entries = matched.filter(({ path }) => !context.isIgnored(path));
  return {
    entries: dropExcluded(entries, read),
    isIgnored: matched.length > 0 && entries.length === 0,
    widened: undefined,
  };
}

/** A source without wild cards is one entry, or all below it: no path needs to be matched. */
function selectLiteral(context: BuildContext, read: Read): Selection {
  const { entries: all, isIgnored } = context;
  const above = pathsAbove(read.source).flatMap((path) => find(all, path));
  const link = above.find(({ mode, path }) => mode === SYMBOLIC_LINK && !isIgnored(path));
  if (link !== undefined) return { ...takeAll(context, read), widened: `"${link.path}" is a symbolic link` };
  const direct = above.filter(({ path, mode }) => path === read.source || mode === SUBMODULE);
  const matched = [...direct, ...range(all, `${read.source}/`)];
  const entries = isIgnored === NOTHING_IGNORED ? matched : matched.filter(({ path }) => !isIgnored(path));
  return {
    entries: dropExcluded(entries, read),
    isIgnored: matched.length > 0 && entries.length === 0,
    widened: undefined,
  };
}

/** A path and every folder it lies in, the outermost first. */
function pathsAbove(path: string): readonly string[] {
  const segments = path.split('/');
  return segments.map((_, index) => segments.slice(0, index + 1).join('/'));
}

/** The entry of exactly this path. Entries are sorted, so no index is needed. */
export function entryAt(entries: readonly ContextEntry[], path: string): ContextEntry | undefined {
  const entry = entries[firstFrom(entries, path)];
  return entry?.path === path ? entry : undefined;
}

/** The first entry below a folder that fits; looks no further than that. */
export function findBelow(
  entries: readonly ContextEntry[],
  folder: string,
  fits: (entry: ContextEntry) => boolean,
): ContextEntry | undefined {
  const prefix = `${folder}/`;
  for (let index = firstFrom(entries, prefix); index < entries.length; index += 1) {
    const entry = entries[index];
    if (entry?.path.startsWith(prefix) !== true) return undefined;
    if (fits(entry)) return entry;
  }
  return undefined;
}

/** The entries below a folder, their paths relative to it; `.` is the root. Sorted entries stay sorted. */
export function entriesBelow(entries: readonly ContextEntry[], folder: string): readonly ContextEntry[] {
  if (folder === '.') return entries;
  const prefix = `${folder}/`;
  return range(entries, prefix).map(({ path, mode, id }) => ({ path: path.slice(prefix.length), mode, id }));
}

function takeAll(context: BuildContext, read: Read): Omit<Selection, 'widened'> {
  const { isIgnored } = context;
  const entries =
    isIgnored === NOTHING_IGNORED ? context.entries : context.entries.filter(({ path }) => !isIgnored(path));
  return {
    entries: read.widened === undefined ? dropExcluded(entries, read) : entries,
    isIgnored: context.entries.length > 0 && entries.length === 0,
  };
}

/**
 * `--exclude` leaves out what lies below a folder that is copied, never a file that the source itself matches (seen
 * with Docker Engine 28.5). Its patterns are relative to the folder; frontends of other versions may take them as relative to
 * the context, so only what both readings leave out is left out, and with `--parents` nothing.
 */
function dropExcluded(entries: readonly ContextEntry[], read: Read): readonly ContextEntry[] {
  if (read.excludes.length === 0 || read.keepsParents) return entries;
  const isExcluded = readExcludes(read.excludes);
  const depth = read.source === '' ? 0 : read.source.split('/').length;
  return entries.filter(({ path }) => {
    const below = path.split('/').slice(depth).join('/');
    return below === '' || !isExcluded(path) || !isExcluded(below);
  });
}

/** The entries that can match: those below the source's fixed leading folders, and links that stand in its way. */
function candidates(entries: readonly ContextEntry[], read: Read): readonly ContextEntry[] {
  const segments = read.source.split('/');
  const wild = segments.findIndex((segment) => /[*?[\\]/.test(segment));
  const fixed = wild === -1 ? segments : segments.slice(0, wild);
  if (fixed.length === 0) return entries;
  const above = pathsAbove(fixed.join('/')).flatMap((path) => find(entries, path));
  return [...above, ...range(entries, `${fixed.join('/')}/`)];
}

function find(entries: readonly ContextEntry[], path: string): ContextEntry | [] {
  return entryAt(entries, path) ?? [];
}

function range(entries: readonly ContextEntry[], prefix: string): readonly ContextEntry[] {
  const start = firstFrom(entries, prefix);
  let end = firstFrom(entries, `${prefix}\uFFFF`);
  while (entries[end]?.path.startsWith(prefix) === true) end += 1;
  return entries.slice(start, end);
}

/** The index of the first entry whose path is not below `path` in UTF-16 order. */
function firstFrom(entries: readonly ContextEntry[], path: string): number {
  let low = 0;
  let high = entries.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((entries[middle]?.path ?? '') < path) low = middle + 1;
    else high = middle;
  }
  return low;
}
