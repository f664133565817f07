import { spawnSync } from 'node:child_process';
import { networkInterfaces } from 'node:os';
import { runCommand } from '../../../src/core/runner/command.ts';
import { onProcessEnd } from './process-end.ts';

export interface Bridge {
  readonly name: string;
  remove(): Promise<void>;
}

/** Third octets tried for a bridge's 10.213.N.0/24; no more engines than that run at once on one machine. */
const candidates = Array.from({ length: 200 }, (_, index) => index + 1);

/**
 * Adds a network bridge of our own for an engine's containers, with `busybox` since a bare machine has no ip(8).
 * An engine given a bridge neither makes nor keeps `docker0`, so several run side by side with addresses of their own.
 */
export async function addBridge(busybox: string): Promise<Bridge> {
  for (const number of candidates) {
    const name = `slipway${number}`;
    const network = `10.213.${number}.`;
    const addresses = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
    if (addresses.some(({ address }) => address.startsWith(network))) continue;
    const added = await runCommand(busybox, ['ip', 'link', 'add', 'name', name, 'type', 'bridge'], {
      allowFailure: true,
    });
    if (/File exists/.test(added.stderr)) continue;
    if (added.exitCode !== 0) throw new Error(`the network bridge ${name} could not be added: ${added.stderr.trim()}`);
    const release = onProcessEnd(() => spawnSync(busybox, ['ip', 'link', 'del', name]));
    const remove = async (): Promise<void> => {
      await removeBridge(busybox, name);
      release();
    };
    try {
      await runCommand(busybox, ['ip', 'addr', 'add', `${network}1/24`, 'dev', name]);
      await runCommand(busybox, ['ip', 'link', 'set', name, 'up']);
    } catch (error) {
      await remove();
      throw error;
    }
    return { name, remove };
  }
  throw new Error(`all ${candidates.length} networks 10.213.N.0/24 of this machine are taken`);
}

/** Removes a bridge; one that is gone already is fine. */
export async function removeBridge(busybox: string, name: string): Promise<void> {
  const { exitCode, stderr } = await runCommand(busybox, ['ip', 'link', 'del', name], { allowFailure: true });
  if (exitCode !== 0 && !/find device|No such device/i.test(stderr))
    throw new Error(`the network bridge ${name} could not be removed: ${stderr.trim()}`);
}
