import { type Dirent, readdirSync, realpathSync, type Stats, statSync } from 'node:fs';
import { sep } from 'node:path';
import { ConfigurationError } from '../runner/errors.ts';
import type { PathTest } from './path-globs.ts';
import type { SourceFile } from './site-file.ts';

export interface WalkLimits {
  readonly maxFiles: number;
  /** Bytes of all files together. */
  readonly maxBytes: number;
}

const MAX_DEPTH = 64;

/**
 * The files of a folder that take part, in the order of their paths. Times and modes are not read.
 *
 * Read at once: a trip through the thread pool for each of 1,500 files was 50 ms before the first request.
 *
 * Symbolic links are followed as long as they stay inside the folder; one that leaves it, leads nowhere or in a circle,
 * a device, a socket and a pipe are errors. Throws ConfigurationError for these, for a folder that is missing or has no
 * file that takes part, and for more than `limits` allow.
 */
export function readSourceFolder(folder: string, takesPart: PathTest, limits: WalkLimits): readonly SourceFile[] {
  const root = realFolder(folder);
  const files: SourceFile[] = [];
  let total = 0;
  for (const file of walk(root, { real: root, path: '', ancestors: [root] })) {
    if (!takesPart(file.path)) continue;
    if (!file.isFile) throw new ConfigurationError(`${file.path}: neither a file nor a folder`);
    files.push({ path: file.path, location: file.real, size: file.size });
    total += file.size;
    if (files.length > limits.maxFiles) {
      throw new ConfigurationError(`input "max-files": the source has more than ${limits.maxFiles} files`);
    }
    if (total > limits.maxBytes) {
      throw new ConfigurationError(`input "max-bytes": the source has more than ${limits.maxBytes} bytes`);
    }
  }
  if (files.length === 0) {
    throw new ConfigurationError(
      `input "source": ${folder} has no file to deploy; an empty source would leave the site without its pages. Did the build run, and write there?`,
    );
  }
  return files.sort((a, b) => (a.path < b.path ? -1 : 1));
}

interface VisitedFolder {
  readonly real: string;
  /** Relative to the source. */
  readonly path: string;
  readonly ancestors: readonly string[];
}

interface FoundFile {
  readonly path: string;
  readonly real: string;
  readonly size: number;
  readonly isFile: boolean;
}

function* walk(root: string, folder: VisitedFolder): Generator<FoundFile> {
  const { ancestors } = folder;
  if (ancestors.length > MAX_DEPTH) {
    throw new ConfigurationError(`${folder.path}: folders nested deeper than ${MAX_DEPTH}`);
  }
  for (const entry of readdirSync(folder.real, { withFileTypes: true })) {
    const path = folder.path === '' ? entry.name : `${folder.path}/${entry.name}`;
    const { real, status } = resolveEntry(root, folder.real, entry, path);
    if (!status.isDirectory()) {
      yield { path, real, size: status.size, isFile: status.isFile() };
      continue;
    }
    if (ancestors.includes(real)) throw new ConfigurationError(`${path}: this symbolic link leads in a circle`);
    yield* walk(root, { real, path, ancestors: [...ancestors, real] });
  }
}

function realFolder(folder: string): string {
  try {
    const root = realpathSync(folder);
    if (statSync(root).isDirectory()) return root;
  } catch (cause) {
    if (!isMissing(cause)) throw cause;
    throw new ConfigurationError(`input "source": there is no folder ${folder}`, { cause });
  }
  throw new ConfigurationError(`input "source": ${folder} is no folder`);
}

function resolveEntry(root: string, parent: string, entry: Dirent, path: string): { real: string; status: Stats } {
  const location = `${parent}${sep}${entry.name}`;
  try {
    const real = entry.isSymbolicLink() ? realpathSync(location) : location;
    if (real !== root && !real.startsWith(root + sep)) {
      throw new ConfigurationError(
        `${path}: this symbolic link leaves the source, for ${real}; copy the file in its place`,
      );
    }
    return { real, status: statSync(real) };
  } catch (cause) {
    if (!isMissing(cause)) throw cause;
    const why = entry.isSymbolicLink()
      ? 'this symbolic link leads nowhere'
      : 'its name is not valid UTF-8, or it was removed while the source was read';
    throw new ConfigurationError(`${path}: ${why}`, { cause });
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ELOOP');
}
