import { isRecord } from '../../runner/event.ts';
import type { ByteSource } from '../byte-source.ts';
import type { FormatReport, ModelFinding } from '../model-finding.ts';
import { readMembers } from './json-members.ts';

/** The reference implementation refuses longer headers (`MAX_HEADER_SIZE` of the safetensors crate). */
const MAX_HEADER = 100_000_000;
/** Headers of the largest models have some 10 MB; a longer one would not be read in bounded memory. */
const MAX_READ = 32 * 1024 * 1024;
const MAX_SHOWN = 20;

/** Bits of one element. */
const DTYPE_BITS: ReadonlyMap<string, number> = new Map([
  ['BOOL', 8],
  ['U8', 8],
  ['I8', 8],
  ['F8_E5M2', 8],
  ['F8_E4M3', 8],
  ['F8_E8M0', 8],
  ['F4', 4],
  ['F6_E2M3', 6],
  ['F6_E3M2', 6],
  ['I16', 16],
  ['U16', 16],
  ['F16', 16],
  ['BF16', 16],
  ['I32', 32],
  ['U32', 32],
  ['F32', 32],
  ['C64', 64],
  ['F64', 64],
  ['I64', 64],
  ['U64', 64],
]);

/**
 * Checks a safetensors file: the header's bounds and grammar, and that the tensors lie one behind the other from the
 * first byte behind the header to the last of the file, each as long as its shape and type say.
 * Source: the format's README and the checks of its reference crate.
 */
export function readSafetensors(source: ByteSource): FormatReport {
  const findings: ModelFinding[] = [];
  const broken = (message: string, offset: number): void => {
    if (findings.length < MAX_SHOWN) findings.push({ severity: 'mismatch', rule: 'safetensors', message, offset });
  };
  const length = source.read(0, 8).readBigUInt64LE();
  if (length > BigInt(MAX_HEADER) || length > BigInt(source.size - 8)) {
    broken(`the header says ${length} bytes, which is more than the file has or the format allows`, 0);
    return { format: 'safetensors', findings };
  }
  if (length > BigInt(MAX_READ)) {
    const message = `the header has ${length} bytes; ${MAX_READ} are read`;
    return { format: 'safetensors', findings: [{ severity: 'suspicious', rule: 'safetensors', message, offset: 0 }] };
  }
  const tensors: Tensor[] = [];
  const names = new Set<string>();
  const problem = readMembers(source.read(8, Number(length)), (name, entry) => {
    if (names.size >= MAX_TENSORS) return;
    if (names.has(name))
      broken(`${JSON.stringify(name).slice(0, 100)} is there twice, and readers differ in which they take`, 8);
    names.add(name);
    const tensor = name === '__metadata__' ? checkMetadata(entry) : readTensor(name, entry);
    if (typeof tensor === 'string') broken(tensor, 8);
    else if (tensor !== undefined) tensors.push(tensor);
  });
  if (names.size >= MAX_TENSORS) {
    const message = `it has more than the ${MAX_TENSORS} tensors that are read`;
    return { format: 'safetensors', findings: [{ severity: 'suspicious', rule: 'safetensors', message, offset: 8 }] };
  }
  if (problem !== undefined) {
    broken(problem.message, 8 + problem.offset);
    return { format: 'safetensors', findings };
  }
  tensors.sort((a, b) => a.start - b.start || a.end - b.end);
  let position = 0;
  for (const { name, start, end } of tensors) {
    if (start !== position)
      broken(`tensor ${JSON.stringify(name)} starts at ${start}, but the one before it ends at ${position}`, 8);
    position = end;
  }
  const rest = source.size - 8 - Number(length);
  if (position !== rest && findings.length === 0)
    broken(`the tensors end at ${position}, but ${rest} bytes follow the header`, 8);
  const parameters = tensors.reduce((sum, tensor) => sum + tensor.elements, 0);
  return { format: 'safetensors', tensors: tensors.length, parameters, findings };
}

/** The largest models have some hundred thousand in all their files. */
const MAX_TENSORS = 250_000;

/** The format's README: texts to texts, and nothing else. */
function checkMetadata(entry: unknown): string | undefined {
  const isMapOfTexts = isRecord(entry) && Object.values(entry).every((value) => typeof value === 'string');
  return isMapOfTexts ? undefined : '__metadata__ holds something that is no text';
}

interface Tensor {
  readonly name: string;
  readonly start: number;
  readonly end: number;
  readonly elements: number;
}

/** One tensor of the header, or what is wrong with it. */
function readTensor(name: string, entry: unknown): Tensor | string {
  const shown = `tensor ${JSON.stringify(name).slice(0, 100)}`;
  if (!isRecord(entry)) return `${shown} is no JSON object`;
  const { dtype, shape, data_offsets: offsets } = entry as { dtype?: unknown; shape?: unknown; data_offsets?: unknown };
  const bits = typeof dtype === 'string' ? DTYPE_BITS.get(dtype) : undefined;
  if (bits === undefined) return `${shown} is of the unknown type ${JSON.stringify(dtype)?.slice(0, 40)}`;
  if (!isCounts(shape)) return `${shown} has no shape`;
  if (!isCounts(offsets) || offsets.length !== 2) return `${shown} has no data_offsets`;
  const [start = 0, end = 0] = offsets;
  // BigInt: a shape whose product wraps is how a small file claims a large tensor.
  const elements = shape.reduce((product, dimension) => product * BigInt(dimension), 1n);
  if (elements * BigInt(bits) !== BigInt(end - start) * 8n)
    return `${shown} spans ${end - start} bytes, but its shape and type need ${(elements * BigInt(bits)) / 8n}`;
  return { name, start, end, elements: Number(elements) };
}

function isCounts(value: unknown): value is readonly number[] {
  return Array.isArray(value) && value.length <= 64 && value.every((item) => Number.isSafeInteger(item) && item >= 0);
}
