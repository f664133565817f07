import { closeSync, openSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { threadId } from 'node:worker_threads';
import { type ByteSource, type FileSource, readerOf, slice } from '../byte-source.ts';
import type { ReadBudget } from '../read-context.ts';
import { detectCompression, isReadable } from './compression.ts';
import type { Unpacker } from './unpack-to-file.ts';
import { readZipEntries, ZipError } from './zip-archive.ts';
import { sharesBytes } from './zip-layout.ts';

/** Deflated contents up to this size are unpacked in memory; larger ones go to files, so that memory stays flat. */
export const MAX_IN_MEMORY = 16 * 1024 * 1024;

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
 * above MAX_IN_MEMORY. The unpacked bytes stand one behind the other in one file of `folder`, which has no name any more
 * as soon as it is open, so that nothing is left behind; `budget` bounds them all together.
 */
export async function unpackContents(
  source: FileSource,
  folder: string,
  budget: ReadBudget,
): Promise<UnpackedContents> {
  const at = new Map<number, Unpacked>();
  const packed = findPacked(source);
  if (packed.length === 0) return { at, [Symbol.dispose]: () => {} };
  // Streams are loaded where they are needed: most files have nothing to unpack.
  const { unpackTo } = await import('./unpack-to-file.ts');
  const path = join(folder, `slipway-unpacked-${process.pid}-${threadId}-${source.descriptor}`);
  const descriptor = openSync(path, 'wx+', 0o600);
  rmSync(path);
  const dispose = (): void => closeSync(descriptor);
  try {
    let end = 0;
    for (const { start, size, unpacker, limit } of packed) {
      const from = end;
      const { written, crc, problem } = await unpackTo(descriptor, from, slice(source, start, size), unpacker, {
        budget,
        limit,
      });
      end += written;
      const content = { size: written, read: readerOf(descriptor, from, written) };
      at.set(start, { crc, problem, source: problem === undefined ? content : undefined });
    }
  } catch (error) {
    dispose();
    throw error;
  }
  return { at, [Symbol.dispose]: dispose };
}

interface Packed {
  readonly start: number;
  readonly size: number;
  readonly unpacker: Unpacker;
  /** Bytes that it may unpack to. */
  readonly limit: number;
}

function findPacked(source: ByteSource): readonly Packed[] {
  const head = source.read(0, 64 * 1024);
  const compression = detectCompression(head);
  if (compression !== undefined && isReadable(compression))
    return [{ start: 0, size: source.size, unpacker: compression, limit: Number.POSITIVE_INFINITY }];
  if (head.length < 4 || head.readUInt32LE(0) !== 0x04034b50) return [];
  return largeEntries(source)
    .filter(({ method, isEncrypted }) => method === 8 && !isEncrypted)
    .map(({ dataOffset, compressedSize, size }) => ({
      start: dataOffset,
      size: compressedSize,
      unpacker: 'deflate',
      limit: size,
    }));
}

function largeEntries(source: ByteSource) {
  try {
    const entries = readZipEntries(source);
    // Bytes that 200,000 entries share would be unpacked 200,000 times; the archive's reader refuses them.
    if (sharesBytes(entries)) return [];
    return entries.filter(({ size, compressedSize }) => Math.max(size, compressedSize) > MAX_IN_MEMORY);
  } catch (error) {
    // A broken archive is the finding of its reader.
    if (error instanceof ZipError) return [];
    throw error;
  }
}
