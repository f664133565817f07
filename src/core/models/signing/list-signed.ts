import { lstatSync, readdirSync, realpathSync, statSync } from 'node:fs';
import { join, posix } from 'node:path';
import { ConfigurationError } from '../../runner/errors.ts';
import { checkInside } from '../select-models.ts';

/** Something that stands in a signed folder and is no folder itself. */
export interface SignedFile {
  /** Relative to the folder, and to the root of all models. */
  readonly path: string;
  readonly rootPath: string;
  readonly isLink: boolean;
  /** False for a link that leads to no file: there is nothing to hash. */
  readonly isFile: boolean;
}

const MAX_FILES = 100_000;

/**
 * All that stands in a folder and below it, relative to `root`, but for what `isLeftOut` says. Folders that are links are
 * not entered. Throws ConfigurationError for a link that leaves the root, and for more files than a model has.
 */
export function listSigned(root: string, folder: string, isLeftOut: (path: string) => boolean): readonly SignedFile[] {
  const files: SignedFile[] = [];
  const open = [''];
  for (let below = open.pop(); below !== undefined; below = open.pop()) {
    for (const name of readdirSync(join(root, folder, below)).sort()) {
      const path = posix.join(below, name);
      if (isLeftOut(path)) continue;
      const stats = lstatSync(join(root, folder, path));
      if (stats.isDirectory()) open.push(path);
      else files.push(toFile(root, posix.join(folder, path), path, stats.isSymbolicLink()));
      if (files.length > MAX_FILES)
        throw new ConfigurationError(`the signed folder "${folder}" holds more than ${MAX_FILES} files`);
    }
  }
  return files;
}

function toFile(root: string, rootPath: string, path: string, isLink: boolean): SignedFile {
  const target = statSync(join(root, rootPath), { throwIfNoEntry: false });
  if (isLink && target !== undefined) checkInside(root, rootPath);
  return { path, rootPath, isLink, isFile: target?.isFile() === true };
}

/** The folder of `root`, or the one file, that a path names. Throws ConfigurationError for one that is not there. */
export function findSigned(root: string, path: string): 'folder' | 'file' {
  const stats = statSync(join(root, path), { throwIfNoEntry: false });
  if (stats?.isDirectory() !== true && stats?.isFile() !== true)
    throw new ConfigurationError(`input "signed": there is no folder or file "${path}"`);
  const real = posix.relative(realpathSync(root), realpathSync(join(root, path)));
  if (posix.isAbsolute(path) || real === '..' || real.startsWith('../'))
    throw new ConfigurationError(`input "signed": "${path}" leaves the repository`);
  return stats.isDirectory() ? 'folder' : 'file';
}
