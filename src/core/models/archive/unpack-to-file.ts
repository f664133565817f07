import { writeSync } from 'node:fs';
import { Readable as Stream } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { crc32, createGunzip, createInflate, createInflateRaw, createZstdDecompress } from 'node:zlib';
import { messagesOf } from '../../runner/errors.ts';
import { type ByteSource, slice } from '../byte-source.ts';
import type { ReadBudget } from '../read-context.ts';
import type { Readable } from './compression.ts';
import { decode, isDecoded } from './decompress.ts';

const CHUNK = 1024 * 1024;

/** Compressions that Node unpacks as streams. */
const STREAMS = {
  gzip: createGunzip,
  zlib: createInflate,
  zstd: createZstdDecompress,
  deflate: createInflateRaw,
} as const;

/** A compression that is unpacked to a file; `deflate` is that of a zip's entries. */
export type Unpacker = Readable | 'deflate';

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
    if (isDecoded(unpacker)) {
      decode(unpacker, compressed, keep);
      return { written, crc, problem: undefined };
    }
    // Node stops where the first stream ends; loaders go on with the next one.
    for (let position = 0; position < compressed.size; ) {
      const stream = STREAMS[unpacker]();
      const rest = slice(compressed, position, compressed.size - position);
      await pipeline(Stream.from(chunksOf(rest)), stream, async (chunks: AsyncIterable<Buffer>) => {
        for await (const chunk of chunks) keep(chunk);
      });
      position += stream.bytesWritten;
      if (position < compressed.size && (unpacker === 'deflate' || stream.bytesWritten === 0))
        throw new Error('something follows its end');
    }
    return { written, crc, problem: undefined };
  } catch (error) {
    return { written, crc, problem: messagesOf(error).join(': ') };
  }
}

function* chunksOf(source: ByteSource): Generator<Buffer> {
  for (let position = 0; position < source.size; position += CHUNK) yield source.read(position, CHUNK);
}
