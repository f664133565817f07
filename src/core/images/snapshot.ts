import { type ContextEntry, entryAt } from '../dockerfile/context.ts';
import { type Dockerfile, parseDockerfile } from '../dockerfile/stages.ts';
import { readConfigFile } from './config-file.ts';
import type { ImageDefinition } from './definition.ts';

/** The repository at one commit. */
export interface Snapshot {
  /** Sorted by path in UTF-16 order. */
  readonly entries: readonly ContextEntry[];
  /** The file, symbolic link or submodule of exactly this path. */
  entryAt(path: string): ContextEntry | undefined;
  /** Reads files, so that `text` has them; paths that are not there are passed over. */
  load(paths: readonly string[]): Promise<void>;
  /** A loaded file's text; undefined for what is no file of the commit. */
  text(path: string): string | undefined;
  /** A loaded Dockerfile; undefined for what is no file of the commit. Throws ConfigurationError for one that is wrong. */
  dockerfile(path: string): Dockerfile | undefined;
  /** A loaded file of image definitions, as `dockerfile` is. */
  config(path: string): readonly ImageDefinition[] | undefined;
}

/** What snapshots of one repository share: texts by blob id, and what was made of them. */
export interface BlobCache {
  readonly texts: Map<string, string>;
  readonly dockerfiles: Map<string, Dockerfile>;
  readonly configs: Map<string, readonly ImageDefinition[]>;
}

export function createBlobCache(): BlobCache {
  return { texts: new Map(), dockerfiles: new Map(), configs: new Map() };
}

/** Reads the texts of blobs by id. */
export type ReadBlobs = (ids: readonly string[]) => Promise<ReadonlyMap<string, string>>;

/** A commit's entries, and texts that are read by blob id: snapshots that share a cache read what they share once. */
export function createSnapshot(
  entries: readonly ContextEntry[],
  readBlobs: ReadBlobs,
  { texts, dockerfiles, configs }: BlobCache,
): Snapshot {
  const fileAt = (path: string): ContextEntry | undefined => {
    const entry = entryAt(entries, path);
    return entry?.mode.startsWith('100') === true ? entry : undefined;
  };
  const textOf = (path: string): string | undefined => {
    const entry = fileAt(path);
    if (entry === undefined) return undefined;
    const text = texts.get(entry.id);
    if (text === undefined) throw new Error(`"${path}" is used before it is loaded`);
    return text;
  };
  /** A commit and its base mostly hold the same files: each is read once. */
  const readOnce = <Made>(path: string, made: Map<string, Made>, read: (text: string, path: string) => Made) => {
    const text = textOf(path);
    if (text === undefined) return undefined;
    const key = `${fileAt(path)?.id} ${path}`;
    const known = made.get(key) ?? read(text, path);
    made.set(key, known);
    return known;
  };
  return {
    entries,
    entryAt: (path) => entryAt(entries, path),
    text: textOf,
    dockerfile: (path) => readOnce(path, dockerfiles, parseDockerfile),
    config: (path) => readOnce(path, configs, readConfigFile),
    async load(paths) {
      const ids = new Set(paths.flatMap((path) => fileAt(path)?.id ?? []));
      const missing = [...ids].filter((id) => !texts.has(id));
      if (missing.length === 0) return;
      for (const [id, text] of await readBlobs(missing)) texts.set(id, text);
    },
  };
}
