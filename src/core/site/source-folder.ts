import type { Dirent, Stats } from 'node:fs';
import { readdir, realpath, stat } from 'node:fs/promises';
import { join, sep } from 'node:path';
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
 * Symbolic links are followed as long as they stay inside the folder; one that leaves it, leads nowhere or in a circle,
 * a device, a socket and a pipe are errors. Throws ConfigurationError for these, for a folder that is missing or has no
 * file that takes part, and for more than `limits` allow.
 */
export async function readSourceFolder(
  folder: string,
  takesPart: PathTest,
  limits: WalkLimits,
): Promise<readonly SourceFile[]> {
  const root = await realFolder(folder);
  const files: SourceFile[] = [];
  let total = 0;
  for await (const file of walk(root, { real: root, path: '', ancestors: [root] })) {
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

async function* walk(root: string, folder: VisitedFolder): AsyncGenerator<FoundFile> {
  const { ancestors } = folder;
  if (ancestors.length > MAX_DEPTH) {
    throw new ConfigurationError(`${folder.path}: folders nested deeper than ${MAX_DEPTH}`);
  }
  for (const entry of await readdir(folder.real, { withFileTypes: true })) {
    const path = folder.path === '' ? entry.name : `${folder.path}/${entry.name}`;
    const { real, status } = await resolveEntry(root, folder.real, entry, path);
    if (!status.isDirectory()) {
      yield { path, real, size: status.size, isFile: status.isFile() };
      continue;
    }
    if (ancestors.includes(real)) throw new ConfigurationError(`${path}: this symbolic link leads in a circle`);
    yield* walk(root, { real, path, ancestors: [...ancestors, real] });
  }
}

async function realFolder(folder: string): Promise<string> {
  try {
    const root = await realpath(folder);
    if ((await stat(root)).isDirectory()) return root;
  } catch (cause) {
    if (!isMissing(cause)) throw cause;
    throw new ConfigurationError(`input "source": there is no folder ${folder}`, { cause });
  }
  throw new ConfigurationError(`input "source": ${folder} is no folder`);
}

async function resolveEntry(
  root: string,
  parent: string,
  entry: Dirent,
  path: string,
): Promise<{ real: string; status: Stats }> {
  const location = join(parent, entry.name);
  try {
    const real = entry.isSymbolicLink() ? await realpath(location) : location;
    if (real !== root && !real.startsWith(root + sep)) {
      throw new ConfigurationError(
        `${path}: this symbolic link leaves the source, for ${real}; copy the file in its place`,
      );
    }
    return { real, status: await stat(real) };
  } catch (cause) {
    if (!isMissing(cause)) throw cause;
    throw new ConfigurationError(`${path}: this symbolic link leads nowhere`, { cause });
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ELOOP');
}
