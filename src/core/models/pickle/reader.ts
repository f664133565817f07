import type { ByteSource } from '../byte-source.ts';
import { OPCODES, type Opcode } from './opcodes.ts';

/** The pickle is broken here: `pickle.load` would raise. */
export class PickleError extends Error {
  override readonly name = 'PickleError';
  readonly offset: number;
  constructor(message: string, offset: number) {
    super(message);
    this.offset = offset;
  }
}

/** A line longer than this is no name and no number. */
export const MAX_LINE = 64 * 1024;
/** Most entries of an archive are weights that break off at once: the first look at them is a short one. */
const FIRST_WINDOW = 4096;
const MAX_WINDOW = 1024 * 1024;

/**
 * Reads the instructions of a pickle one by one, from `start` on.
 *
 * `next` fills the fields and allocates nothing: arguments stay positions in the source until somebody asks for them,
 * so that memory is bounded by one window whatever the arguments say of their lengths.
 */
export class PickleReader {
  /** The instruction's opcode and name, and where the opcode stands. */
  code = 0;
  name = '';
  offset: number;
  /** Where the argument stands, without its length and its line end. */
  argument = 0;
  length = 0;
  /** The second line of GLOBAL and INST. */
  second = 0;
  secondLength = 0;
  /** Where the next instruction starts. Whoever reads data between instructions moves it on. */
  end: number;

  readonly #source: ByteSource;
  #ahead = FIRST_WINDOW;
  #from = 0;
  #window: Buffer = Buffer.alloc(0);

  constructor(source: ByteSource, start: number) {
    this.#source = source;
    this.offset = start;
    this.end = start;
  }

  /** Reads the next instruction; throws PickleError at an unknown opcode, and where the source ends. */
  next(): void {
    this.offset = this.end;
    this.code = this.#byteAt(this.offset);
    const opcode = OPCODES[this.code];
    if (opcode === undefined) {
      const isOver = this.offset >= this.#source.size;
      throw new PickleError(isOver ? 'it ends before STOP' : 'it holds a byte that is no opcode', this.offset);
    }
    this.name = opcode.name;
    this.argument = this.offset + 1;
    this.length = 0;
    if (opcode.argument === 'none') this.end = this.argument;
    else this.#readArgument(opcode);
  }

  /** Bytes of the source; throws PickleError where there are fewer. */
  bytes(start: number, length: number): Buffer {
    const bytes = this.#at(start, length);
    if (bytes.length < length) throw new PickleError('it ends in the middle of an instruction', this.offset);
    return bytes;
  }

  /** The argument as a little-endian number of up to six bytes. */
  number(): number {
    return this.length === 0 ? 0 : this.bytes(this.argument, this.length).readUIntLE(0, Math.min(6, this.length));
  }

  /** The argument as text; throws PickleError for one that is longer than names and numbers are. */
  line(): string {
    return this.#text(this.argument, this.length);
  }

  secondLine(): string {
    return this.#text(this.second, this.secondLength);
  }

  #text(start: number, length: number): string {
    if (length > MAX_LINE) throw new PickleError('a name or a number is longer than any', this.offset);
    return this.bytes(start, length).toString('utf8');
  }

  #readArgument(opcode: Opcode): void {
    const kind = opcode.argument;
    if (kind === 'line' || kind === 'two-lines') {
      this.length = this.#lineLength(this.argument);
      this.end = this.argument + this.length + 1;
      if (kind === 'line') return;
      this.second = this.end;
      this.secondLength = this.#lineLength(this.second);
      this.end = this.second + this.secondLength + 1;
      return;
    }
    const width = kind === 'length-1' ? 1 : kind === 'length-4' ? 4 : kind === 'length-8' ? 8 : 0;
    this.length = typeof kind === 'number' ? kind : this.#readLength(width, opcode.name);
    this.argument += width;
    if (this.length > this.#source.size - this.argument) {
      throw new PickleError(`${opcode.name} says ${this.length} bytes, more than there are`, this.offset);
    }
    this.end = this.argument + this.length;
  }

  #readLength(width: number, name: string): number {
    if (width === 1) {
      const length = this.#byteAt(this.argument);
      return length >= 0 ? length : this.bytes(this.argument, width).length;
    }
    const bytes = this.bytes(this.argument, width);
    if (width === 8) {
      const length = bytes.readBigUInt64LE();
      if (length <= BigInt(Number.MAX_SAFE_INTEGER)) return Number(length);
      throw new PickleError(`${name} says a length that no file has`, this.offset);
    }
    // LONG4 and BINSTRING have signed lengths; CPython refuses negative ones.
    const length = name === 'LONG4' || name === 'BINSTRING' ? bytes.readInt32LE() : bytes.readUInt32LE();
    if (length < 0) throw new PickleError(`${name} says a negative length`, this.offset);
    return length;
  }

  /** Texts of protocol 0 are lines of any length: an array's bytes are one. */
  #lineLength(start: number): number {
    for (let from = start, step = 256; ; from += step, step = MAX_LINE) {
      const part = this.#at(from, step);
      const end = part.indexOf(0x0a);
      if (end >= 0) return from - start + end;
      if (part.length < step) throw new PickleError('a line has no end', this.offset);
    }
  }

  /** One byte, or -1 behind the end; a view of one byte for each of half a million opcodes would cost more than the rest. */
  #byteAt(position: number): number {
    return this.#window[position - this.#from] ?? this.#at(position, 1)[0] ?? -1;
  }

  /** One window moves on with the position, because most instructions are a few bytes long; it grows as it moves. */
  #at(position: number, length: number): Buffer {
    if (position < this.#from || position + length > this.#from + this.#window.length) {
      this.#from = position;
      this.#window = this.#source.read(position, Math.max(this.#ahead, length));
      this.#ahead = Math.min(MAX_WINDOW, this.#ahead * 8);
    }
    return this.#window.subarray(position - this.#from, position - this.#from + length);
  }
}
