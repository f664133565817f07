import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { formatRepository } from '../../core/registry/reference.ts';
import type { RegistryClient } from '../../core/registry/registry-client.ts';
import { ConfigurationError } from '../../core/runner/errors.ts';
import type { ActionContext } from '../../core/runner/run-action.ts';
import type { PushLocal } from './resolve-sources.ts';

/** Pushes images of this machine's engine by digest, which no tag names yet. */
export function createPushLocal(
  client: RegistryClient,
  { dryRun }: { readonly dryRun: boolean },
  { temp, environment, runCommand, log }: Pick<ActionContext, 'temp' | 'environment' | 'runCommand' | 'log'>,
): PushLocal {
  // The inputs of this action, a password among them, are no business of the programs it runs.
  const own = Object.fromEntries(Object.entries(environment).filter(([name]) => !name.startsWith('INPUT_')));
  return async (name, to) => {
    if (dryRun)
      throw new ConfigurationError('"dry-run" and "local" exclude each other: an image is pushed to be looked at');
    // Imported here: reading archives is most of this action's weight, and no other source needs it.
    const { saveEngineImage } = await import('../../core/registry/engine-image.ts');
    const { pushLayout } = await import('../../core/registry/push-layout.ts');
    const folder = await mkdtemp(join(temp, 'slipway-local-'));
    try {
      const layout = join(folder, 'layout');
      await saveEngineImage({ name, folder: layout, runCommand, environment: own });
      const { digest } = await pushLayout({ layout, repository: formatRepository(to), client, log });
      return digest;
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  };
}
