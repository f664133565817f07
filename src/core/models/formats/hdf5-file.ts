import type { ByteSource } from '../byte-source.ts';

/** The file is no HDF5 file that this reader follows. */
export class Hdf5Error extends Error {
  override readonly name = 'Hdf5Error';
  readonly offset: number;
  constructor(message: string, offset: number) {
    super(message);
    this.offset = offset;
  }
}

/** A file with the width of its addresses and lengths, and where its root group's header stands. */
export interface Hdf5File {
  readonly source: ByteSource;
  readonly offsetWidth: number;
  readonly lengthWidth: number;
  readonly root: number;
}

/** A message of an object header, by its type number (HDF5 format specification 3.0, IV.A.2). */
export interface Message {
  readonly type: number;
  readonly start: number;
  readonly length: number;
}

const MAX_MESSAGES = 20_000;
const MAX_BLOCKS = 1_000;

/** Reads the superblock, versions 0 to 3. Throws Hdf5Error. */
export function openHdf5(source: ByteSource): Hdf5File {
  const version = byte(source, 8);
  if (version === 0 || version === 1) {
    const [offsetWidth, lengthWidth] = [byte(source, 13), byte(source, 14)];
    checkWidths(offsetWidth, lengthWidth);
    // Four addresses, then the symbol table entry of the root group: its name's offset, its header's address.
    const entry = (version === 0 ? 24 : 28) + 4 * offsetWidth;
    return { source, offsetWidth, lengthWidth, root: address(source, entry + offsetWidth, offsetWidth) };
  }
  if (version !== 2 && version !== 3) throw new Hdf5Error(`superblock version ${version} is not read`, 8);
  const [offsetWidth, lengthWidth] = [byte(source, 9), byte(source, 10)];
  checkWidths(offsetWidth, lengthWidth);
  return { source, offsetWidth, lengthWidth, root: address(source, 12 + 3 * offsetWidth, offsetWidth) };
}

/** The messages of an object header of version 1 or 2, with those of its continuation blocks. Throws Hdf5Error. */
export function readMessages(file: Hdf5File, at: number): readonly Message[] {
  return bytes(file.source, at, 4).toString('latin1') === 'OHDR' ? readVersion2(file, at) : readVersion1(file, at);
}

function readVersion1(file: Hdf5File, at: number): readonly Message[] {
  const { source } = file;
  if (byte(source, at) !== 1) throw new Hdf5Error('an object header is of an unknown version', at);
  const messages: Message[] = [];
  const blocks = [{ start: at + 16, end: at + 16 + Number(bytes(source, at + 8, 4).readUInt32LE()) }];
  for (let index = 0; index < blocks.length; index += 1) {
    const { start, end } = blocks[index] ?? { start: 0, end: 0 };
    for (let position = start; position + 8 <= end; ) {
      const header = bytes(source, position, 8);
      const message = { type: header.readUInt16LE(0), start: position + 8, length: header.readUInt16LE(2) };
      addMessage(file, message, messages, blocks, 0);
      position = message.start + message.length;
    }
  }
  return messages;
}

function readVersion2(file: Hdf5File, at: number): readonly Message[] {
  const { source } = file;
  const flags = byte(source, at + 5);
  let position = at + 6 + ((flags & 0x20) === 0 ? 0 : 16) + ((flags & 0x10) === 0 ? 0 : 4);
  const width = 1 << (flags & 3);
  const size = number(source, position, width);
  position += width;
  const tracked = (flags & 4) === 0 ? 0 : 2;
  const messages: Message[] = [];
  const blocks = [{ start: position, end: position + size }];
  for (let index = 0; index < blocks.length; index += 1) {
    const { start, end } = blocks[index] ?? { start: 0, end: 0 };
    for (let from = start; from + 4 + tracked <= end; ) {
      const header = bytes(source, from, 4);
      const message = { type: header.readUInt8(0), start: from + 4 + tracked, length: header.readUInt16LE(1) };
      addMessage(file, message, messages, blocks, 4);
      from = message.start + message.length;
    }
  }
  return messages;
}

/** Keeps a message, or the block that a continuation message names. Blocks of version 2 start with `OCHK` and end with a checksum. */
function addMessage(
  { source, offsetWidth, lengthWidth }: Hdf5File,
  message: Message,
  messages: Message[],
  blocks: { start: number; end: number }[],
  frame: number,
): void {
  if (messages.length >= MAX_MESSAGES || blocks.length > MAX_BLOCKS)
    throw new Hdf5Error('an object header has more messages than are read', message.start);
  messages.push(message);
  if (message.type !== 0x10) return;
  const start = address(source, message.start, offsetWidth);
  const length = number(source, message.start + offsetWidth, lengthWidth);
  blocks.push({ start: start + frame, end: start + length - frame });
}

export function bytes(source: ByteSource, at: number, length: number): Buffer {
  if (at < 0 || !Number.isSafeInteger(at) || length > source.size - at)
    throw new Hdf5Error('it points out of the file', Math.max(0, at));
  return source.read(at, length);
}

export function byte(source: ByteSource, at: number): number {
  return bytes(source, at, 1).readUInt8();
}

/** A little-endian number of up to eight bytes. */
export function number(source: ByteSource, at: number, width: number): number {
  const value = bytes(source, at, width);
  if (width <= 6) return value.readUIntLE(0, width);
  const wide = value.readBigUInt64LE();
  if (wide > BigInt(Number.MAX_SAFE_INTEGER)) throw new Hdf5Error('a number is larger than any file', at);
  return Number(wide);
}

export function address(source: ByteSource, at: number, width: number): number {
  return number(source, at, width);
}

/** True for the address that stands for none: all bits set. */
export function isUndefinedAddress(source: ByteSource, at: number, width: number): boolean {
  return bytes(source, at, width).every((each) => each === 0xff);
}

function checkWidths(offsetWidth: number, lengthWidth: number): void {
  if (![2, 4, 8].includes(offsetWidth) || ![2, 4, 8].includes(lengthWidth))
    throw new Hdf5Error(`addresses of ${offsetWidth} and lengths of ${lengthWidth} bytes are not read`, 9);
}
