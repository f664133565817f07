import type { ByteSource } from '../byte-source.ts';
import type { ModelFinding } from '../model-finding.ts';
import { interpretPickle } from '../pickle/interpreter.ts';
import type { ReadContext } from '../read-context.ts';

const ELEMENT_BYTES = [4, 8, 2, 1, 16] as const;
const MAX_PICKLES = 20_000;

/**
 * Reads the `storages` or `tensors` entry of torch before 0.2: a count, then by turns a pickle and plain numbers.
 *
 * Behind a storage's pickle stand its length in elements and the elements; behind a tensor's its dimensions, sizes,
 * strides and offset. The size of an element is not told in a way that can be read without running the pickle, so
 * every possible next place is tried, and one where a pickle starts is taken. Where none is, the rest is a finding.
 * Source: torch/serialization.py, `legacy_load`.
 */
export function readStorages(
  source: ByteSource,
  entry: 'storages' | 'tensors',
  context: ReadContext,
): readonly ModelFinding[] {
  const findings: ModelFinding[] = [];
  let position = 0;
  for (let count = 0; position < source.size; count += 1) {
    const { findings: found, end } = interpretPickle(source, position, context);
    findings.push(...found);
    if (end === undefined || count === MAX_PICKLES) return findings;
    // The first pickle is the count of the others.
    const next = count === 0 ? end : nextPickle(source, end, entry, context);
    if (next === undefined) {
      const message = 'it cannot be read where its next pickle starts';
      return [...findings, { severity: 'suspicious', rule: 'pickle-broken', message, offset: end }];
    }
    position = next;
  }
  return findings;
}

function nextPickle(
  source: ByteSource,
  end: number,
  entry: 'storages' | 'tensors',
  context: ReadContext,
): number | undefined {
  const candidates = entry === 'storages' ? behindStorage(source, end) : behindTensor(source, end);
  return candidates.find(
    (at) => at === source.size || (at < source.size && interpretPickle(source, at, context).end !== undefined),
  );
}

function behindStorage(source: ByteSource, end: number): readonly number[] {
  const length = source.read(end, 8);
  if (length.length < 8) return [];
  const elements = Number(length.readBigUInt64LE());
  return ELEMENT_BYTES.map((size) => end + 8 + elements * size).filter(Number.isSafeInteger);
}

function behindTensor(source: ByteSource, end: number): readonly number[] {
  const dimensions = source.read(end, 4);
  if (dimensions.length < 4) return [];
  // Dimensions as a 32-bit number and four bytes of padding; then sizes, strides and the offset in 64 bits each.
  return [end + 8 + dimensions.readUInt32LE() * 16 + 8, end + 4 + dimensions.readUInt32LE() * 16 + 8];
}
