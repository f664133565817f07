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
import { findHeapObject, openFractalHeap } from './hdf5-heap.ts';
import { readTreeRecords } from './hdf5-tree.ts';

const ATTRIBUTE = 0x0c;
const ATTRIBUTE_INFO = 0x15;
/** The B-tree of attributes by name. */
const ATTRIBUTE_NAMES = 8;
const FIXED_STRING = 3;
const VARIABLE = 9;
const MAX_TEXT = 64 * 1024 * 1024;

/**
 * The texts among the attributes of a file's root group: fixed strings, and strings in the global heap, as h5py writes
 * them, be they in the group's header or in dense storage. Throws Hdf5Error for what cannot be followed.
 * Source: HDF5 File Format Specification 3.0, IV.A.2.m (attribute), IV.A.2.v (attribute info), III.E (global heap).
 */
export function readHdf5Attributes(source: ByteSource): ReadonlyMap<string, string> {
  const file = openHdf5(source);
  const texts = new Map<string, string>();
  const messages = readMessages(file, file.root);
  const dense = messages.filter(({ type }) => type === ATTRIBUTE_INFO).flatMap((each) => denseMessages(file, each));
  for (const message of [...messages.filter(({ type }) => type === ATTRIBUTE), ...dense]) {
    const { name, text } = readAttribute(file, message);
    if (text === undefined) continue;
    if (texts.has(name)) throw new Hdf5Error(`${name} is there twice`, message.start);
    texts.set(name, text);
  }
  return texts;
}

/** The attributes of dense storage, which stand in a heap: HDF5's newer format has them there when they are many or large. */
function denseMessages(file: Hdf5File, message: Message): readonly Message[] {
  const { source, offsetWidth } = file;
  const flags = byte(source, message.start + 1);
  const heapAt = message.start + 2 + ((flags & 1) === 0 ? 0 : 2);
  if (isUndefinedAddress(source, heapAt, offsetWidth)) return [];
  const heap = openFractalHeap(file, address(source, heapAt, offsetWidth));
  const names = address(source, heapAt + offsetWidth, offsetWidth);
  return readTreeRecords(file, names, ATTRIBUTE_NAMES).map((record) => {
    // Behind the id of 8 bytes stand the message's flags.
    if ((byte(source, record + 8) & 2) !== 0) throw new Hdf5Error('an attribute is shared with another object', record);
    return { type: ATTRIBUTE, ...findHeapObject(heap, record) };
  });
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
