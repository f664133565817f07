/** A number from 0 up to, but not including, the limit. */
export type Random = (limit: number) => number;

/** A linear congruential generator: the same seed gives the same mutants everywhere. */
export function createRandom(seed: number): Random {
  let state = seed >>> 0;
  return (limit) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return Math.floor((state / 2 ** 32) * limit);
  };
}

/** One of a list that is not empty. */
export function choose<T>(list: readonly T[], random: Random): T {
  const chosen = list[random(list.length)];
  if (chosen === undefined) throw new Error('there is nothing to choose from');
  return chosen;
}

/** The values at which sizes, counts and offsets wrap or turn negative. */
export const EDGES: readonly bigint[] = [
  0n,
  1n,
  2n,
  7n,
  0x7fn,
  0x80n,
  0xffn,
  0x100n,
  0x7fffn,
  0x8000n,
  0xffffn,
  0x10000n,
  0x7fffffffn,
  0x80000000n,
  0xffffffffn,
  0x100000000n,
  2n ** 40n,
  2n ** 53n,
  2n ** 63n - 1n,
  2n ** 63n,
  2n ** 64n - 1n,
];

/** Bytes changed, cut, doubled, crossed with another seed, or integers set to the values at which they wrap. */
export function mutateBytes(seed: Buffer, seeds: readonly Buffer[], random: Random): Buffer {
  let mutant: Buffer = Buffer.from(seed);
  for (let count = random(6); count >= 0; count -= 1) {
    const at = random(mutant.length + 1);
    switch (random(8)) {
      case 0:
        mutant = mutant.subarray(0, at);
        break;
      case 1:
        mutant = Buffer.concat([mutant.subarray(0, at), mutant.subarray(random(at + 1))]);
        break;
      case 2:
        mutant = Buffer.concat([mutant.subarray(0, at), choose(seeds, random).subarray(random(64))]);
        break;
      case 3: {
        const filling = Buffer.alloc(random(9), choose([0, 0x7f, 0x80, 0xff], random));
        mutant = Buffer.concat([mutant.subarray(0, at), filling, mutant.subarray(at + random(9))]);
        break;
      }
      case 4:
        mutant = overwrite(mutant, at, integerBytes(choose(EDGES, random), choose([1, 2, 4, 8], random)));
        break;
      case 5:
        mutant = leadElsewhere(mutant, random);
        break;
      default:
        if (at < mutant.length) mutant[at] = random(256);
    }
  }
  return mutant;
}

/** Has an aligned integer lead to another place of the file, before or behind it: offsets that turn back, or onto themselves. */
export function leadElsewhere(bytes: Buffer, random: Random): Buffer {
  const width = choose([2, 4, 8], random);
  const at = random(Math.max(1, Math.floor(bytes.length / width))) * width;
  const place = random(bytes.length + 1) & ~(choose([1, 4, 8], random) - 1);
  return overwrite(bytes, at, integerBytes(BigInt(random(2) === 0 ? place : place - at), width));
}

function integerBytes(value: bigint, width: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt.asUintN(64, value));
  return bytes.subarray(0, width);
}

function overwrite(bytes: Buffer, at: number, part: Buffer): Buffer {
  return Buffer.concat([bytes.subarray(0, at), part, bytes.subarray(at + part.length)]);
}
