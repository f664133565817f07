import type { MadeBy, Value } from './stack.ts';

/** An array that stands in the stream behind its description. */
export interface InlineArray {
  readonly elements: number;
  /** Undefined for an array of objects, whose content is a pickle. */
  readonly bytes: number | undefined;
  /** A byte in front says how many more stand there before the array starts. */
  readonly isAligned: boolean;
}

/** Element sizes in bytes of numpy's one-letter types that do not say theirs. */
const LETTER_BYTES: ReadonlyMap<string, number> = new Map([
  ['?', 1],
  ['b', 1],
  ['B', 1],
  ['h', 2],
  ['H', 2],
  ['i', 4],
  ['I', 4],
  ['l', 8],
  ['L', 8],
  ['q', 8],
  ['Q', 8],
  ['e', 2],
  ['f', 4],
  ['d', 8],
  ['g', 16],
]);
/** `NPY_ITEM_HASOBJECT` and its companions: the flags of a type whose elements hold references (numpy/ndarraytypes.h). */
const HAS_OBJECT = 0x3f & ~0x10;

/**
 * How many bytes the array of a `NumpyArrayWrapper` takes, from the state that the pickle sets on it; undefined where
 * the state does not tell. Source: joblib/numpy_pickle.py, `NumpyArrayWrapper.read_array`.
 */
export function inlineArray(
  made: MadeBy,
  textOf: (value: Value | undefined) => string | undefined,
): InlineArray | undefined {
  if (made.state?.kind !== 'dict') return undefined;
  const fields = new Map(made.state.entries.map(([key, value]) => [textOf(key), value]));
  const shape = fields.get('shape');
  const type = fields.get('dtype');
  if (shape?.kind !== 'ints' || type?.kind !== 'object' || type.made?.name !== 'numpy.dtype') return undefined;
  const elements = shape.values.reduce((product, dimension) => product * dimension, 1);
  if (shape.values.some((dimension) => dimension < 0) || !Number.isSafeInteger(elements)) return undefined;
  const isAligned = fields.has('numpy_array_alignment_bytes');
  const name = textOf(type.made.items[0]);
  if (name === undefined) return undefined;
  if (holdsObjects(name, type.made.state)) return { elements, bytes: undefined, isAligned: false };
  const size = elementBytes(name);
  const bytes = size === undefined ? Number.NaN : elements * size;
  return Number.isSafeInteger(bytes) ? { elements, bytes, isAligned } : undefined;
}

function holdsObjects(name: string, state: Value | undefined): boolean {
  if (/^[<>|=]?O\d*$/.test(name)) return true;
  const flags = state?.kind === 'tuple' ? state.items[7] : undefined;
  return flags?.kind === 'int' && (flags.value & 1) === 1 && (flags.value & HAS_OBJECT) !== 0;
}

function elementBytes(name: string): number | undefined {
  const letter = LETTER_BYTES.get(name.replace(/^[<>|=]/, ''));
  if (letter !== undefined) return letter;
  const [, kind, size = ''] = /^[<>|=]?([biufcSVUMm])(\d{1,7})(?:\[.*\])?$/.exec(name) ?? [];
  if (kind === undefined) return undefined;
  return kind === 'U' ? Number(size) * 4 : Number(size);
}
