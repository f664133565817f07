import { realpathSync, statSync } from 'node:fs';
import { dirname, isAbsolute, join, relative } from 'node:path';
import { ConfigurationError } from '../../core/runner/errors.ts';

/**
 * The file that `write-manifest` names, checked before anything is read. Its folder must be there, in the workspace.
 * Names in it are relative to the workspace, so it must stand at the workspace's root to be read back.
 */
export function manifestTarget(workspace: string, path: string | undefined): string | undefined {
  if (path === undefined) return undefined;
  const file = join(workspace, path);
  const folder = statSync(dirname(file), { throwIfNoEntry: false });
  const inside = folder?.isDirectory() === true ? relative(realpathSync(workspace), realpathSync(dirname(file))) : '..';
  if (isAbsolute(path) || inside !== '') {
    throw new ConfigurationError(
      `input "write-manifest": "${path}" must be a file name at the workspace's root, because the names in it are relative to that`,
    );
  }
  return file;
}
