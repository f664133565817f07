import { type ByteSource, buffered } from '../byte-source.ts';
import { ReadBudget } from '../read-context.ts';

/** The bytes are no protocol buffer, or one that costs more than is read. */
export class ProtobufError extends Error {
  override readonly name = 'ProtobufError';
  readonly offset: number;
  constructor(message: string, offset: number) {
    super(message);
    this.offset = offset;
  }
}

/** A field of a message: its number, and its value's place or, for numbers, the value. */
export interface Field {
  readonly number: number;
  readonly wire: 'varint' | 'fixed64' | 'bytes' | 'fixed32';
  /** Where the value starts and ends in the source. */
  readonly start: number;
  readonly end: number;
  /** The value of a varint. */
  readonly value: bigint;
}

/** Fields of one file, all messages together: a large graph has some 300,000. */
const MAX_FIELDS = 10_000_000;
const MAX_TEXT = 64 * 1024;

/**
 * Walks messages of a protocol buffer without a schema and without holding them: values stay places in the source.
 * Groups, which no format here uses, and every length that reaches out of its message are errors.
 * Source: protobuf.dev/programming-guides/encoding.
 */
export class ProtobufWalker {
  readonly #source: ByteSource;
  readonly #budget: ReadBudget;
  #left = MAX_FIELDS;

  constructor(source: ByteSource, budget: ReadBudget = new ReadBudget()) {
    this.#source = buffered(source);
    this.#budget = budget;
  }

  /** The fields between two places, in the order of the bytes. Throws ProtobufError. */
  *fields(start = 0, end = this.#source.size): Generator<Field, void> {
    let position = start;
    while (position < end) {
      this.#left -= 1;
      if (this.#left < 0) throw new ProtobufError(`it has more than ${MAX_FIELDS} fields`, position);
      if (this.#budget.tick()) throw new ProtobufError(this.#budget.whyLate, position);
      const key = this.#varint(position, end);
      const number = Number(key.value >> 3n);
      if (number < 1 || number > 536_870_911) throw new ProtobufError(`no field has the number ${number}`, position);
      const field = this.#value(number, Number(key.value & 7n), key.next, end);
      yield field;
      position = field.end;
    }
  }

  /** The text of a field; a longer one is cut. */
  text(field: Field): string {
    const length = Math.min(field.end - field.start, MAX_TEXT);
    return this.#source.read(field.start, length).toString('utf8');
  }

  #value(number: number, type: number, start: number, end: number): Field {
    if (type === 0) {
      const { value, next } = this.#varint(start, end);
      return { number, wire: 'varint', start, end: next, value };
    }
    if (type === 2) {
      const { value, next } = this.#varint(start, end);
      if (value > BigInt(end - next))
        throw new ProtobufError(`a field says ${value} bytes, more than there are`, start);
      return { number, wire: 'bytes', start: next, end: next + Number(value), value: 0n };
    }
    if (type !== 1 && type !== 5) throw new ProtobufError(`fields of wire type ${type} are not in use`, start);
    const width = type === 1 ? 8 : 4;
    if (start + width > end) throw new ProtobufError('a field is cut off', start);
    return { number, wire: type === 1 ? 'fixed64' : 'fixed32', start, end: start + width, value: 0n };
  }

  #varint(start: number, end: number): { readonly value: bigint; readonly next: number } {
    const bytes = this.#source.read(start, Math.min(10, end - start));
    let low = 0;
    for (let index = 0; index < bytes.length; index += 1) {
      const byte = bytes[index] ?? 0;
      // Most are below 2^28, where plain numbers do.
      if (index < 4) low += (byte & 0x7f) * 2 ** (7 * index);
      if (byte < 0x80) {
        if (index < 4) return { value: BigInt(low), next: start + index + 1 };
        return { value: BigInt.asUintN(64, longVarint(bytes.subarray(0, index + 1))), next: start + index + 1 };
      }
    }
    throw new ProtobufError('a number has no end', start);
  }
}

function longVarint(bytes: Buffer): bigint {
  return bytes.reduceRight((value, byte) => (value << 7n) | BigInt(byte & 0x7f), 0n);
}
