import { randomBytes } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { combineCrc32 } from '../../../../src/core/aws/crc32-combine.ts';

describe('combineCrc32', () => {
  it.each([
    [0, 0],
    [0, 5],
    [5, 0],
    [1, 1],
    [1000, 3],
    [16, 65_537],
    [70_000, 1_048_576],
  ])('is that of %d and %d bytes in one', (one, other) => {
    const [a, b] = [randomBytes(one), randomBytes(other)];
    expect(combineCrc32(crc32(a), crc32(b), other)).toBe(crc32(Buffer.concat([a, b])));
  });

  it('holds for lengths beyond 32 bits', () => {
    // Five gibibytes of zeros, in halves and in eighths.
    const zeros = (length: number, parts: number): number => {
      const part = length / parts;
      const one = part <= 1024 ? crc32(Buffer.alloc(part)) : zeros(part, 8);
      let sum = one;
      for (let index = 1; index < parts; index += 1) sum = combineCrc32(sum, one, part);
      return sum;
    };
    const length = 5 * 2 ** 30;
    expect(zeros(length, 2)).toBe(zeros(length, 8));
  });
});
