import { choose, createRandom, mutateBytes } from './mutate-bytes.ts';
import type { MutateStructure } from './mutate-structure.ts';

/** What a parser makes of bytes: each part of its answer, without numbers and names. A throw is a crash. */
export type Parse = (bytes: Buffer) => readonly string[] | Promise<readonly string[]>;

export interface FuzzTarget {
  readonly seeds: readonly Buffer[];
  readonly mutate: MutateStructure;
  readonly parse: Parse;
}

export interface FuzzLimits {
  /** Milliseconds of the whole run. */
  readonly time: number;
  /** Milliseconds that one input may take. */
  readonly slowest: number;
  /** Bytes that the process may grow by for one input. */
  readonly memory: number;
}

export interface FuzzResult {
  readonly rounds: number;
  /** Inputs with an answer that none before them gave, in the order in which they were found. */
  readonly found: readonly Buffer[];
  /** Milliseconds of the input that took longest. */
  readonly slowest: number;
}

/** Larger inputs find nothing that these do not, and slow the run. */
const MAX_INPUT = 32 * 1024;

/**
 * Gives a parser mutants until the time is over. A mutant with a new answer becomes a seed of the next ones, so that a run
 * gets deeper the longer it lasts. Throws with the input in base64 where one crashes, is slow or takes too much memory.
 */
export async function fuzz(
  { seeds, mutate, parse }: FuzzTarget,
  seed: number,
  limits: FuzzLimits,
): Promise<FuzzResult> {
  const random = createRandom(seed);
  const kept = [...seeds];
  const answers = new Set<string>();
  for (const each of seeds) for (const answer of await parse(each)) answers.add(answer);
  const found: Buffer[] = [];
  const end = Date.now() + limits.time;
  let slowest = 0;
  let rounds = 0;
  for (; Date.now() < end; rounds += 1) {
    const parent = choose(kept, random);
    const mutant = (random(3) === 0 ? mutateBytes(parent, kept, random) : mutate(parent, kept, random)).subarray(
      0,
      MAX_INPUT,
    );
    const before = process.memoryUsage.rss();
    const started = performance.now();
    const parts = await answerOf(parse, mutant, `seed ${seed}, round ${rounds}`);
    const took = performance.now() - started;
    const grown = process.memoryUsage.rss() - before;
    slowest = Math.max(slowest, took);
    if (took > limits.slowest) throw new Error(`it took ${Math.round(took)} ms for ${shown(mutant)}`);
    if (grown > limits.memory) throw new Error(`it took ${grown} bytes of memory for ${shown(mutant)}`);
    if (parts.every((part) => answers.has(part))) continue;
    for (const part of parts) answers.add(part);
    // A copy: a part of a larger buffer would keep all of that.
    kept.push(Buffer.from(mutant));
    found.push(Buffer.from(mutant));
  }
  return { rounds, found, slowest };
}

async function answerOf(parse: Parse, mutant: Buffer, place: string): Promise<readonly string[]> {
  try {
    return await parse(mutant);
  } catch (cause) {
    throw new Error(`it crashed (${place}) on ${shown(mutant)}`, { cause });
  }
}

function shown(bytes: Buffer): string {
  return bytes.toString('base64');
}
