import { gunzipSync, inflateSync, zstdDecompressSync } from 'node:zlib';
import { isRecord } from '../../runner/event.ts';
import type { ByteSource } from '../byte-source.ts';
import type { Emit } from './byte-cursor.ts';
import { unpackBzip2 } from './bzip2.ts';
import type { Readable } from './compression.ts';
import { unpackLz4 } from './lz4-frame.ts';
import { unpackLzma, unpackXz } from './xz.ts';

/** The compressions of joblib and Python that Node does not bring. */
const DECODERS = { bzip2: unpackBzip2, lz4: unpackLz4, lzma: unpackLzma, xz: unpackXz } as const;
const IN_NODE = { gzip: gunzipSync, zlib: inflateSync, zstd: zstdDecompressSync } as const;

export type Decoded = keyof typeof DECODERS;

export function isDecoded(compression: string): compression is Decoded {
  return Object.hasOwn(DECODERS, compression);
}

/** Unpacks a source, and hands on what comes of it part by part. Throws what the decoder and `emit` throw. */
export function decode(compression: Decoded, source: ByteSource, emit: Emit): void {
  DECODERS[compression](source, emit);
}

/** Unpacks a source in memory; throws an Error where it does not unpack, or to more than `limit` bytes. */
export function decompressInMemory(compression: Readable, source: ByteSource, limit: number): Buffer {
  const parts: Buffer[] = [];
  let length = 0;
  const keep = (bytes: Buffer): void => {
    length += bytes.length;
    if (length > limit) throw new RangeError(`it unpacks to more than ${limit} bytes`);
    parts.push(Buffer.from(bytes));
  };
  if (isDecoded(compression)) decode(compression, source, keep);
  else unpackStreams(compression, source.read(0, source.size), limit, keep);
  return Buffer.concat(parts);
}

/** Node stops where the first stream ends; loaders go on with the next one. */
function unpackStreams(compression: keyof typeof IN_NODE, bytes: Buffer, limit: number, emit: Emit): void {
  for (let position = 0; position < bytes.length; ) {
    const { buffer, engine } = unpackStream(compression, bytes.subarray(position), limit);
    emit(buffer);
    if (engine.bytesWritten === 0) throw new Error('something follows its end');
    position += engine.bytesWritten;
  }
}

/** The types of Node do not tell that `info` gives the engine, which knows where the stream ended. */
function unpackStream(
  compression: keyof typeof IN_NODE,
  bytes: Buffer,
  limit: number,
): { readonly buffer: Buffer; readonly engine: { readonly bytesWritten: number } } {
  const result: unknown = IN_NODE[compression](bytes, { maxOutputLength: limit, info: true });
  if (!isRecord(result) || !Buffer.isBuffer(result['buffer']) || !isRecord(result['engine']))
    throw new Error('zlib does not say where a stream ends');
  return { buffer: result['buffer'], engine: { bytesWritten: Number(result['engine']['bytesWritten']) } };
}
