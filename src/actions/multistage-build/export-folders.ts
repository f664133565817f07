import { mkdir, readdir } from 'node:fs/promises';
import { isInside } from '../../core/buildkit/confined-path.ts';
import { ConfigurationError } from '../../core/runner/errors.ts';
import type { Log } from '../../core/runner/log.ts';
import type { PlannedExport } from './plan.ts';

/**
 * Makes the folders, and looks where links lead: a link in the repository must not carry files out of the workspace.
 * Throws ConfigurationError.
 */
export async function prepareExports(exports: readonly PlannedExport[], workspace: string, log: Log): Promise<void> {
  for (const { destination, folder } of exports) {
    if (!(await isInside(workspace, destination))) {
      throw new ConfigurationError(`input "export": the folder "${folder}" leads out of the workspace by a link`);
    }
    await mkdir(destination, { recursive: true });
    if ((await readdir(destination)).length > 0) {
      log.warning(`the folder "${folder}" is not empty: what is exported is added to what stands there`);
    }
  }
}
