import { realpathSync, statSync } from 'node:fs';
import { dirname, isAbsolute, join, posix, relative } from 'node:path';
import { ConfigurationError } from '../../core/runner/errors.ts';

/** A manifest to write: its file, and its folder as the models' paths see it. */
export interface ManifestTarget {
  readonly file: string;
  readonly folder: string;
  readonly isYaml: boolean;
}

/**
 * The file that `write-manifest` names, checked before anything is read. Its folder must be there, in the workspace, and
 * above every model: paths in a manifest lead down. Throws ConfigurationError.
 */
export function manifestTarget(workspace: string, path: string | undefined): ManifestTarget | undefined {
  if (path === undefined) return undefined;
  const file = join(workspace, path);
  const folder = statSync(dirname(file), { throwIfNoEntry: false });
  const inside = folder?.isDirectory() === true ? relative(realpathSync(workspace), realpathSync(dirname(file))) : '..';
  if (isAbsolute(path) || inside.startsWith('..'))
    throw new ConfigurationError(`input "write-manifest": "${path}" must be a file in a folder of the workspace`);
  return { file, folder: posix.dirname(posix.normalize(path)), isYaml: /\.ya?ml$/i.test(path) };
}

/** Throws ConfigurationError for a model that a manifest in this folder cannot name. */
export function checkBelow({ file, folder }: ManifestTarget, paths: readonly string[]): void {
  const outside = paths.find((path) => posix.relative(folder, path).startsWith('..'));
  if (outside !== undefined)
    throw new ConfigurationError(`input "write-manifest": "${outside}" does not stand below the folder of "${file}"`);
}
