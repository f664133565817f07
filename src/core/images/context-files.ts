import { createHash } from 'node:crypto';
import { posix } from 'node:path';
import picomatch from 'picomatch';
import { type BuildContext, type ContextEntry, entriesBelow, selectEntries } from '../dockerfile/context.ts';
import { ignoreFileCandidates, NOTHING_IGNORED, readIgnoreFile } from '../dockerfile/ignore-file.ts';
import type { Read } from '../dockerfile/reads.ts';
import type { Snapshot } from './snapshot.ts';

/** What one read takes from one context. */
export interface ContextSelection {
  readonly read: Read;
  /** The context's folder. */
  readonly folder: string;
  /** Paths relative to the folder. */
  readonly entries: readonly ContextEntry[];
  readonly isIgnored: boolean;
  readonly widened: string | undefined;
  /** SHA-256 over modes, object ids and paths. */
  readonly digest: string;
}

/** Globs that narrow a read of the whole context. */
export interface Narrowing {
  readonly only: readonly string[];
  readonly ignore: readonly string[];
}

/** Another commit's answers, and every path that differs from it. */
export interface SimilarFiles {
  readonly files: ContextFiles;
  readonly changed: readonly string[];
}

/**
 * Answers what reads take from contexts of one commit. Each answer is made once, whatever number of images ask; where
 * nothing that a read can reach differs from a similar commit, its answer is taken.
 */
export class ContextFiles {
  readonly #snapshot: Snapshot;
  readonly #similar: ContextFiles | undefined;
  readonly #changed: ReadonlySet<string>;
  /** Changed paths and all folders above them. */
  readonly #touched: ReadonlySet<string>;
  readonly #contexts = new Map<string, BuildContext>();
  readonly #selections = new Map<string, Omit<ContextSelection, 'read'>>();

  constructor(snapshot: Snapshot, similar?: SimilarFiles) {
    this.#snapshot = snapshot;
    this.#similar = similar?.files;
    this.#changed = new Set(similar?.changed);
    this.#touched = new Set(similar?.changed.flatMap((path) => [path, ...foldersAbove(path)]));
  }

  /** The ignore file that holds for a build of this Dockerfile in this context; it must be loaded. */
  ignoreFileOf(dockerfile: string, folder: string): string | undefined {
    return ignoreFileCandidates(dockerfile, folder).find((path) => this.#snapshot.text(path) !== undefined);
  }

  select(folder: string, ignoreFile: string | undefined, read: Read, narrowing: Narrowing): ContextSelection {
    const contextKey = `${folder}\0${ignoreFile ?? ''}`;
    const { source, isPattern, keepsParents, excludes, widened = '' } = read;
    const { only, ignore } = narrowing;
    // No path holds a NUL.
    const lists = JSON.stringify([excludes, only, ignore]);
    const key = [contextKey, source, isPattern, keepsParents, widened, lists].join('\0');
    const known = this.#selections.get(key) ?? this.#sameAsSimilar(key, folder, ignoreFile, read);
    if (known !== undefined) return { ...known, read };
    const context = this.#context(contextKey, folder, ignoreFile);
    const selection = selectEntries(context, read);
    const isWhole = source === '' || selection.widened !== undefined;
    const entries = isWhole ? narrow(selection.entries, narrowing) : selection.entries;
    const made = { folder, ...selection, entries, digest: digestOf(entries) };
    this.#selections.set(key, made);
    return { ...made, read };
  }

  #sameAsSimilar(
    key: string,
    folder: string,
    ignoreFile: string | undefined,
    read: Read,
  ): Omit<ContextSelection, 'read'> | undefined {
    const answer = this.#similar === undefined ? undefined : this.#similar.#selections.get(key);
    if (answer === undefined || (ignoreFile !== undefined && this.#changed.has(ignoreFile))) return undefined;
    // A widened or patterned read may reach all of the context; any other what lies at and below its source.
    const reach = answer.widened !== undefined || read.isPattern ? folder : posix.join(folder, read.source);
    const path = reach.replace(/\/$/, '');
    const isTouched =
      path === '.' || this.#touched.has(path) || foldersAbove(path).some((above) => this.#changed.has(above));
    return isTouched ? undefined : answer;
  }

  #context(key: string, folder: string, ignoreFile: string | undefined): BuildContext {
    const known = this.#contexts.get(key);
    if (known !== undefined) return known;
    const text = ignoreFile === undefined ? undefined : this.#snapshot.text(ignoreFile);
    const context = {
      entries: entriesBelow(this.#snapshot.entries, folder),
      isIgnored: text === undefined ? NOTHING_IGNORED : readIgnoreFile(text),
    };
    this.#contexts.set(key, context);
    return context;
  }
}

function foldersAbove(path: string): readonly string[] {
  const folders: string[] = [];
  for (let end = path.lastIndexOf('/'); end > 0; end = path.lastIndexOf('/', end - 1)) folders.push(path.slice(0, end));
  return folders;
}

function narrow(entries: readonly ContextEntry[], { only, ignore }: Narrowing): readonly ContextEntry[] {
  if (only.length === 0 && ignore.length === 0) return entries;
  const isWanted = only.length === 0 ? () => true : matcher(only);
  const isIgnored = ignore.length === 0 ? () => false : matcher(ignore);
  return entries.filter(({ path }) => isWanted(path) && !isIgnored(path));
}

/** A glob matches a path, and a folder's name what lies below it. */
function matcher(globs: readonly string[]): (path: string) => boolean {
  const plain = globs.map((glob) => glob.replace(/^\.\//, '').replace(/\/+$/, ''));
  return picomatch([...plain, ...plain.map((glob) => `${glob}/**`)], { dot: true });
}

function digestOf(entries: readonly ContextEntry[]): string {
  return createHash('sha256')
    .update(entries.map(({ mode, id, path }) => `${mode} ${id} ${path}\0`).join(''))
    .digest('hex');
}
