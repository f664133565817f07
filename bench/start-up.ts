import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { contracts } from '../scripts/contracts.ts';
import { type Figure, median } from './figure.ts';

const root = join(import.meta.dirname, '..');
const RUNS = 15;
/** Seconds of CPU over bare Node that a bundle may take until its inputs are read. */
const LIMIT = 0.1;

/**
 * The CPU time of each bundle until its inputs are read and refused, over that of `node -e 0`.
 *
 * Both run in turn, so that a machine that slows down slows both; CPU time, because wall time on a shared machine
 * says more of its neighbours.
 */
export async function measureStartUp(): Promise<readonly Figure[]> {
  const temp = mkdtempSync(join(tmpdir(), 'slipway-bench-'));
  try {
    return contracts.map(({ name }) => {
      const bundle = join(root, 'dist', name, 'index.js');
      const pairs = Array.from({ length: RUNS + 1 }, () => ({
        bare: cpuSeconds(['-e', '0'], {}),
        // An input that is read last and refused: all of the bundle's start is paid, and nothing is done.
        ours: cpuSeconds([bundle], { RUNNER_TEMP: temp, GITHUB_WORKSPACE: temp, ...refusedInput(name) }),
      })).slice(1);
      return {
        name: `start of ${name}, over node -e 0 (CPU)`,
        value: median(pairs.map(({ bare, ours }) => ours - bare)),
        unit: 's' as const,
        against: { name: 'limit', value: LIMIT },
      };
    });
  } finally {
    rmSync(temp, { recursive: true, force: true });
  }
}

/** A value that the first boolean, choice or JSON input of the action does not take. */
function refusedInput(name: string): Record<string, string> {
  const inputs = Object.entries(contracts.find((contract) => contract.name === name)?.inputs ?? {});
  const [input] = inputs.find(([, { type }]) => type === 'boolean' || type === 'choice' || type === 'JSON') ?? [];
  if (input === undefined) throw new Error(`${name} has no input that can be refused`);
  return { [`INPUT_${input.toUpperCase()}`]: 'neither' };
}

/** User and system time of a process, as bash's own `time` counts it, in seconds. */
function cpuSeconds(args: readonly string[], env: Record<string, string>): number {
  const script = 'TIMEFORMAT="%3U %3S"; { time "$@" >/dev/null 2>&3; } 3>/dev/null';
  const { stderr } = spawnSync('bash', ['--noprofile', '--norc', '-c', script, 'bash', process.execPath, ...args], {
    encoding: 'utf8',
    env: { PATH: process.env['PATH'], ...env },
  });
  const [user = Number.NaN, system = Number.NaN] = stderr.trim().split(' ').map(Number);
  if (Number.isNaN(user + system)) throw new Error(`bash's time said: ${stderr}`);
  return user + system;
}
