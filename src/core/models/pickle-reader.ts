import type { ByteSource } from './byte-source.ts';
import { OPCODES, type Opcode } from './pickle-opcodes.ts';

/** One instruction of a pickle. */
export interface Instruction {
  readonly name: string;
  /** Bytes from the start of the source. */
  readonly offset: number;
  /** The argument's bytes, without its length or line end; undefined where it is longer than MAX_KEPT or absent. */
  readonly argument: Buffer | undefined;
  /** The second line of GLOBAL and INST. */
  readonly second: Buffer | undefined;
  readonly end: number;
}

/** The pickle is broken here: `pickle.load` would raise. */
export class PickleError extends Error {
  override readonly name = 'PickleError';
  readonly offset: number;
  constructor(message: string, offset: number) {
    super(message);
    this.offset = offset;
  }
}

/** Longer arguments are weights, not names: they are passed over and never held. */
const MAX_KEPT = 64 * 1024;
const WINDOW = 1024 * 1024;

/**
 * Reads the instructions of one pickle, up to and with STOP, starting at `start`.
 *
 * Memory is bounded by one window, whatever the arguments say of their lengths. Throws PickleError at an unknown
 * opcode, and where the source ends before STOP.
 */
export function* readInstructions(source: ByteSource, start = 0): Generator<Instruction, void> {
  const bytes = windowed(source);
  let position = start;
  for (;;) {
    const offset = position;
    const opcode = OPCODES.get(bytes.at(position, 1)[0] ?? -1);
    if (opcode === undefined) {
      throw new PickleError(
        position >= source.size ? 'it ends before STOP' : 'it holds a byte that is no opcode',
        position,
      );
    }
    const { argument, second, end } = readArgument(bytes, source.size, opcode, offset);
    position = end;
    yield { name: opcode.name, offset, argument, second, end: position };
    if (opcode.name === 'STOP') return;
  }
}

interface ReadArgument {
  readonly argument: Buffer | undefined;
  readonly second: Buffer | undefined;
  readonly end: number;
}

function readArgument(bytes: Windowed, size: number, opcode: Opcode, offset: number): ReadArgument {
  const start = offset + 1;
  const kind = opcode.argument;
  if (kind === 'none') return { argument: undefined, second: undefined, end: start };
  if (kind === 'line' || kind === 'two-lines') {
    const argument = bytes.line(start);
    const behind = start + argument.length + 1;
    if (kind === 'line') return { argument, second: undefined, end: behind };
    const second = bytes.line(behind);
    return { argument, second, end: behind + second.length + 1 };
  }
  const width = typeof kind === 'number' ? 0 : Number(kind.slice('length-'.length));
  const length = typeof kind === 'number' ? kind : readLength(bytes.exactly(start, width), opcode.name, offset);
  const from = start + width;
  if (length > size - from) throw new PickleError(`${opcode.name} says ${length} bytes, more than there are`, offset);
  return {
    argument: length <= MAX_KEPT ? bytes.exactly(from, length) : undefined,
    second: undefined,
    end: from + length,
  };
}

function readLength(bytes: Buffer, name: string, offset: number): number {
  if (bytes.length === 1) return bytes.readUInt8();
  if (bytes.length === 8) {
    const length = bytes.readBigUInt64LE();
    if (length > BigInt(Number.MAX_SAFE_INTEGER))
      throw new PickleError(`${name} says a length that no file has`, offset);
    return Number(length);
  }
  // LONG4 and BINSTRING have signed lengths; CPython refuses negative ones.
  const length = name === 'LONG4' || name === 'BINSTRING' ? bytes.readInt32LE() : bytes.readUInt32LE();
  if (length < 0) throw new PickleError(`${name} says a negative length`, offset);
  return length;
}

type Windowed = ReturnType<typeof windowed>;

/** Reads a source through one window that moves on, because most instructions are a few bytes long. */
function windowed(source: ByteSource) {
  let from = 0;
  let window: Buffer = Buffer.alloc(0);
  const at = (position: number, length: number): Buffer => {
    if (position < from || position + length > from + window.length) {
      from = position;
      window = source.read(position, Math.max(WINDOW, length));
    }
    return window.subarray(position - from, position - from + length);
  };
  return {
    at,
    exactly(position: number, length: number): Buffer {
      const bytes = at(position, length);
      if (bytes.length < length) throw new PickleError('it ends in the middle of an instruction', position);
      return bytes;
    },
    line(position: number): Buffer {
      const bytes = at(position, MAX_KEPT);
      const end = bytes.indexOf(0x0a);
      if (end < 0) throw new PickleError('a line has no end', position);
      return bytes.subarray(0, end);
    },
  };
}
