import { type ByteSource, buffered } from '../byte-source.ts';
import type { FormatReport, ModelFinding } from '../model-finding.ts';
import type { ReadContext } from '../read-context.ts';

/** Operators that TensorFlow Lite itself brings under custom names. */
const KNOWN_CUSTOM =
  /^(?:TFLite_Detection_PostProcess|Convolution2DTransposeBias|MaxPoolingWithArgmax2D|MaxUnpooling2D|VisionBias|Mfcc|AudioSpectrogram|RFFT2D|Irfft2d|Multinomial|RandomUniform|RandomStandardNormal|edgetpu-custom-op|ethos-u)$/;
/** TensorFlow's operators inside of a Lite model ("Select TF ops") that reach files or Python. */
const DANGEROUS_FLEX =
  /^Flex(?:ReadFile|WriteFile|MatchingFiles|(?:Eager)?PyFunc(?:Stateless)?|.*(?:Reader(?:V2)?|RecordDataset(?:V2)?|TextLineDataset|SqlDataset))$/;
const CUSTOM = 32;
const MAX_ENTRIES = 1_000_000;
const MAX_NAME = 1024;

class FlatbufferError extends Error {
  readonly offset: number;
  constructor(message: string, offset: number) {
    super(message);
    this.offset = offset;
  }
}

/**
 * Reads the operators and the buffers of a TensorFlow Lite model: every offset must lie in the file.
 * Source: tensorflow/compiler/mlir/lite/schema/schema.fbs and the FlatBuffers internals document.
 */
export function readTflite(file: ByteSource, context: ReadContext): FormatReport {
  const source = buffered(file);
  const findings: ModelFinding[] = [];
  try {
    const model = table(source, source.read(0, 4).readUInt32LE());
    for (const at of vector(source, model, 1)) {
      const operator = table(source, at);
      if (builtinCode(source, operator) === CUSTOM)
        findings.push(...judgeOperator(nameOf(source, operator), at, context));
    }
    let tensors = 0;
    // A million subgraphs may point to one list of a million tensors: their lengths are added, and the lists not read.
    for (const at of vector(source, model, 2)) tensors += vectorLength(source, table(source, at), 0);
    for (const at of vector(source, model, 4)) {
      if (context.budget.tick()) throw new FlatbufferError(context.budget.whyLate, at);
      checkBuffer(source, table(source, at), at);
    }
    return { format: 'tflite', tensors, findings };
  } catch (error) {
    if (!(error instanceof FlatbufferError)) throw error;
    findings.push({ severity: 'mismatch', rule: 'tflite', message: error.message, offset: error.offset });
    return { format: 'tflite', findings };
  }
}

function judgeOperator(name: string, offset: number, { allowed }: ReadContext): readonly ModelFinding[] {
  const shown = JSON.stringify(name.slice(0, 120));
  const rule = 'tflite-operator';
  if (DANGEROUS_FLEX.test(name)) {
    return [
      { severity: 'dangerous', rule, message: `it runs the operator ${shown}, which reaches files or Python`, offset },
    ];
  }
  if (KNOWN_CUSTOM.test(name) || name.startsWith('Flex') || allowed.has(name)) return [];
  const message = `it runs the custom operator ${shown}; if you know the library that brings it, list it in "allow-globals"`;
  return [{ severity: 'suspicious', rule, message, offset }];
}

/** A table: where it starts, and where each field stands; absent fields are not there. */
interface Table {
  readonly start: number;
  readonly fields: readonly number[];
}

function table(source: ByteSource, start: number): Table {
  const vtable = start - i32(source, start);
  const size = u16(source, vtable);
  if (size < 4 || size > 4 + 2 * 256) throw new FlatbufferError('a table has no field list', start);
  const bytes = exactly(source, vtable + 4, size - 4);
  const fields = Array.from({ length: Math.floor(bytes.length / 2) }, (_, index) => bytes.readUInt16LE(index * 2));
  return { start, fields };
}

/** Where a field of a table stands; undefined where the table does not have it. */
function place({ start, fields }: Table, field: number): number | undefined {
  const offset = fields[field] ?? 0;
  return offset === 0 ? undefined : start + offset;
}

/** The places of a vector's tables. */
function vector(source: ByteSource, from: Table, field: number): readonly number[] {
  const at = place(from, field);
  if (at === undefined) return [];
  const start = at + u32(source, at);
  const count = vectorLength(source, from, field);
  const bytes = exactly(source, start + 4, count * 4);
  return Array.from({ length: count }, (_, index) => start + 4 + index * 4 + bytes.readUInt32LE(index * 4));
}

/** How many entries a vector says that it has, checked against the file. */
function vectorLength(source: ByteSource, from: Table, field: number): number {
  const at = place(from, field);
  if (at === undefined) return 0;
  const start = at + u32(source, at);
  const count = u32(source, start);
  if (count > MAX_ENTRIES) throw new FlatbufferError(`a list says ${count} entries; ${MAX_ENTRIES} are read`, start);
  if (count * 4 > source.size - start - 4) throw new FlatbufferError('it points out of the file', start);
  return count;
}

function builtinCode(source: ByteSource, operator: Table): number {
  const old = place(operator, 0);
  const wide = place(operator, 3);
  return Math.max(
    old === undefined ? 0 : exactly(source, old, 1).readInt8(),
    wide === undefined ? 0 : i32(source, wide),
  );
}

function nameOf(source: ByteSource, operator: Table): string {
  const at = place(operator, 1);
  if (at === undefined) return '';
  const start = at + u32(source, at);
  return exactly(source, start + 4, Math.min(u32(source, start), MAX_NAME)).toString('utf8');
}

/** A buffer's bytes stand in it, or, in models above 2 GB, behind the tables. */
function checkBuffer(source: ByteSource, buffer: Table, at: number): void {
  const data = place(buffer, 0);
  if (data !== undefined) {
    const start = data + u32(source, data);
    if (start + 4 + u32(source, start) > source.size)
      throw new FlatbufferError('a buffer runs over the end of the file', at);
  }
  const [offset, size] = [place(buffer, 1), place(buffer, 2)].map((each) =>
    each === undefined ? 0n : exactly(source, each, 8).readBigUInt64LE(),
  );
  if (offset !== undefined && size !== undefined && offset > 1n && offset + size > BigInt(source.size))
    throw new FlatbufferError('a buffer lies behind the end of the file', at);
}

function exactly(source: ByteSource, at: number, length: number): Buffer {
  if (at < 0 || length > source.size - at) throw new FlatbufferError('it points out of the file', Math.max(0, at));
  return source.read(at, length);
}

const u16 = (source: ByteSource, at: number): number => exactly(source, at, 2).readUInt16LE();
const u32 = (source: ByteSource, at: number): number => exactly(source, at, 4).readUInt32LE();
const i32 = (source: ByteSource, at: number): number => exactly(source, at, 4).readInt32LE();
