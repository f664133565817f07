import { OPCODES } from '../../src/core/models/pickle/opcodes.ts';
import { tar } from '../unit/core/models/generators/tar.ts';
import { gguf, ggufText, u32, u64 } from '../unit/core/models/generators/tensors.ts';
import { type ZipPart, zip } from '../unit/core/models/generators/zip.ts';
import { choose, EDGES, mutateBytes, type Random } from './mutate-bytes.ts';
import { mutateText } from './mutate-text.ts';

/** Makes a mutant that keeps the format's own framing, so that what lies behind the first check is reached too. */
export type MutateStructure = (seed: Buffer, seeds: readonly Buffer[], random: Random) => Buffer;

/** A list with entries dropped, doubled, swapped, repeated many times, or taken from another one. */
function mutateList(list: readonly Buffer[], others: readonly Buffer[], random: Random): readonly Buffer[] {
  const mutant = [...list];
  for (let count = random(4); count >= 0 && mutant.length > 0; count -= 1) {
    const [at, to] = [random(mutant.length), random(mutant.length)];
    const part = mutant[at] ?? Buffer.alloc(0);
    switch (random(6)) {
      case 0:
        mutant.splice(at, 1 + random(3));
        break;
      case 1:
        mutant.splice(to, 0, part);
        break;
      case 2:
        mutant.splice(to, 0, ...Array.from({ length: random(Math.min(300, 8192 / (part.length + 1))) }, () => part));
        break;
      case 3:
        mutant.splice(at, 1);
        mutant.splice(to, 0, part);
        break;
      case 4:
        if (others.length > 0) mutant.splice(to, 0, choose(others, random));
        break;
      default:
        mutant[at] = Buffer.concat([part.subarray(0, 1), mutateBytes(part.subarray(1), [part], random)]);
    }
  }
  return mutant;
}

/** Pickles, instruction by instruction. */
export const mutatePickle: MutateStructure = (seed, seeds, random) =>
  Buffer.concat(mutateList(splitPickle(seed), splitPickle(choose(seeds, random)), random));

function splitPickle(bytes: Buffer): readonly Buffer[] {
  const parts: Buffer[] = [];
  for (let at = 0; at < bytes.length; ) {
    const end = Math.min(bytes.length, Math.max(at + 1, instructionEnd(bytes, at)));
    parts.push(bytes.subarray(at, end));
    at = end;
  }
  return parts;
}

function instructionEnd(bytes: Buffer, at: number): number {
  const argument = OPCODES[bytes[at] ?? 0]?.argument ?? 'none';
  const line = (from: number): number => {
    const end = bytes.indexOf(0x0a, from);
    return end < 0 ? bytes.length : end + 1;
  };
  switch (argument) {
    case 'none':
      return at + 1;
    case 'line':
      return line(at + 1);
    case 'two-lines':
      return line(line(at + 1));
    case 'length-1':
      return at + 2 + (bytes[at + 1] ?? 0);
    case 'length-4':
      return at + 5 + (at + 5 <= bytes.length ? bytes.readUInt32LE(at + 1) : 0);
    case 'length-8':
      return at + 9 + (at + 5 <= bytes.length ? bytes.readUInt32LE(at + 1) : 0);
    default:
      return at + 1 + argument;
  }
}

/** Protocol buffers, field by field and message by message, with the lengths around them set right again. */
export const mutateProtobuf: MutateStructure = (seed, seeds, random) => {
  const fields = splitFields(seed);
  if (fields === undefined || fields.length === 0) return mutateBytes(seed, seeds, random);
  const parts = fields.map(({ key, content, bytes }) => {
    if (content === undefined || random(3) > 0) return bytes;
    const inner =
      random(8) === 0
        ? nest(bytes, random(400))
        : random(2) === 0
          ? mutateProtobuf(content, seeds, random)
          : mutateText(content, random);
    return Buffer.concat([key, varint(BigInt(inner.length)), inner]);
  });
  const numbers = EDGES.map((edge) => Buffer.concat([Buffer.from([choose([8, 16, 24, 72], random)]), varint(edge)]));
  return Buffer.concat(mutateList(parts, numbers, random));
};

interface Field {
  readonly key: Buffer;
  /** Of a field with a length. */
  readonly content: Buffer | undefined;
  readonly bytes: Buffer;
}

function splitFields(bytes: Buffer): readonly Field[] | undefined {
  const fields: Field[] = [];
  for (let at = 0; at < bytes.length; ) {
    const start = at;
    const key = readVarint(bytes, at);
    if (key === undefined) return undefined;
    at = key.end;
    const kind = key.value & 7;
    const value = kind === 0 || kind === 2 ? readVarint(bytes, at) : { value: 0, end: at + (kind === 1 ? 8 : 4) };
    if (value === undefined || ![0, 1, 2, 5].includes(kind)) return undefined;
    const content = kind === 2 ? bytes.subarray(value.end, value.end + value.value) : undefined;
    at = value.end + (content?.length ?? 0);
    if (at > bytes.length) return undefined;
    fields.push({ key: bytes.subarray(start, key.end), content, bytes: bytes.subarray(start, at) });
  }
  return fields;
}

function readVarint(bytes: Buffer, from: number): { readonly value: number; readonly end: number } | undefined {
  let value = 0;
  for (let at = from; at < bytes.length && at < from + 5; at += 1) {
    const byte = bytes[at] ?? 0;
    value += (byte & 0x7f) * 2 ** (7 * (at - from));
    if (byte < 0x80) return { value, end: at + 1 };
  }
  return undefined;
}

function varint(value: bigint): Buffer {
  const bytes: number[] = [];
  let rest = value;
  do {
    bytes.push(Number(rest & 0x7fn) | (rest > 0x7fn ? 0x80 : 0));
    rest >>= 7n;
  } while (rest > 0n);
  return Buffer.from(bytes);
}

function nest(field: Buffer, depth: number): Buffer {
  let inner = field;
  for (let level = 0; level < depth && inner.length < 8192; level += 1)
    inner = Buffer.concat([Buffer.from([0x3a]), varint(BigInt(inner.length)), inner]);
  return inner;
}

const NAMES = [
  'best/data.pkl',
  'data.pkl',
  'config.json',
  'model.weights.h5',
  'net/code/x.py',
  '../up',
  'a\0b',
  '',
  '.',
];

/** Archives built anew around mutated contents, with headers that lie. */
export const mutateZip: MutateStructure = (seed, seeds, random) => {
  if (random(2) === 0) return mutateBytes(seed, seeds, random);
  const parts = Array.from({ length: 1 + random(5) }, (): ZipPart => {
    const inner = choose(seeds, random);
    const lies: readonly Partial<ZipPart>[] = [
      {},
      { crc: random(2 ** 31) },
      { flags: random(0x10000) },
      { size: random(2 ** 31) },
      { localName: choose(NAMES, random) },
    ];
    const content = random(2) === 0 ? mutatePickle(inner, seeds, random) : mutateBytes(inner, seeds, random);
    return { name: choose(NAMES, random), content, isDeflated: random(2) === 0, ...choose(lies, random) };
  });
  const comment = random(4) === 0 ? choose(seeds, random) : Buffer.alloc(random(30));
  const whole = zip(parts, { comment: comment.subarray(0, 65_535), prefix: Buffer.alloc(random(3) * random(40)) });
  return random(2) === 0 ? whole : mutateBytes(whole, [whole], random);
};

/** Tar archives built anew, each with its checksum right. */
export const mutateTar: MutateStructure = (seed, seeds, random) => {
  if (random(3) === 0) return mutateBytes(seed, seeds, random);
  const names = ['sys_info', 'pickle', 'storages', 'tensors', 'x'.repeat(99), '../y', ''];
  const entries = Array.from({ length: 1 + random(6) }, () => ({
    name: choose(names, random),
    content: mutatePickle(choose(seeds, random), seeds, random),
    type: choose(['0', '1', '2', '5', 'L', 'x', 'g', 'S', '\0'], random),
  }));
  const whole = tar(entries);
  return random(2) === 0 ? whole : mutateBytes(whole, [whole], random);
};

/** Two numbers that both can be told from their place: metadata of every type, and shapes whose product wraps. */
export const mutateGguf: MutateStructure = (seed, seeds, random) => {
  if (random(2) === 0) return mutateBytes(seed, seeds, random);
  const edge = (): bigint => BigInt.asUintN(64, choose(EDGES, random));
  const keys = ['general.alignment', 'general.architecture', 'tokenizer.chat_template', 'a', ''];
  const values = Array.from({ length: random(5) }, () => {
    const type = random(14);
    const plain = choose([u32(random(2 ** 31)), u64(edge()), ggufText('{{ x }}'), Buffer.from([random(3)])], random);
    const array = Buffer.concat([u32(random(14)), u64(random(2) === 0 ? BigInt(random(20)) : edge()), plain]);
    return { key: choose(keys, random), type, bytes: type === 9 ? array : plain };
  });
  const tensors = Array.from({ length: random(4) }, () => ({
    name: choose(['w', 'w', 'v', 'x'.repeat(70), ''], random),
    shape: Array.from({ length: random(6) }, () => (random(2) === 0 ? BigInt(random(64)) : edge())),
    offset: random(2) === 0 ? BigInt(random(8) * 32) : edge(),
  }));
  const tensorCount = random(3) === 0 ? edge() : BigInt(tensors.length);
  const whole = gguf(values, tensors, { version: choose([2, 3, 3, 3, 4], random), tensorCount, body: random(300) });
  return random(2) === 0 ? whole : mutateBytes(whole, [whole], random);
};
