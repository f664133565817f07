import { createHash } from 'node:crypto';
import { mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { detectCompression, isReadable } from '../../../../../src/core/models/archive/compression.ts';
import { decompressInMemory } from '../../../../../src/core/models/archive/decompress.ts';
import { unpackTo } from '../../../../../src/core/models/archive/unpack-to-file.ts';
import { bufferSource } from '../../../../../src/core/models/byte-source.ts';
import { ReadBudget } from '../../../../../src/core/models/read-context.ts';
import { readModel } from '../../../../../src/core/models/read-model.ts';
import { compressedByPython, PLAIN } from '../generators/compressed.ts';

const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');
const unpack = (bytes: Buffer, limit = 1e7): Buffer => {
  const compression = detectCompression(bytes.subarray(0, 64 * 1024));
  if (compression === undefined || !isReadable(compression)) throw new Error(`it is ${compression}`);
  return decompressInMemory(compression, bufferSource(bytes), limit);
};

describe('what Python compressed is unpacked', () => {
  test.each(Object.entries(compressedByPython()))('%s', (_, bytes) => {
    expect(sha256(unpack(bytes))).toBe(sha256(PLAIN));
  });
});

describe('streams one behind the other are all unpacked', () => {
  const { bz2 = PLAIN, xz = PLAIN, lz4 = PLAIN } = compressedByPython();
  const streams = { gzip: gzipSync(PLAIN), zlib: deflateSync(PLAIN), zstd: zstdCompressSync(PLAIN), bz2, xz, lz4 };
  test.each(Object.entries(streams))('%s', async (_, stream) => {
    const two = Buffer.concat([stream, stream]);
    expect(unpack(two).equals(Buffer.concat([PLAIN, PLAIN]))).toBe(true);
    expect(() => unpack(Buffer.concat([stream, Buffer.from('junk')]))).toThrow();
    expect(() => unpack(two, PLAIN.length + 1)).toThrow();
    expect(() => unpack(stream.subarray(0, -stream.length / 2))).toThrow();
  });

  test('to a file as well', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'slipway-unpack-'));
    try {
      const path = join(folder, 'out');
      const two = bufferSource(Buffer.concat([streams.zstd, streams.zstd]));
      const limits = { budget: new ReadBudget(), limit: 1e9 };
      const { problem, written } = await unpackTo(openSync(path, 'wx+'), 0, two, 'zstd', limits);
      expect([problem, written]).toEqual([undefined, PLAIN.length * 2]);
      expect(readFileSync(path).equals(Buffer.concat([PLAIN, PLAIN]))).toBe(true);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

describe('what lies is refused', () => {
  const { lzma = PLAIN, xz = PLAIN } = compressedByPython();
  const changed = (bytes: Buffer, at: number, value: number): Buffer => {
    const copy = Buffer.from(bytes);
    copy[at] = value;
    return copy;
  };
  test.each([
    ['lzma with a dictionary of 2 GB', changed(changed(lzma, 3, 0), 4, 0x80), /dictionary of 2147483648 bytes/],
    ['lzma with properties that are none', changed(lzma, 0, 0xff), /it is undefined/],
    ['xz with another filter', changed(xz, 14, 4), /its filter is not LZMA2/],
  ])('%s', (_, bytes, error) => {
    expect(() => unpack(bytes)).toThrow(error);
  });
});

describe('no mutant crashes a decoder', () => {
  test.each(Object.entries(compressedByPython()))('%s', (name, bytes) => {
    let state = 20_261_121;
    const next = (limit: number): number => {
      state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
      return Math.floor((state / 2 ** 32) * limit);
    };
    for (let round = 0; round < 200; round += 1) {
      const mutant = Buffer.from(bytes);
      for (let count = next(4); count >= 0; count -= 1) mutant[12 + next(mutant.length - 12)] = next(256);
      const { format, findings } = readModel(bufferSource(mutant), new Set());
      // What it unpacks to is no model: there is always something to find.
      expect(findings.length, `${name} ${round} ${format}`).toBeGreaterThan(0);
    }
  });
});
