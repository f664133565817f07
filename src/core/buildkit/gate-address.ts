import { networkInterfaces } from 'node:os';
import { messagesOf } from '../runner/errors.ts';
import type { Log } from '../runner/log.ts';
import type { BuildxOptions } from './builder.ts';
import { type CacheGate, KNOCK } from './cache-gate.ts';

/** Milliseconds in which a builder must have come to the gate: what no firewall drops arrives in a few. */
const DEADLINE = 10_000;
const MAX_ADDRESSES = 4;

/**
 * The address of this machine under which a builder reaches the gate, or undefined where it reaches none.
 *
 * BuildKit itself is asked to fetch a file from the gate, since only it knows its own network: in a container, in a
 * cluster, behind an address. Each address is a build of its own: one that fails would end the others.
 */
export async function findGateAddress(
  gate: CacheGate,
  builder: string,
  { runCommand, env, log }: BuildxOptions & { readonly log: Log },
  addresses: readonly string[] = ownAddresses(),
): Promise<string | undefined> {
  const found = new AbortController();
  const visits = addresses.map(async (address) => {
    await runCommand('docker', ['buildx', 'build', '--builder', builder, '--output', 'type=cacheonly', '-'], {
      env,
      input: `FROM scratch\nADD ${gate.urlAt(address)}${KNOCK} /\n`,
      deadline: DEADLINE,
      signal: found.signal,
    });
    if (!gate.wasKnockedAt(address)) throw new Error(`something else answers at ${address}`);
    return address;
  });
  try {
    return await Promise.any(visits);
  } catch (error) {
    log.debug(`the builder "${builder}" does not reach this machine: ${messagesOf(error).join('; ').slice(0, 1_000)}`);
    return undefined;
  } finally {
    found.abort();
    await Promise.allSettled(visits);
  }
}

type Interfaces = Readonly<
  Record<
    string,
    readonly { readonly address: string; readonly family: string; readonly internal: boolean }[] | undefined
  >
>;

/** The addresses of this machine, its loopback's first: a builder may share the network. */
export function ownAddresses(interfaces: Interfaces = networkInterfaces()): readonly string[] {
  const outer = Object.values(interfaces)
    .flatMap((each) => each ?? [])
    .filter(({ family, internal }) => family === 'IPv4' && !internal)
    .map(({ address }) => address);
  return ['127.0.0.1', ...outer].slice(0, MAX_ADDRESSES);
}
