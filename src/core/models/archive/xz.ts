import { type ByteSource, bufferSource } from '../byte-source.ts';
import { ByteCursor, DecompressError, type Emit } from './byte-cursor.ts';
import { LzmaDecoder } from './lzma.ts';

const STREAM_MAGIC = 'fd377a585a00';
const LZMA2 = 0x21;
const MAX_PADDING = 64 * 1024;
/** Bytes of each check behind a block, by its number (xz file format 1.1, 2.1.1.2). */
const CHECK_BYTES: readonly number[] = [0, 4, 4, 4, 8, 8, 8, 16, 16, 16, 32, 32, 32, 64, 64, 64];

/**
 * Unpacks `.lzma`, the older format of one stream: joblib's `compress="lzma"`. Throws DecompressError.
 * Source: the LZMA specification, "LZMA file format".
 */
export function unpackLzma(source: ByteSource, emit: Emit): void {
  const cursor = new ByteCursor(source);
  const properties = cursor.byte();
  const decoder = new LzmaDecoder(cursor, cursor.u32(), emit);
  const size = cursor.bytes(8).readBigUInt64LE();
  decoder.setProperties(properties);
  decoder.startRange();
  decoder.decode(size === 0xffff_ffff_ffff_ffffn ? Number.POSITIVE_INFINITY : Number(size));
  decoder.flush();
  if (!cursor.isAtEnd) throw new DecompressError('something follows its end');
}

/**
 * Unpacks streams of xz, one behind the other. Its checks are not held against the bytes: a file that they find broken
 * is one that Python does not load. Throws DecompressError, also for filters before LZMA2, which no model needs.
 * Source: The .xz File Format 1.1.0.
 */
export function unpackXz(source: ByteSource, emit: Emit): void {
  const cursor = new ByteCursor(source);
  let padding = 0;
  while (!cursor.isAtEnd) {
    const magic = cursor.bytes(4);
    // Streams are padded by zeros, four at a time.
    padding += 4;
    if (magic.readUInt32LE() === 0 && padding < MAX_PADDING) continue;
    padding = 0;
    if (magic.toString('hex') + cursor.bytes(2).toString('hex') !== STREAM_MAGIC)
      throw new DecompressError('something follows that is no stream of xz');
    readStream(cursor, emit);
  }
}

function readStream(cursor: ByteCursor, emit: Emit): void {
  const flags = cursor.bytes(6);
  const checkBytes = CHECK_BYTES[(flags[1] ?? 0) & 15] ?? 0;
  for (let size = cursor.byte(); size !== 0; size = cursor.byte()) {
    const start = cursor.position - 1;
    const dictionary = readBlockHeader(new ByteCursor(bufferSource(cursor.bytes((size + 1) * 4 - 1))));
    readLzma2(cursor, new LzmaDecoder(cursor, dictionary, emit));
    cursor.bytes(((4 - ((cursor.position - start) % 4)) % 4) + checkBytes);
  }
  const index = cursor.position - 1;
  const records = readCount(cursor);
  for (let left = records * 2; left > 0; left -= 1) readCount(cursor);
  // Padding, the index's checksum and the footer.
  cursor.bytes(((4 - ((cursor.position - index) % 4)) % 4) + 4 + 12);
}

/** The size of the dictionary, which the only filter states. */
function readBlockHeader(header: ByteCursor): number {
  const flags = header.byte();
  if ((flags & 3) !== 0) throw new DecompressError('it uses filters besides LZMA2');
  if ((flags & 0x40) !== 0) readCount(header);
  if ((flags & 0x80) !== 0) readCount(header);
  if (readCount(header) !== LZMA2 || readCount(header) !== 1) throw new DecompressError('its filter is not LZMA2');
  const bits = header.byte();
  return bits > 40
    ? Number.POSITIVE_INFINITY
    : bits === 40
      ? 2 ** 32 - 1
      : (2 | (bits & 1)) * 2 ** (Math.floor(bits / 2) + 11);
}

/** Chunks of LZMA and of bytes as they are; the first must start the dictionary and the properties. */
function readLzma2(cursor: ByteCursor, decoder: LzmaDecoder): void {
  let [hasDictionary, hasProperties] = [false, false];
  for (let control = cursor.byte(); control !== 0; control = cursor.byte()) {
    const isPacked = control >= 0x80;
    if (!isPacked && control > 2) throw new DecompressError('a chunk of it is of an unknown kind');
    const reset = isPacked ? (control >> 5) & 3 : 0;
    const resetsDictionary = control === 1 || reset === 3;
    if (resetsDictionary) decoder.resetDictionary();
    hasDictionary ||= resetsDictionary;
    hasProperties ||= reset >= 2;
    if (!hasDictionary || (isPacked && !hasProperties))
      throw new DecompressError('its first chunk starts no dictionary, or has no properties');
    const size = cursor.bytes(2).readUInt16BE() + 1;
    if (isPacked) readPacked(cursor, decoder, reset, size + ((control & 0x1f) << 16));
    else decoder.copy(size);
  }
  decoder.flush();
}

function readPacked(cursor: ByteCursor, decoder: LzmaDecoder, reset: number, size: number): void {
  const end = cursor.bytes(2).readUInt16BE() + 1 + (reset >= 2 ? 1 : 0) + cursor.position;
  if (reset >= 2) decoder.setProperties(cursor.byte());
  else if (reset === 1) decoder.resetState();
  decoder.startRange();
  decoder.decode(size);
  if (cursor.position !== end) throw new DecompressError('a chunk of it has another length than it says');
}

/** A number of up to nine bytes, seven bits each. */
function readCount(cursor: ByteCursor): number {
  let value = 0;
  for (let shift = 0; shift < 63; shift += 7) {
    const byte = cursor.byte();
    value += (byte & 0x7f) * 2 ** shift;
    if (byte < 0x80) return value;
  }
  throw new DecompressError('a number in it has no end');
}
