import { writeSync } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { crc32, createGunzip, createInflate, createInflateRaw, createZstdDecompress } from 'node:zlib';
import { messagesOf } from '../../runner/errors.ts';
import type { ByteSource } from '../byte-source.ts';
import type { ReadBudget } from '../read-context.ts';

const CHUNK = 1024 * 1024;

const UNPACKERS = {
  gzip: createGunzip,
  zlib: createInflate,
  zstd: createZstdDecompress,
  deflate: createInflateRaw,
} as const;

/** A compression that is unpacked to a file. */
export type Unpacker = keyof typeof UNPACKERS;

/** What bounds the unpacking: what the whole file may cost, and what this content says that it unpacks to. */
export interface UnpackLimits {
  readonly budget: ReadBudget;
  /** Bytes. */
  readonly limit: number;
}

/**
 * Unpacks bytes to a place of an open file, and returns how many there are, their checksum, and why they are not all:
 * the limits, a broken stream, or a disk that is full.
 */
export async function unpackTo(
  descriptor: number,
  start: number,
  compressed: ByteSource,
  unpacker: Unpacker,
  { budget, limit }: UnpackLimits,
): Promise<{ readonly written: number; readonly crc: number; readonly problem: string | undefined }> {
  let crc = 0;
  let written = 0;
  const keep = (chunk: Buffer): void => {
    if (!budget.take(chunk.length) || written + chunk.length > limit)
      throw new Error('it unpacks to more than is read');
    if (budget.isLate) throw new Error(budget.whyLate);
    writeSync(descriptor, chunk, 0, chunk.length, start + written);
    written += chunk.length;
    crc = crc32(chunk, crc);
  };
  try {
    await pipeline(
      Readable.from(chunksOf(compressed)),
      UNPACKERS[unpacker](),
      async (chunks: AsyncIterable<Buffer>) => {
        for await (const chunk of chunks) keep(chunk);
      },
    );
    return { written, crc, problem: undefined };
  } catch (error) {
    return { written, crc, problem: messagesOf(error).join(': ') };
  }
}

function* chunksOf(source: ByteSource): Generator<Buffer> {
  for (let position = 0; position < source.size; position += CHUNK) yield source.read(position, CHUNK);
}
