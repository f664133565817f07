import { crc32, inflateRawSync } from 'node:zlib';
import type { ByteSource } from '../byte-source.ts';

/** An entry as the archive's central directory tells it. */
export interface ZipEntry {
  readonly name: string;
  /** 0 for stored, 8 for deflated, anything else is not read here. */
  readonly method: number;
  readonly isEncrypted: boolean;
  /** Its checksum and sizes may stand behind its content. */
  readonly isStreamed: boolean;
  readonly crc: number;
  readonly compressedSize: number;
  readonly size: number;
  /** Where the entry's content starts. */
  readonly dataOffset: number;
  /** Where the entry's own header starts. */
  readonly headerOffset: number;
  /** What the header in front of the content says otherwise than the directory, for readers that take it instead. */
  readonly disagreements: readonly string[];
}

/** The bytes are no archive that every reader reads in the same way. */
export class ZipError extends Error {
  override readonly name = 'ZipError';
}

const END = 0x06054b50;
const END_64 = 0x06064b50;
const LOCATOR_64 = 0x07064b50;
const CENTRAL = 0x02014b50;
const LOCAL = 0x04034b50;
const MAX_ENTRIES = 200_000;
const MAX_DIRECTORY = 16 * 1024 * 1024;

/**
 * Lists an archive's entries, in the order of its central directory.
 *
 * Stricter than most readers, because two readers that disagree on an archive are how a payload passes a scanner:
 * the end record must end the file, the directory must end where it starts, and every local header must be there.
 * Throws ZipError. Source: PKWARE APPNOTE 6.3.10.
 */
export function readZipEntries(source: ByteSource): readonly ZipEntry[] {
  const { count, offset, size, end } = findDirectory(source);
  if (count > MAX_ENTRIES || size > MAX_DIRECTORY)
    throw new ZipError(`it lists ${count} entries in ${size} bytes, more than is read`);
  if (offset + size !== end) throw new ZipError('its directory does not end where the end record starts');
  const directory = source.read(offset, size);
  const entries: ZipEntry[] = [];
  let position = 0;
  for (let index = 0; index < count; index += 1) {
    if (position + 46 > directory.length || directory.readUInt32LE(position) !== CENTRAL)
      throw new ZipError(`entry ${index + 1} of its directory is broken`);
    const [nameLength, extraLength, commentLength] = [28, 30, 32].map((at) => directory.readUInt16LE(position + at));
    const length = 46 + (nameLength ?? 0) + (extraLength ?? 0) + (commentLength ?? 0);
    if (position + length > directory.length) throw new ZipError(`entry ${index + 1} of its directory is cut off`);
    entries.push(readEntry(source, directory.subarray(position, position + length), nameLength ?? 0, extraLength ?? 0));
    position += length;
  }
  if (position !== directory.length) throw new ZipError('its directory holds more than it lists');
  return entries;
}

/**
 * The content of an entry. Deflated ones are inflated up to `limit` bytes; a larger one, one of another method, and
 * one whose checksum or size is wrong throw ZipError.
 */
export function readZipEntry(source: ByteSource, entry: ZipEntry, limit: number): Buffer {
  if (entry.isEncrypted) throw new ZipError('it is encrypted');
  if (Math.max(entry.size, entry.compressedSize) > limit)
    throw new ZipError(`it is larger than the ${limit} bytes that are read`);
  const raw = source.read(entry.dataOffset, entry.compressedSize);
  const content = entry.method === 0 ? raw : inflate(raw, entry, limit);
  if (content.length !== entry.size)
    throw new ZipError(`it has ${content.length} bytes where its header says ${entry.size}`);
  if (crc32(content) !== entry.crc) throw new ZipError('its checksum is wrong');
  return content;
}

/** True where an end record reaches to the end of the file: what finds archives from their end takes it for one. */
export function endsAsZip(source: ByteSource): boolean {
  try {
    return findDirectory(source).count > 0;
  } catch (error) {
    if (error instanceof ZipError) return false;
    throw error;
  }
}

function inflate(raw: Buffer, entry: ZipEntry, limit: number): Buffer {
  if (entry.method !== 8) throw new ZipError(`it is compressed by method ${entry.method}, which is not read`);
  try {
    return inflateRawSync(raw, { maxOutputLength: Math.min(limit, entry.size + 1) });
  } catch (cause) {
    throw new ZipError('it cannot be inflated to the size its header says', { cause });
  }
}

function findDirectory(source: ByteSource): { count: number; offset: number; size: number; end: number } {
  const tailStart = Math.max(0, source.size - 22 - 0xffff);
  const tail = source.read(tailStart, source.size - tailStart);
  // Backwards, and the comment must reach to the end exactly: a fake end record inside a comment does not.
  for (let at = tail.length - 22; at >= 0; at -= 1) {
    if (tail.readUInt32LE(at) !== END || at + 22 + tail.readUInt16LE(at + 20) !== tail.length) continue;
    const end = tailStart + at;
    const plain = {
      count: tail.readUInt16LE(at + 10),
      size: tail.readUInt32LE(at + 12),
      offset: tail.readUInt32LE(at + 16),
      end,
    };
    if (tail.readUInt16LE(at + 4) !== 0 || tail.readUInt16LE(at + 6) !== 0)
      throw new ZipError('it is spread over several files');
    const locator = end >= 20 ? source.read(end - 20, 20) : Buffer.alloc(0);
    return locator.length === 20 && locator.readUInt32LE(0) === LOCATOR_64
      ? readEnd64(source, safe(locator.readBigUInt64LE(8)))
      : plain;
  }
  throw new ZipError('it has no end record that reaches the end of the file');
}

function readEnd64(source: ByteSource, at: number): { count: number; offset: number; size: number; end: number } {
  const record = source.read(at, 56);
  if (record.length < 56 || record.readUInt32LE(0) !== END_64) throw new ZipError('its 64-bit end record is broken');
  return {
    count: safe(record.readBigUInt64LE(32)),
    size: safe(record.readBigUInt64LE(40)),
    offset: safe(record.readBigUInt64LE(48)),
    end: at,
  };
}

function readEntry(source: ByteSource, header: Buffer, nameLength: number, extraLength: number): ZipEntry {
  const name = header.toString('utf8', 46, 46 + nameLength);
  const extra = header.subarray(46 + nameLength, 46 + nameLength + extraLength);
  const wide = readZip64(extra, header);
  const local = source.read(wide.offset, 30);
  if (local.length < 30 || local.readUInt32LE(0) !== LOCAL)
    throw new ZipError(`the header of ${JSON.stringify(name)} is not where the directory says`);
  const localNameLength = local.readUInt16LE(26);
  const localExtraLength = local.readUInt16LE(28);
  const dataOffset = wide.offset + 30 + localNameLength + localExtraLength;
  if (dataOffset + wide.compressedSize > source.size)
    throw new ZipError(`${JSON.stringify(name)} reaches over the end of the file`);
  const names = source.read(wide.offset + 30, localNameLength + localExtraLength);
  return {
    name,
    method: header.readUInt16LE(10),
    isEncrypted: (header.readUInt16LE(8) & 1) === 1 || (local.readUInt16LE(6) & 1) === 1,
    isStreamed: (local.readUInt16LE(6) & 8) !== 0,
    crc: header.readUInt32LE(16),
    compressedSize: wide.compressedSize,
    size: wide.size,
    headerOffset: wide.offset,
    dataOffset,
    disagreements: [
      ...compareHeaders(header, local, names.subarray(0, localNameLength), nameLength),
      ...(hasUnicodePath(extra) || hasUnicodePath(names.subarray(localNameLength))
        ? ['it has a second name in a Unicode field']
        : []),
    ],
  };
}

/** What the two headers of an entry say differently. Sizes and checksum may stand behind the content instead (bit 3). */
function compareHeaders(central: Buffer, local: Buffer, localName: Buffer, nameLength: number): readonly string[] {
  const isStreamed = (local.readUInt16LE(6) & 8) !== 0;
  const isWide = local.readUInt32LE(18) === 0xffffffff || central.readUInt32LE(20) === 0xffffffff;
  return [
    ...(localName.equals(central.subarray(46, 46 + nameLength))
      ? []
      : [`its own header calls it ${JSON.stringify(localName.toString('utf8')).slice(0, 120)}`]),
    ...(local.readUInt16LE(8) === central.readUInt16LE(10) ? [] : ['its own header names another compression']),
    ...(isStreamed || local.readUInt32LE(14) === central.readUInt32LE(16)
      ? []
      : ['its own header has another checksum']),
    ...(isStreamed ||
    isWide ||
    (local.readUInt32LE(18) === central.readUInt32LE(20) && local.readUInt32LE(22) === central.readUInt32LE(24))
      ? []
      : ['its own header has another size']),
  ];
}

/** Info-ZIP's Unicode path field: readers that know it take its name for the entry's (APPNOTE 4.6.9). */
function hasUnicodePath(extra: Buffer): boolean {
  for (let at = 0; at + 4 <= extra.length; at += 4 + extra.readUInt16LE(at + 2))
    if (extra.readUInt16LE(at) === 0x7075) return true;
  return false;
}

/** Sizes and offset, from the ZIP64 field where the 32-bit ones say so. */
function readZip64(extra: Buffer, header: Buffer): { size: number; compressedSize: number; offset: number } {
  const narrow = {
    size: header.readUInt32LE(24),
    compressedSize: header.readUInt32LE(20),
    offset: header.readUInt32LE(42),
  };
  for (let at = 0; at + 4 <= extra.length; at += 4 + extra.readUInt16LE(at + 2)) {
    if (extra.readUInt16LE(at) !== 1) continue;
    let position = at + 4;
    const wide = (value: number): number => {
      if (value !== 0xffffffff) return value;
      if (position + 8 > extra.length) throw new ZipError('a 64-bit field is cut off');
      position += 8;
      return safe(extra.readBigUInt64LE(position - 8));
    };
    return { size: wide(narrow.size), compressedSize: wide(narrow.compressedSize), offset: wide(narrow.offset) };
  }
  return narrow;
}

function safe(value: bigint): number {
  if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw new ZipError('a size or an offset is larger than any file');
  return Number(value);
}
