import { closeSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { Readable, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { crc32, createGunzip, createInflate, createInflateRaw, createZstdDecompress } from 'node:zlib';
import { type ByteSource, type FileSource, openSource, slice } from '../byte-source.ts';
import type { ReadBudget } from '../read-context.ts';
import { detectCompression } from './compression.ts';
import { readZipEntries, ZipError } from './zip-archive.ts';

/** Deflated contents up to this size are unpacked in memory; larger ones go to files, so that memory stays flat. */
export const MAX_IN_MEMORY = 16 * 1024 * 1024;
const CHUNK = 1024 * 1024;

/** A content of a file, unpacked: its bytes, or why there are none. */
export interface Unpacked {
  readonly source: ByteSource | undefined;
  readonly crc: number;
  readonly problem: string | undefined;
}

/** The large contents of a file by the place of their compressed bytes; disposing of it removes their files. */
export interface UnpackedContents extends Disposable {
  readonly at: ReadonlyMap<number, Unpacked>;
}

/**
 * Unpacks what readers could not hold in memory: a file that is compressed as a whole, and deflated entries of a zip
 * above MAX_IN_MEMORY. The unpacked bytes stand in files of `folder`, and `budget` bounds them all together.
 */
export async function unpackContents(
  source: FileSource,
  folder: string,
  budget: ReadBudget,
): Promise<UnpackedContents> {
  const at = new Map<number, Unpacked>();
  const files: FileSource[] = [];
  const dispose = (): void => files.forEach((file) => void file[Symbol.dispose]());
  const unpackOne = async (
    start: number,
    size: number,
    unpacker: NodeJS.ReadWriteStream,
    limit: number,
  ): Promise<void> => {
    const path = join(folder, `slipway-unpacked-${process.pid}-${source.descriptor}-${start}`);
    const result = await unpackTo(path, slice(source, start, size), unpacker, budget, limit);
    // The file has no name as soon as it is open: nothing is left behind, whatever happens.
    const opened = openSource(path);
    files.push(opened);
    rmSync(path);
    at.set(start, { ...result, source: result.problem === undefined ? opened : undefined });
  };
  try {
    const head = source.read(0, 64 * 1024);
    const compression = detectCompression(head);
    if (compression === 'gzip') await unpackOne(0, source.size, createGunzip(), Number.POSITIVE_INFINITY);
    else if (compression === 'zlib') await unpackOne(0, source.size, createInflate(), Number.POSITIVE_INFINITY);
    else if (compression === 'zstd') await unpackOne(0, source.size, createZstdDecompress(), Number.POSITIVE_INFINITY);
    else if (head.length >= 4 && head.readUInt32LE(0) === 0x04034b50) {
      for (const { method, isEncrypted, size, compressedSize, dataOffset } of largeEntries(source))
        if (method === 8 && !isEncrypted) await unpackOne(dataOffset, compressedSize, createInflateRaw(), size);
    }
  } catch (error) {
    dispose();
    throw error;
  }
  return { at, [Symbol.dispose]: dispose };
}

function largeEntries(source: ByteSource) {
  try {
    return readZipEntries(source).filter(({ size, compressedSize }) => Math.max(size, compressedSize) > MAX_IN_MEMORY);
  } catch (error) {
    // A broken archive is the finding of its reader.
    if (error instanceof ZipError) return [];
    throw error;
  }
}

async function unpackTo(
  path: string,
  compressed: ByteSource,
  unpacker: NodeJS.ReadWriteStream,
  budget: ReadBudget,
  limit: number,
): Promise<{ readonly crc: number; readonly problem: string | undefined }> {
  const descriptor = openSync(path, 'wx', 0o600);
  let crc = 0;
  let written = 0;
  const file = new Writable({
    write(chunk: Buffer, _, done) {
      written += chunk.length;
      if (!budget.take(chunk.length) || written > limit) return done(new Error('it unpacks to more than is read'));
      crc = crc32(chunk, crc);
      writeSync(descriptor, chunk);
      done();
    },
  });
  try {
    await pipeline(Readable.from(chunksOf(compressed)), unpacker, file);
    return { crc, problem: undefined };
  } catch (error) {
    return { crc, problem: error instanceof Error ? error.message : String(error) };
  } finally {
    closeSync(descriptor);
  }
}

function* chunksOf(source: ByteSource): Generator<Buffer> {
  for (let position = 0; position < source.size; position += CHUNK) yield source.read(position, CHUNK);
}
