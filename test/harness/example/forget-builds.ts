import { setTimeout as sleep } from 'node:timers/promises';
import { runCommand } from '../../../src/core/runner/command.ts';
import type { Engine } from '../services/docker-engine.ts';

const TRIES = 60;

/**
 * Lets an engine forget the steps whose description matches, as a fresh runner knows none. The engine may be the
 * machine's own: what others built stays. It lets go of records a moment after a build has ended, so it is asked again.
 */
export async function forgetBuilds(engine: Engine, description: RegExp): Promise<void> {
  const filter = ['--filter', `description~=${description.source}`];
  const env = { ...process.env, ...engine.environment };
  for (let attempt = 1; attempt <= TRIES; attempt += 1) {
    await runCommand('docker', ['buildx', 'prune', '--all', '--force', ...filter], { env });
    const { stdout } = await runCommand('docker', ['buildx', 'du', '--verbose', ...filter], { env });
    if (!/^ID:/m.test(stdout)) return;
    await sleep(500);
  }
  throw new Error(`the engine still knows builds of ${description.source}`);
}
