import { closeSync, constants, fstatSync, openSync, readSync, type Stats, statSync } from 'node:fs';

/** Bytes at positions, of a file or of a part of one. Nothing is kept: a reader holds what it needs. */
export interface ByteSource {
  readonly size: number;
  /** The bytes from `offset`; fewer than `length` only where the source ends. */
  read(offset: number, length: number): Buffer;
}

/** A whole file, opened once, so that the bytes that are scanned are the bytes that were hashed. */
export interface FileSource extends ByteSource, Disposable {
  readonly descriptor: number;
}

/** Opens a regular file. Throws the system's error, and an Error for anything that is no regular file. */
export function openSource(path: string): FileSource {
  // Without O_NONBLOCK the open of a named pipe would wait for ever.
  const descriptor = openSync(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  const stats = fstatSync(descriptor);
  if (!stats.isFile()) {
    closeSync(descriptor);
    throw new Error(`${path} is no regular file`);
  }
  return {
    descriptor,
    size: stats.size,
    read: readerOf(descriptor, 0, stats.size),
    [Symbol.dispose]: () => closeSync(descriptor),
  };
}

/** What a path leads to; undefined where the system does not say: nothing is there, or links that lead in a circle. */
export function statsOf(path: string): Stats | undefined {
  try {
    return statSync(path);
  } catch {
    // Why it cannot be reached is found, and said, where the file is opened.
    return undefined;
  }
}

/** Bytes in memory as a source. */
export function bufferSource(bytes: Buffer): ByteSource {
  return { size: bytes.length, read: (offset, length) => bytes.subarray(offset, offset + length) };
}

/** A part of a source as a source of its own. */
export function slice(source: ByteSource, start: number, size: number): ByteSource {
  return {
    size,
    read: (offset, length) => source.read(start + offset, Math.min(length, Math.max(0, size - offset))),
  };
}

/** Reads `size` bytes of an open file from `start` on, as a source of their own. */
export function readerOf(descriptor: number, start: number, size: number): ByteSource['read'] {
  return (offset, length) => readAt(descriptor, start + offset, Math.min(length, Math.max(0, size - offset)));
}

function readAt(descriptor: number, offset: number, length: number): Buffer {
  const buffer = Buffer.allocUnsafe(length);
  let filled = 0;
  while (filled < length) {
    const count = readSync(descriptor, buffer, filled, length - filled, offset + filled);
    if (count === 0) break;
    filled += count;
  }
  return buffer.subarray(0, filled);
}

/** A source that reads ahead, for readers that take a few bytes at a time and mostly go forward. */
export function buffered(source: ByteSource, ahead = 64 * 1024): ByteSource {
  let from = 0;
  let window: Buffer = Buffer.alloc(0);
  return {
    size: source.size,
    read(offset, length) {
      if (length > ahead) return source.read(offset, length);
      if (offset < from || offset + length > from + window.length) {
        from = offset;
        window = source.read(offset, ahead);
      }
      return window.subarray(offset - from, offset - from + length);
    },
  };
}
