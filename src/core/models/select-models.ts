import { existsSync, globSync, lstatSync, readdirSync, realpathSync } from 'node:fs';
import { basename, dirname, isAbsolute, join, normalize, relative, sep } from 'node:path';
import { ConfigurationError, type ErrorPlace } from '../runner/errors.ts';
import { statsOf } from './byte-source.ts';

/** A selection is a list for people to read; more files than this is a glob that caught a data set. */
const MAX_FILES = 10_000;

/**
 * The files that paths or globs name, relative to `root` and with `/`, each once and sorted. A folder that is named
 * stands for all files below it, hidden ones too; pipes, devices and dangling links count as files, so that nothing in a
 * folder is passed over: reading them is a finding.
 *
 * A path without a glob must exist; a glob must match something: a model that is not found is not a verified model.
 * Throws ConfigurationError, also for a path that leaves the root, be it through a symbolic link.
 */
export function selectModels(root: string, patterns: readonly string[]): readonly string[] {
  const files = new Set<string>();
  for (const pattern of patterns) {
    if (leavesRoot(pattern)) throw new ConfigurationError(`"${pattern}" leaves the repository`);
    // A file whose name has brackets is meant by its name before anything is matched.
    const isName = existsSync(join(root, pattern));
    const found = isName ? [normalize(pattern).replace(/[/\\]+$/, '')] : globSync(pattern, { cwd: root });
    const named = found.filter((path) => !isFolder(join(root, path)));
    const [folder, ...others] = named.length === 0 ? found : [];
    const selected = folder !== undefined && others.length === 0 ? filesBelow(root, folder) : named;
    if (selected.length === 0) throw new ConfigurationError(`"${pattern}" matches no file`);
    for (const path of selected) files.add(path.split(sep).join('/'));
    if (files.size > MAX_FILES) throw new ConfigurationError(`"${pattern}" matches more than ${MAX_FILES} files`);
  }
  const check = createInsideCheck(root);
  for (const path of files) check(path);
  return [...files].sort();
}

function filesBelow(root: string, folder: string): readonly string[] {
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .map((entry) => relative(root, join(entry.parentPath, entry.name)));
}

/** A link to a folder counts as one: what stands behind it is named by its own path, or by a glob that goes through it. */
function isFolder(path: string): boolean {
  return statsOf(path)?.isDirectory() === true;
}

/** Throws ConfigurationError where a file, with its symbolic links followed, stands outside of `root`. */
export function checkInside(root: string, path: string, place: ErrorPlace = {}): void {
  createInsideCheck(root, place)(path);
}

/** `checkInside` for many files of one root: each folder's links are followed once. */
function createInsideCheck(root: string, place: ErrorPlace = {}): (path: string) => void {
  const realRoot = realpathSync.native(root);
  const realFolders = new Map<string, string>();
  const realFolder = (folder: string): string => {
    const known = realFolders.get(folder);
    if (known !== undefined) return known;
    const real = realpathSync.native(join(root, folder));
    realFolders.set(folder, real);
    return real;
  };
  return (path) => {
    const file = join(root, path);
    const isLink = lstatSync(file, { throwIfNoEntry: false })?.isSymbolicLink();
    // What is not there leads nowhere, and neither does a link whose end is not there: reading it is a finding.
    if (isLink === undefined || (isLink && statsOf(file) === undefined)) return;
    const real = isLink ? realpathSync.native(file) : join(realFolder(dirname(path)), basename(path));
    if (leavesRoot(relative(realRoot, real)))
      throw new ConfigurationError(`"${path}" is a link that leaves the repository`, place);
  };
}

function leavesRoot(path: string): boolean {
  return isAbsolute(path) || path.split(/[/\\]/).includes('..');
}
