import type { ByteSource } from '../byte-source.ts';
import {
  address,
  byte,
  bytes,
  Hdf5Error,
  type Hdf5File,
  isUndefinedAddress,
  type Message,
  number,
  openHdf5,
  readMessages,
} from './hdf5-file.ts';

const ATTRIBUTE = 0x0c;
const ATTRIBUTE_INFO = 0x15;
const FIXED_STRING = 3;
const VARIABLE = 9;
const MAX_TEXT = 64 * 1024 * 1024;

/**
 * The texts among the attributes of a file's root group: fixed strings, and strings in the global heap, as h5py writes
 * them. Attributes in dense storage, which Keras does not write, throw Hdf5Error like everything that cannot be followed.
 * Source: HDF5 File Format Specification 3.0, IV.A.2.m (attribute), III.E (global heap).
 */
export function readHdf5Attributes(source: ByteSource): ReadonlyMap<string, string> {
  const file = openHdf5(source);
  const texts = new Map<string, string>();
  for (const message of readMessages(file, file.root)) {
    if (message.type === ATTRIBUTE) {
      const { name, text } = readAttribute(file, message);
      if (text !== undefined) texts.set(name, text);
    } else if (message.type === ATTRIBUTE_INFO) refuseDense(file, message);
  }
  return texts;
}

function refuseDense({ source, offsetWidth }: Hdf5File, message: Message): void {
  const flags = byte(source, message.start + 1);
  const heap = message.start + 2 + ((flags & 1) === 0 ? 0 : 2);
  if (!isUndefinedAddress(source, heap, offsetWidth))
    throw new Hdf5Error('its root group keeps attributes in dense storage', message.start);
}

function readAttribute(file: Hdf5File, message: Message): { readonly name: string; readonly text: string | undefined } {
  const { source } = file;
  const version = byte(source, message.start);
  if (version < 1 || version > 3) throw new Hdf5Error(`an attribute of version ${version} is not read`, message.start);
  const sizes = bytes(source, message.start + 2, 6);
  const [nameSize, typeSize, spaceSize] = [sizes.readUInt16LE(0), sizes.readUInt16LE(2), sizes.readUInt16LE(4)];
  // Version 1 pads each part to eight bytes.
  const padded = (size: number): number => (version === 1 ? Math.ceil(size / 8) * 8 : size);
  const nameStart = message.start + (version === 3 ? 9 : 8);
  const typeStart = nameStart + padded(nameSize);
  const dataStart = typeStart + padded(typeSize) + padded(spaceSize);
  const name = bytes(source, nameStart, nameSize).toString('utf8').replace(/\0.*$/s, '');
  const isShared = version > 1 && (byte(source, message.start + 1) & 3) !== 0;
  if (!/^(?:model|training)_config$/.test(name)) return { name, text: undefined };
  if (isShared) throw new Hdf5Error(`the type of ${name} stands elsewhere`, message.start);
  const kind = byte(source, typeStart) & 15;
  if (kind === FIXED_STRING) {
    const size = bytes(source, typeStart + 4, 4).readUInt32LE();
    return { name, text: textOf(bytes(source, dataStart, Math.min(size, message.start + message.length - dataStart))) };
  }
  if (kind !== VARIABLE) throw new Hdf5Error(`${name} is no text`, message.start);
  return { name, text: textOf(readGlobalHeap(file, dataStart)) };
}

/** A variable string: its length, and the collection and number under which the global heap keeps it. */
function readGlobalHeap({ source, offsetWidth, lengthWidth }: Hdf5File, at: number): Buffer {
  const length = bytes(source, at, 4).readUInt32LE();
  const collection = address(source, at + 4, offsetWidth);
  const wanted = bytes(source, at + 4 + offsetWidth, 4).readUInt32LE();
  if (length > MAX_TEXT) throw new Hdf5Error(`a text says ${length} bytes; ${MAX_TEXT} are read`, at);
  if (bytes(source, collection, 4).toString('latin1') !== 'GCOL')
    throw new Hdf5Error('a text is in no global heap', collection);
  const end = collection + number(source, collection + 8, lengthWidth);
  for (let position = collection + 8 + lengthWidth; position + 16 <= end; ) {
    const index = bytes(source, position, 2).readUInt16LE();
    const size = number(source, position + 8, lengthWidth);
    const start = position + 8 + lengthWidth;
    if (index === 0) break;
    if (index === wanted) return bytes(source, start, Math.min(length, size));
    position = start + Math.ceil(size / 8) * 8;
  }
  throw new Hdf5Error('the global heap lacks a text', collection);
}

function textOf(content: Buffer): string {
  return content.toString('utf8').replace(/\0+$/, '');
}
