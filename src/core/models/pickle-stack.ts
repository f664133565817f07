import { PickleError } from './pickle-reader.ts';

/** What the symbolic machine knows of a value on the stack. */
export type Value =
  | { readonly kind: 'mark' }
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'import'; readonly module: string; readonly name: string }
  /** Made by calling something whose import was judged. */
  | { readonly kind: 'object' }
  | { readonly kind: 'opaque' };

export const MARK: Value = { kind: 'mark' };
export const OBJECT: Value = { kind: 'object' };
export const OPAQUE: Value = { kind: 'opaque' };

/** Bounds on what a hostile pickle can have us hold. */
const MAX_STACK = 1_000_000;
const MAX_MEMO = 5_000_000;

/**
 * The stack and the memo of the pickle machine. Every method takes the offset of the instruction it serves, and throws
 * PickleError where `pickle.load` would raise, or where a bound is passed.
 */
export class PickleStack {
  readonly #values: Value[] = [];
  readonly #memo = new Map<number, Value>();

  push(value: Value, offset: number): void {
    if (this.#values.length >= MAX_STACK) throw new PickleError(`its stack is deeper than ${MAX_STACK}`, offset);
    this.#values.push(value);
  }

  pop(offset: number, count = 1): Value {
    let value: Value | undefined;
    for (let index = 0; index < count; index += 1) {
      value = this.#values.pop();
      if (value === undefined) throw new PickleError('it takes from an empty stack', offset);
    }
    return value ?? OPAQUE;
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
    if (value === undefined) throw new PickleError('it looks at an empty stack', offset);
    return value;
  }

  /** Keeps the top of the stack in the memo; without a key under the next free number, as MEMOIZE does. */
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
