import { globSync, realpathSync, statSync } from 'node:fs';
import { isAbsolute, join, relative, sep } from 'node:path';
import { ConfigurationError } from '../runner/errors.ts';

/** A selection is a list for people to read; more files than this is a glob that caught a data set. */
const MAX_FILES = 10_000;

/**
 * The files that paths or globs name, relative to `root` and with `/`, each once and sorted.
 *
 * A path without a glob must exist; a glob must match something: a model that is not found is not a verified model.
 * Throws ConfigurationError, also for a path that leaves the root, be it through a symbolic link.
 */
export function selectModels(root: string, patterns: readonly string[]): readonly string[] {
  const files = new Set<string>();
  for (const pattern of patterns) {
    if (leavesRoot(pattern)) throw new ConfigurationError(`"${pattern}" leaves the repository`);
    const found = globSync(pattern, { cwd: root }).filter((path) => statSync(join(root, path)).isFile());
    if (found.length === 0) throw new ConfigurationError(`"${pattern}" matches no file`);
    for (const path of found) files.add(path.split(sep).join('/'));
    if (files.size > MAX_FILES) throw new ConfigurationError(`"${pattern}" matches more than ${MAX_FILES} files`);
  }
  for (const path of files) checkInside(root, path);
  return [...files].sort();
}

/** Throws ConfigurationError where a file, with its symbolic links followed, stands outside of `root`. */
export function checkInside(root: string, path: string): void {
  const real = relative(realpathSync(root), realpathSync(join(root, path)));
  if (leavesRoot(real)) throw new ConfigurationError(`"${path}" is a link that leaves the repository`);
}

function leavesRoot(path: string): boolean {
  return isAbsolute(path) || path.split(/[/\\]/).includes('..');
}
