import type { ContextEntry } from '../dockerfile/context.ts';

/** The repository at one commit. */
export interface Snapshot {
  /** Sorted by path in UTF-16 order. */
  readonly entries: readonly ContextEntry[];
  readonly byPath: ReadonlyMap<string, ContextEntry>;
  /** Reads files, so that `text` has them; paths that are not there are passed over. */
  load(paths: readonly string[]): Promise<void>;
  /** A loaded file's text; undefined for what is no file of the commit. */
  text(path: string): string | undefined;
}

/** Reads the texts of blobs by id. */
export type ReadBlobs = (ids: readonly string[]) => Promise<ReadonlyMap<string, string>>;

/** A commit's entries, and texts that are read by blob id: snapshots that share `texts` read what they share once. */
export function createSnapshot(
  entries: readonly ContextEntry[],
  readBlobs: ReadBlobs,
  texts: Map<string, string>,
): Snapshot {
  const byPath = new Map(entries.map((entry) => [entry.path, entry]));
  const fileAt = (path: string): ContextEntry | undefined => {
    const entry = byPath.get(path);
    return entry?.mode.startsWith('100') === true ? entry : undefined;
  };
  return {
    entries,
    byPath,
    async load(paths) {
      const ids = new Set(paths.flatMap((path) => fileAt(path)?.id ?? []));
      const missing = [...ids].filter((id) => !texts.has(id));
      if (missing.length === 0) return;
      for (const [id, text] of await readBlobs(missing)) texts.set(id, text);
    },
    text(path) {
      const entry = fileAt(path);
      if (entry === undefined) return undefined;
      const text = texts.get(entry.id);
      if (text === undefined) throw new Error(`"${path}" is used before it is loaded`);
      return text;
    },
  };
}
