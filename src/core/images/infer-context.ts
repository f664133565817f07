import { posix } from 'node:path';
import { findBelow, selectEntries } from '../dockerfile/context.ts';
import { NOTHING_IGNORED } from '../dockerfile/ignore-file.ts';
import type { Read } from '../dockerfile/reads.ts';
import { ConfigurationError } from '../runner/errors.ts';
import { readDockerfileName } from './dockerfile-names.ts';
import type { Snapshot } from './snapshot.ts';

/** Asks git which of these paths, none of them in the commit, its ignore files name. */
export type GitIgnored = (paths: readonly string[]) => Promise<ReadonlySet<string>>;

export interface ContextQuestion {
  /** The Dockerfile's path. */
  readonly path: string;
  readonly reads: readonly Read[];
}

/**
 * The build context of each Dockerfile: the nearest folder, from its own up to the root, in which every COPY source
 * exists; one that git ignores counts as existing, since something makes it before the build. Where no folder fits, an
 * error that says which source is missing where. Git is asked once, for all of them.
 */
export async function inferContexts(
  snapshot: Snapshot,
  questions: readonly ContextQuestion[],
  gitIgnored: GitIgnored,
): Promise<ReadonlyMap<string, string | ConfigurationError>> {
  const finder = new ContextFinder(snapshot);
  const found = new Map<string, string | ConfigurationError>();
  const open: { readonly path: string; readonly missing: MissingByFolder }[] = [];
  for (const { path, reads } of questions) {
    const folders = finder.foldersFor(path);
    const sources = reads.filter(
      ({ widened, isPattern, source }) => widened === undefined && !isPattern && source !== '',
    );
    const fitting = folders.find((folder) => sources.every((read) => finder.exists(folder, read)));
    if (fitting !== undefined) found.set(path, fitting);
    else {
      const missingIn = (folder: string) => sources.filter((read) => !finder.exists(folder, read));
      open.push({ path, missing: new Map(folders.map((folder) => [folder, missingIn(folder)])) });
    }
  }
  const wanted = open.flatMap(({ missing }) =>
    [...missing].flatMap(([folder, reads]) => reads.map(({ source }) => posix.join(folder, source))),
  );
  const ignored = wanted.length === 0 ? new Set<string>() : await gitIgnored([...new Set(wanted)]);
  for (const { path, missing } of open) {
    const generated = [...missing].find(([folder, reads]) =>
      reads.every(({ source }) => ignored.has(posix.join(folder, source))),
    );
    found.set(path, generated?.[0] ?? explain(path, missing));
  }
  return found;
}

type MissingByFolder = ReadonlyMap<string, readonly Read[]>;

function explain(path: string, missing: MissingByFolder): ConfigurationError {
  const reasons = [...missing].map(
    ([folder, [first]]) =>
      `"${first?.source}" (line ${first?.line}) is not in ${folder === '.' ? 'the root' : `"${folder}"`}`,
  );
  return new ConfigurationError(`no folder can be the context: ${reasons.join('; ')}`, {
    file: path,
    line: missing.get('.')?.[0]?.line ?? 1,
  });
}

class ContextFinder {
  readonly #snapshot: Snapshot;
  readonly #contexts = new Map<string, boolean>();

  constructor(snapshot: Snapshot) {
    this.#snapshot = snapshot;
  }

  /** The folders that may be the context; one of nothing but Dockerfiles keeps them for a context elsewhere. */
  foldersFor(path: string): readonly string[] {
    const folders: string[] = [];
    for (let folder = posix.dirname(path); folder !== '.'; folder = posix.dirname(folder)) {
      if (this.#holdsMoreThanDockerfiles(folder)) folders.push(folder);
    }
    return [...folders, '.'];
  }

  exists(folder: string, read: Read): boolean {
    const source = posix.join(folder, read.source);
    const { entries } = this.#snapshot;
    if (this.#snapshot.entryAt(source) !== undefined || findBelow(entries, source, () => true) !== undefined)
      return true;
    // What lies behind a symbolic link or in a submodule is in no list of the commit.
    return selectEntries({ entries, isIgnored: NOTHING_IGNORED }, { ...read, source, excludes: [] }).entries.length > 0;
  }

  #holdsMoreThanDockerfiles(folder: string): boolean {
    const isOther = (path: string): boolean =>
      readDockerfileName(path) === undefined && !path.endsWith('.dockerignore');
    const known =
      this.#contexts.get(folder) ??
      findBelow(this.#snapshot.entries, folder, ({ path }) => isOther(path)) !== undefined;
    this.#contexts.set(folder, known);
    return known;
  }
}
