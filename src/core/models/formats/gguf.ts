import { type ByteSource, buffered } from '../byte-source.ts';
import type { FormatReport, ModelFinding } from '../model-finding.ts';
import type { ReadBudget, ReadContext } from '../read-context.ts';
import { checkTemplate } from './chat-template.ts';
import { tensorBytes } from './ggml-types.ts';

/** Bounds of ggml's own reader (gguf.cpp), and a window that no honest header of metadata and tensor infos exceeds. */
const MAX_HEADER = 512 * 1024 * 1024;
const MAX_COUNT = 1_000_000;
/** Bytes of all keys together: real files have some hundred keys. */
const MAX_KEYS = 16 * 1024 * 1024;
const MAX_NAME = 64;
const MAX_DIMENSIONS = 4;
const DEFAULT_ALIGNMENT = 32n;

/** Bytes of the metadata types that have a fixed size; 8 is a string, 9 an array. */
const VALUE_BYTES: ReadonlyMap<number, number> = new Map([
  [0, 1],
  [1, 1],
  [2, 2],
  [3, 2],
  [4, 4],
  [5, 4],
  [6, 4],
  [7, 1],
  [10, 8],
  [11, 8],
  [12, 8],
]);
const UINT32 = 4;
const STRING = 8;
const ARRAY = 9;

class GgufError extends Error {
  readonly offset: number;
  constructor(message: string, offset: number) {
    super(message);
    this.offset = offset;
  }
}

/**
 * Walks a GGUF header (version 2 or 3, little endian): every length is checked against the file before it is used,
 * in BigInt, because a product that wraps is how a header lies about its tensors (CVE-2025-53630, CVE-2026-27940).
 *
 * A chat template is Jinja that the loader renders: one that reaches for attributes of Python is dangerous
 * (CVE-2024-34359). Source: ggml's docs/gguf.md and gguf.cpp.
 */
export function readGguf(source: ByteSource, { budget }: ReadContext): FormatReport {
  const findings: ModelFinding[] = [];
  try {
    const { tensors, parameters } = walk(source, budget, findings);
    return { format: 'gguf', tensors, parameters, findings };
  } catch (error) {
    if (!(error instanceof GgufError)) throw error;
    findings.push({ severity: 'mismatch', rule: 'gguf', message: error.message, offset: error.offset });
    return { format: 'gguf', findings };
  }
}

function walk(
  source: ByteSource,
  budget: ReadBudget,
  findings: ModelFinding[],
): { tensors: number; parameters: number } {
  const cursor = createCursor(buffered(source), budget);
  cursor.skip(4n);
  const version = cursor.u32();
  if (version !== 2 && version !== 3) throw new GgufError(`version ${version} is not read; only 2 and 3 are`, 4);
  const tensorCount = cursor.count('tensors');
  const valueCount = cursor.count('metadata values');
  const alignment = readMetadata(cursor, valueCount, findings);
  const { parameters, end } = readTensorInfos(cursor, tensorCount, alignment, source.size);
  const start = align(BigInt(cursor.position()), alignment);
  if (tensorCount > 0 && start + end > BigInt(source.size))
    throw new GgufError(`the tensors need ${start + end} bytes, but the file has ${source.size}`, cursor.position());
  return { tensors: tensorCount, parameters: Number(parameters) };
}

/** Reads the metadata, and returns the alignment that it sets. */
function readMetadata(cursor: Cursor, count: number, findings: ModelFinding[]): bigint {
  const keys = new Set<string>();
  let keyBytes = 0;
  let alignment = DEFAULT_ALIGNMENT;
  for (let index = 0; index < count; index += 1) {
    const at = cursor.position();
    const key = cursor.text(65_535n);
    if (key === '') throw new GgufError('a metadata key is empty', at);
    if (keys.has(key)) throw new GgufError(`metadata key ${JSON.stringify(key)} is there twice`, at);
    keys.add(key);
    keyBytes += key.length;
    if (keyBytes > MAX_KEYS) throw new GgufError(`its keys are longer than the ${MAX_KEYS} bytes that are read`, at);
    const type = cursor.u32();
    if (key === 'general.alignment') alignment = readAlignment(cursor, type, at);
    else {
      const text = readValue(cursor, type, at);
      if (text !== undefined && key.startsWith('tokenizer.chat_template')) findings.push(...checkTemplate(text, at));
    }
  }
  return alignment;
}

/** Reads the tensors' places, and returns how many elements they have and where the last one ends in the data. */
function readTensorInfos(
  cursor: Cursor,
  count: number,
  alignment: bigint,
  size: number,
): { readonly parameters: bigint; readonly end: bigint } {
  const names = new Set<string>();
  let [parameters, next, end] = [0n, 0n, 0n];
  for (let index = 0; index < count; index += 1) {
    const { at, name, elements, bytes, offset } = readTensorInfo(cursor, size);
    const shown = JSON.stringify(name);
    if (names.has(name)) throw new GgufError(`tensor ${shown} is there twice`, at);
    names.add(name);
    // ggml lays tensors one behind the other: an offset of its own overlaps another tensor or leaves a hole.
    if (offset !== next) throw new GgufError(`tensor ${shown} starts at ${offset} where ${next} is due`, at);
    end = offset + bytes;
    next = align(end, alignment);
    parameters += elements;
  }
  return { parameters, end };
}

function align(value: bigint, alignment: bigint): bigint {
  return ((value + alignment - 1n) / alignment) * alignment;
}

interface TensorInfo {
  readonly at: number;
  readonly name: string;
  readonly elements: bigint;
  readonly bytes: bigint;
  readonly offset: bigint;
}

function readTensorInfo(cursor: Cursor, size: number): TensorInfo {
  const at = cursor.position();
  const name = cursor.text(BigInt(MAX_NAME));
  const count = cursor.u32();
  if (count > MAX_DIMENSIONS)
    throw new GgufError(`a tensor has ${count} dimensions; ${MAX_DIMENSIONS} are allowed`, at);
  let elements = 1n;
  let row = 1n;
  for (let index = 0; index < count; index += 1) {
    const dimension = cursor.u64();
    if (index === 0) row = dimension;
    elements *= dimension;
    // No type takes less than one bit an element.
    if (elements > BigInt(size) * 8n) throw new GgufError('a tensor has more elements than the file has bits', at);
  }
  const type = cursor.u32();
  const bytes = tensorBytes(type, row, elements);
  if (bytes === undefined)
    throw new GgufError(`a tensor of ${row} × … is no whole number of blocks of type ${type}`, at);
  return { at, name, elements, bytes, offset: cursor.u64() };
}

function readAlignment(cursor: Cursor, type: number, at: number): bigint {
  const value = type === UINT32 ? BigInt(cursor.u32()) : 0n;
  if (value === 0n || (value & (value - 1n)) !== 0n) throw new GgufError('the alignment is no power of two', at);
  return value;
}

function readValue(cursor: Cursor, type: number, at: number): string | undefined {
  if (type === STRING) return cursor.text(1n << 30n);
  if (type !== ARRAY) {
    cursor.skip(bytesOf(type, at));
    return undefined;
  }
  const inner = cursor.u32();
  const count = cursor.u64();
  if (inner === ARRAY) throw new GgufError('a metadata array holds arrays', at);
  if (inner !== STRING) {
    cursor.skip(bytesOf(inner, at) * count);
    return undefined;
  }
  // Every string takes at least its length's 8 bytes, so the file's size bounds the count.
  for (let index = 0n; index < count; index += 1n) cursor.skipText();
  return undefined;
}

function bytesOf(type: number, at: number): bigint {
  const bytes = VALUE_BYTES.get(type);
  if (bytes === undefined) throw new GgufError(`metadata type ${type} is not known`, at);
  return BigInt(bytes);
}

type Cursor = ReturnType<typeof createCursor>;

function createCursor(source: ByteSource, budget: ReadBudget) {
  let position = 0n;
  const size = BigInt(Math.min(source.size, MAX_HEADER));
  const take = (length: bigint): number => {
    const at = position;
    if (budget.tick()) throw new GgufError(budget.whyLate, Number(at));
    if (length > size - position) throw new GgufError('the header reaches over the end of the file', Number(at));
    position += length;
    return Number(at);
  };
  const u64 = (): bigint => source.read(take(8n), 8).readBigUInt64LE();
  const length = (limit: bigint): bigint => {
    const value = u64();
    if (value > limit) throw new GgufError(`a text says ${value} bytes; ${limit} are allowed`, Number(position));
    return value;
  };
  return {
    position: () => Number(position),
    skip: (bytes: bigint): void => void take(bytes),
    u32: (): number => source.read(take(4n), 4).readUInt32LE(),
    u64,
    count(what: string): number {
      const value = u64();
      if (value > BigInt(MAX_COUNT))
        throw new GgufError(`the header says ${value} ${what}; ${MAX_COUNT} are read`, Number(position) - 8);
      return Number(value);
    },
    text(limit: bigint): string {
      const bytes = length(limit);
      return source.read(take(bytes), Number(bytes)).toString('utf8');
    },
    skipText: (): void => void take(length(1n << 30n)),
  };
}
