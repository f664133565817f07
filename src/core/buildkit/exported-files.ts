import { lstat, readdir } from 'node:fs/promises';
import { join, relative } from 'node:path';
import type { GlobList } from '../runner/input-grammar.ts';
import { createPathMatcher } from './path-matcher.ts';

/** What stands in an exported folder. */
export interface ExportedFiles {
  /** Bytes of all files. */
  readonly size: number;
  /** The largest file, relative to the folder; undefined in an empty one. */
  readonly largest: { readonly path: string; readonly size: number } | undefined;
  readonly files: number;
  /** Paths relative to the folder that the globs mean, in order. */
  readonly forbidden: readonly string[];
}

/** Reads a folder; links are not followed. */
export async function readExportedFiles(folder: string, globs: GlobList): Promise<ExportedFiles> {
  const isForbidden = await createPathMatcher(globs);
  const forbidden: string[] = [];
  let size = 0;
  let files = 0;
  let largest: ExportedFiles['largest'];
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    const below = relative(folder, path);
    if (isForbidden(below)) forbidden.push(below);
    if (!entry.isFile()) continue;
    files += 1;
    const own = (await lstat(path)).size;
    size += own;
    if (own > (largest?.size ?? -1)) largest = { path: below, size: own };
  }
  return { size, files, largest, forbidden: forbidden.sort() };
}
