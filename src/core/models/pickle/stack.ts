import { PickleError } from './reader.ts';

/**
 * What the symbolic machine knows of a value. Texts and bytes stay positions in the source: a hostile pickle that
 * keeps a million of them has us hold their positions and nothing else.
 */
export type Value =
  | { readonly kind: 'mark' }
  | { readonly kind: 'text'; readonly start: number; readonly length: number }
  | { readonly kind: 'bytes'; readonly start: number; readonly length: number }
  /** Bytes as protocols below 3 write them: `_codecs.encode(text, "latin1")`. */
  | { readonly kind: 'encoded'; readonly start: number; readonly length: number }
  | { readonly kind: 'int'; readonly value: number }
  /** A tuple of at most eight whole numbers: a shape. */
  | { readonly kind: 'ints'; readonly values: readonly number[] }
  /** A short tuple; tuples inside of it are opaque, unless they are shapes. */
  | { readonly kind: 'tuple'; readonly items: readonly Value[] }
  /** A short dictionary with texts as keys. */
  | { readonly kind: 'dict'; readonly entries: (readonly [key: Value, value: Value])[] }
  | { readonly kind: 'import'; readonly module: string; readonly name: string }
  /** Made by calling something whose import was judged. */
  | { readonly kind: 'object'; readonly made: MadeBy | undefined }
  | { readonly kind: 'opaque' };

/** What made an object, as far as numpy's types and joblib's arrays need it. `state` is set by BUILD. */
export interface MadeBy {
  readonly name: string;
  readonly items: readonly Value[];
  state: Value | undefined;
}

export const MARK: Value = { kind: 'mark' };
export const OBJECT: Value = { kind: 'object', made: undefined };
export const OPAQUE: Value = { kind: 'opaque' };

/** Bounds on what a hostile pickle can have us hold: some 150 MB when all are reached. */
const MAX_STACK = 250_000;
const MAX_MEMO = 1_000_000;
/** Keys that may be left out in a list of values by their keys: cPickle counts from 1. */
const MAX_GAP = 16;

/** Values by their keys, which count up from 0 in all that picklers write: a list, where a map would take four times more. */
class PickleMemo {
  readonly #dense: (Value | undefined)[] = [];
  readonly #sparse = new Map<number, Value>();
  /** How many values are kept. */
  size = 0;

  get(key: number): Value | undefined {
    return this.#dense[key] ?? this.#sparse.get(key);
  }

  set(key: number, value: Value): void {
    if (this.get(key) === undefined) this.size += 1;
    if (key > this.#dense.length + MAX_GAP) {
      this.#sparse.set(key, value);
      return;
    }
    while (this.#dense.length < key) this.#dense.push(undefined);
    this.#dense[key] = value;
    this.#sparse.delete(key);
  }
}

/**
 * The stack and the memo of the pickle machine. Every method takes the offset of the instruction it serves, and throws
 * PickleError where `pickle.load` would raise, or where a bound is passed.
 */
export class PickleStack {
  readonly #values: Value[] = [];
  readonly #memo = new PickleMemo();

  push(value: Value, offset: number): void {
    if (this.#values.length >= MAX_STACK) throw new PickleError(`its stack is deeper than ${MAX_STACK}`, offset);
    this.#values.push(value);
  }

  /** Takes a value; a mark is none. */
  pop(offset: number): Value {
    const value = this.#values.pop();
    if (value === undefined || value === MARK) throw new PickleError('it takes from an empty stack', offset);
    return value;
  }

  /** POP, which alone may take a mark. */
  drop(offset: number): void {
    if (this.#values.pop() === undefined) throw new PickleError('it takes from an empty stack', offset);
  }

  popToMark(offset: number): readonly Value[] {
    const mark = this.#values.lastIndexOf(MARK);
    if (mark < 0) throw new PickleError('a mark is missing', offset);
    const values = this.#values.splice(mark + 1);
    this.#values.pop();
    return values;
  }

  top(offset: number): Value {
    const value = this.#values.at(-1);
    if (value === undefined || value === MARK) throw new PickleError('it looks at an empty stack', offset);
    return value;
  }

  /** Keeps the top of the stack in the memo; without a key under the number of values kept, as MEMOIZE does. */
  memoize(offset: number, key = this.#memo.size): void {
    if (this.#memo.size >= MAX_MEMO) throw new PickleError(`it remembers more than ${MAX_MEMO} values`, offset);
    this.#memo.set(key, this.top(offset));
  }

  recall(offset: number, key: number): void {
    const value = this.#memo.get(key);
    if (value === undefined) throw new PickleError(`it recalls value ${key}, which it never kept`, offset);
    this.push(value, offset);
  }
}

/** A key of PUT or GET as CPython reads it: `int()` takes blanks, a sign and `1_0`. Throws PickleError. */
export function memoKey(line: string, offset: number): number {
  const text = line.trim();
  const key = /^\+?\d+(?:_\d+)*$/.test(text) ? Number(text.replace(/[+_]/g, '')) : Number.NaN;
  if (!Number.isSafeInteger(key)) throw new PickleError('it names a value of its memo by no number', offset);
  return key;
}
