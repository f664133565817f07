import { lstat, readdir } from 'node:fs/promises';
import { join, relative } from 'node:path';
import type { GlobList } from '../runner/input-grammar.ts';
import { createPathMatcher } from './path-matcher.ts';

/** What stands in an exported folder. */
export interface ExportedFiles {
  /** Bytes of all files. */
  readonly size: number;
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
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    const below = relative(folder, path);
    if (isForbidden(below)) forbidden.push(below);
    if (!entry.isFile()) continue;
    files += 1;
    size += (await lstat(path)).size;
  }
  return { size, files, forbidden: forbidden.sort() };
}
