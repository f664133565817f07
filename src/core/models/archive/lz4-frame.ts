import type { ByteSource } from '../byte-source.ts';
import { ByteCursor, DecompressError, type Emit } from './byte-cursor.ts';

export const LZ4_MAGIC = 0x184d2204;
/** A block reaches back this far, into the blocks before it where they are linked. */
const HISTORY = 64 * 1024;
const BLOCK_SIZES: ReadonlyMap<number, number> = new Map([
  [4, 64 * 1024],
  [5, 256 * 1024],
  [6, 1024 * 1024],
  [7, 4 * 1024 * 1024],
]);

/**
 * Unpacks frames of LZ4, one behind the other, as joblib's `compress="lz4"` writes them. Its checksums are not held
 * against the bytes: a file that they find broken is one that Python does not load. Throws DecompressError.
 * Source: lz4's doc/lz4_Frame_format.md and doc/lz4_Block_format.md.
 */
export function unpackLz4(source: ByteSource, emit: Emit): void {
  const cursor = new ByteCursor(source);
  while (!cursor.isAtEnd) readFrame(cursor, emit);
}

function readFrame(cursor: ByteCursor, emit: Emit): void {
  if (cursor.u32() !== LZ4_MAGIC) throw new DecompressError('something follows that is no frame of LZ4');
  const flags = cursor.byte();
  const blockSize = BLOCK_SIZES.get((cursor.byte() >> 4) & 7);
  if (flags >> 6 !== 1 || blockSize === undefined) throw new DecompressError('its frame is of an unknown version');
  const [hasContentSize, hasDictionary] = [(flags & 8) !== 0, (flags & 1) !== 0];
  if (hasDictionary) throw new DecompressError('it needs a dictionary that is not in it');
  cursor.bytes((hasContentSize ? 8 : 0) + 1);
  // The history in front, the block that is unpacked behind it.
  const window = Buffer.alloc(HISTORY + blockSize);
  let history = 0;
  for (let size = cursor.u32(); size !== 0; size = cursor.u32()) {
    const isStored = size >= 2 ** 31;
    const length = isStored ? size - 2 ** 31 : size;
    if (length > blockSize) throw new DecompressError('a block is larger than its frame says');
    const block = cursor.bytes(length);
    if ((flags & 0x10) !== 0) cursor.bytes(4);
    const end = isStored ? HISTORY + block.copy(window, HISTORY) : unpackBlock(block, window, HISTORY - history);
    emit(window.subarray(HISTORY, end));
    history = Math.min(HISTORY, history + end - HISTORY);
    window.copyWithin(HISTORY - history, end - history, end);
  }
  if ((flags & 4) !== 0) cursor.bytes(4);
}

/** Unpacks one block behind the history, and returns where it ends; `start` is where the history starts. */
function unpackBlock(block: Buffer, window: Buffer, start: number): number {
  let [at, to] = [0, HISTORY];
  const length = (short: number): number => {
    let total = short;
    for (let more = short === 15 ? 255 : 0; more === 255; total += more) more = block[at++] ?? broken();
    return total;
  };
  while (at < block.length) {
    const token = block[at++] ?? 0;
    const literals = length(token >> 4);
    if (literals > block.length - at || literals > window.length - to) broken();
    to += block.copy(window, to, at, at + literals);
    at += literals;
    // The last sequence ends with its literals.
    if (at === block.length) break;
    if (at + 2 > block.length) broken();
    const offset = block.readUInt16LE(at);
    at += 2;
    const match = length(token & 15) + 4;
    if (offset === 0 || to - offset < start || match > window.length - to) broken();
    // Byte by byte: a match may reach into what it writes.
    for (const end = to + match; to < end; to += 1) window[to] = window[to - offset] ?? 0;
  }
  return to;
}

function broken(): never {
  throw new DecompressError('a block of it is broken');
}
