import { crc32, inflateRawSync } from 'node:zlib';

/** Signatures and sizes of PKWARE's APPNOTE.TXT 6.3.10, sections 4.3.7, 4.3.12 and 4.3.16. */
const LOCAL_HEADER = 0x04034b50;
const CENTRAL_HEADER = 0x02014b50;
const END_RECORD = 0x06054b50;
const LOCAL_SIZE = 30;
const CENTRAL_SIZE = 46;
const END_SIZE = 22;
/** 1 January 1980, the first date that the format can tell: equal content makes equal bytes. */
const DOS_DATE = 0x0021;
const UTF8_NAMES = 0x0800;
const STORED = 0;
const DEFLATED = 8;
const MAX_COMMENT = 0xffff;

export interface ZipEntry {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** A zip archive of one stored file: what the artifacts of GitHub's web interface are downloaded as. */
export function writeZip(entry: ZipEntry): Buffer {
  const name = Buffer.from(entry.name, 'utf8');
  const sizes = { crc: crc32(entry.bytes), size: entry.bytes.length };

  const local = Buffer.alloc(LOCAL_SIZE);
  local.writeUInt32LE(LOCAL_HEADER, 0);
  writeCommonFields(local, 4, sizes, name.length);

  const central = Buffer.alloc(CENTRAL_SIZE);
  central.writeUInt32LE(CENTRAL_HEADER, 0);
  // Made by Unix (3) after version 2.0, so that the permissions below count.
  central.writeUInt16LE((3 << 8) | 20, 4);
  writeCommonFields(central, 6, sizes, name.length);
  central.writeUInt32LE((0o100644 << 16) >>> 0, 38);

  const end = Buffer.alloc(END_SIZE);
  end.writeUInt32LE(END_RECORD, 0);
  end.writeUInt16LE(1, 8);
  end.writeUInt16LE(1, 10);
  end.writeUInt32LE(CENTRAL_SIZE + name.length, 12);
  end.writeUInt32LE(LOCAL_SIZE + name.length + entry.bytes.length, 16);
  return Buffer.concat([local, name, entry.bytes, central, name, end]);
}

function writeCommonFields(
  header: Buffer,
  at: number,
  { crc, size }: { readonly crc: number; readonly size: number },
  nameLength: number,
): void {
  header.writeUInt16LE(20, at);
  header.writeUInt16LE(UTF8_NAMES, at + 2);
  header.writeUInt16LE(STORED, at + 4);
  header.writeUInt16LE(0, at + 6);
  header.writeUInt16LE(DOS_DATE, at + 8);
  header.writeUInt32LE(crc, at + 10);
  header.writeUInt32LE(size, at + 14);
  header.writeUInt32LE(size, at + 18);
  header.writeUInt16LE(nameLength, at + 22);
}

/**
 * The one file of a zip archive, stored or deflated. Throws Error for anything else: several files, encryption, zip64,
 * sizes beyond `maxBytes`, a wrong checksum.
 */
export function readZip(archive: Buffer, maxBytes: number): ZipEntry {
  const end = findEnd(archive);
  if (archive.readUInt16LE(end + 10) !== 1) throw new Error('the zip archive does not hold exactly one file');
  const at = archive.readUInt32LE(end + 16);
  const central = archive.subarray(at, at + CENTRAL_SIZE);
  if (central.length < CENTRAL_SIZE || central.readUInt32LE(0) !== CENTRAL_HEADER) {
    throw new Error('the zip archive has no central directory where its end says');
  }
  const [flags, method] = [central.readUInt16LE(8), central.readUInt16LE(10)];
  const [crc, packed, size] = [central.readUInt32LE(16), central.readUInt32LE(20), central.readUInt32LE(24)];
  if ((flags & 1) !== 0) throw new Error('the zip archive is encrypted');
  if (size > maxBytes || packed > archive.length)
    throw new Error(`the file in the zip archive is larger than ${maxBytes} bytes`);
  const name = archive.subarray(at + CENTRAL_SIZE, at + CENTRAL_SIZE + central.readUInt16LE(28)).toString('utf8');
  const bytes = unpack(readData(archive, central.readUInt32LE(42), packed), method, size);
  if (bytes.length !== size || crc32(bytes) !== crc)
    throw new Error('the file in the zip archive is not what its checksum says');
  return { name, bytes };
}

function findEnd(archive: Buffer): number {
  const lowest = Math.max(0, archive.length - END_SIZE - MAX_COMMENT);
  for (let at = archive.length - END_SIZE; at >= lowest; at -= 1) {
    if (archive.readUInt32LE(at) === END_RECORD) return at;
  }
  throw new Error('this is no zip archive');
}

function readData(archive: Buffer, at: number, packed: number): Buffer {
  const local = archive.subarray(at, at + LOCAL_SIZE);
  if (local.length < LOCAL_SIZE || local.readUInt32LE(0) !== LOCAL_HEADER)
    throw new Error('the zip archive has no file where it says');
  const start = at + LOCAL_SIZE + local.readUInt16LE(26) + local.readUInt16LE(28);
  return archive.subarray(start, start + packed);
}

function unpack(data: Buffer, method: number, size: number): Buffer {
  if (method === STORED) return data;
  if (method !== DEFLATED) throw new Error(`the zip archive packs its file by method ${method}, not by deflate`);
  return inflateRawSync(data, { maxOutputLength: Math.max(1, size) });
}
