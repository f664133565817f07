import type { ByteSource } from '../byte-source.ts';
import { ByteCursor, DecompressError, type Emit } from './byte-cursor.ts';

const BLOCK_MAGIC = 0x314159265359;
const END_MAGIC = 0x177245385090;
const LEVEL_BYTES = 100_000;
const GROUP = 50;
const MAX_CODE = 20;
const [RUN_A, RUN_B] = [0, 1];
const OUTPUT = 64 * 1024;

/**
 * Unpacks streams of bzip2, one behind the other: joblib's `compress="bz2"`. Its checksums are not held against the bytes:
 * a file that they find broken is one that Python does not load. Throws DecompressError.
 * Source: the bzip2 format specification (J. Tsai), after bzip2 1.0.6.
 */
export function unpackBzip2(source: ByteSource, emit: Emit): void {
  const cursor = new ByteCursor(source);
  while (!cursor.isAtEnd) {
    const head = cursor.bytes(4).toString('latin1');
    if (!/^BZh[1-9]$/.test(head)) throw new DecompressError('something follows that is no stream of bzip2');
    readStream(new BitReader(cursor), Number(head[3]) * LEVEL_BYTES, emit);
  }
}

/** Reads bits, the highest of each byte first. What is left of the last byte is padding. */
class BitReader {
  readonly #cursor: ByteCursor;
  #bits = 0;
  #count = 0;

  constructor(cursor: ByteCursor) {
    this.#cursor = cursor;
  }

  bit(): number {
    if (this.#count === 0) {
      this.#bits = this.#cursor.byte();
      this.#count = 8;
    }
    this.#count -= 1;
    return (this.#bits >> this.#count) & 1;
  }

  /** A number of up to 48 bits. */
  number(bits: number): number {
    let value = 0;
    for (let index = 0; index < bits; index += 1) value = value * 2 + this.bit();
    return value;
  }

  /** The next symbol of a canonical Huffman code: the innermost loop of all. */
  symbol({ limits, starts, symbols }: Code): number {
    let code = 0;
    for (let width = 1; width <= MAX_CODE; width += 1) {
      if (this.#count === 0) {
        this.#bits = this.#cursor.byte();
        this.#count = 8;
      }
      this.#count -= 1;
      code = (code << 1) | ((this.#bits >> this.#count) & 1);
      if (code < (limits[width] ?? 0)) return symbols[code + (starts[width] ?? 0)] ?? broken();
    }
    return broken();
  }
}

function readStream(bits: BitReader, blockBytes: number, emit: Emit): void {
  const block = new Uint32Array(blockBytes);
  for (let magic = bits.number(48); magic !== END_MAGIC; magic = bits.number(48)) {
    if (magic !== BLOCK_MAGIC) broken();
    // The checksum, and a bit for an order of bytes that only bzip2 0.9 wrote.
    bits.number(32);
    if (bits.bit() === 1) throw new DecompressError('a block of it is of a version before 1.0');
    const origin = bits.number(24);
    const count = readSymbols(bits, block);
    if (origin >= count) broken();
    writeBlock(block, count, origin, emit);
  }
  bits.number(32);
}

/** Reads a block's bytes, as the Burrows-Wheeler transform left them, and returns how many there are. */
function readSymbols(bits: BitReader, block: Uint32Array): number {
  const symbols = readAlphabet(bits);
  const { selectors, codes } = readTrees(bits, symbols.length + 2);
  const end = symbols.length + 1;
  let [count, run, weight] = [0, 0, 1];
  const endRun = (): void => {
    if (run > block.length - count) broken();
    block.fill(symbols[0] ?? 0, count, count + run);
    count += run;
    [run, weight] = [0, 1];
  };
  for (const selector of selectors) {
    const code = codes[selector] ?? broken();
    for (let index = 0; index < GROUP; index += 1) {
      const symbol = bits.symbol(code);
      if (symbol === RUN_A || symbol === RUN_B) {
        run += weight * (symbol + 1);
        weight *= 2;
        if (run > block.length) broken();
        continue;
      }
      endRun();
      if (symbol === end) return count;
      if (count >= block.length) broken();
      const byte = symbols[symbol - 1] ?? broken();
      symbols.copyWithin(1, 0, symbol - 1);
      symbols[0] = byte;
      block[count] = byte;
      count += 1;
    }
  }
  return broken();
}

/** The bytes that a block uses, of which each use moves one to the front. */
function readAlphabet(bits: BitReader): Uint8Array {
  const groups = Array.from({ length: 16 }, () => bits.bit());
  const symbols = groups.flatMap((isUsed, high) =>
    isUsed === 0 ? [] : Array.from({ length: 16 }, (_, low) => (bits.bit() === 1 ? [high * 16 + low] : [])).flat(),
  );
  return symbols.length === 0 ? broken() : Uint8Array.from(symbols);
}

/** A canonical Huffman code: for each length the first code behind it, and the symbols in the order of their codes. */
interface Code {
  readonly limits: Int32Array;
  readonly starts: Int32Array;
  readonly symbols: Int32Array;
}

function readTrees(bits: BitReader, symbols: number): { selectors: readonly number[]; codes: readonly Code[] } {
  const trees = bits.number(3);
  const selectorCount = bits.number(15);
  if (trees < 2 || trees > 6 || selectorCount === 0) broken();
  const order = Array.from({ length: trees }, (_, index) => index);
  const selectors = Array.from({ length: selectorCount }, () => {
    let place = 0;
    while (bits.bit() === 1) place += 1;
    const [tree = broken()] = order.splice(place, 1);
    order.unshift(tree);
    return tree;
  });
  return { selectors, codes: Array.from({ length: trees }, () => readCodeLengths(bits, symbols)) };
}

function readCodeLengths(bits: BitReader, count: number): Code {
  let length = bits.number(5);
  const lengths = Array.from({ length: count }, () => {
    while (bits.bit() === 1) {
      length += bits.bit() === 1 ? -1 : 1;
      if (length < 1 || length > MAX_CODE) broken();
    }
    return length < 1 || length > MAX_CODE ? broken() : length;
  });
  const symbols: number[] = [];
  const limits: number[] = [];
  const starts: number[] = [];
  for (let width = 0, code = 0; width <= MAX_CODE; width += 1) {
    starts.push(symbols.length - code);
    for (const [symbol, each] of lengths.entries()) if (each === width) symbols.push(symbol);
    code = symbols.length - (starts[width] ?? 0);
    limits.push(code);
    code *= 2;
  }
  return { limits: Int32Array.from(limits), starts: Int32Array.from(starts), symbols: Int32Array.from(symbols) };
}

/** Turns the Burrows-Wheeler transform back, and the runs of four bytes and a count that stand in what comes of it. */
function writeBlock(block: Uint32Array, count: number, origin: number, emit: Emit): void {
  const starts = new Uint32Array(257);
  for (let index = 0; index < count; index += 1) {
    const next = ((block[index] ?? 0) & 0xff) + 1;
    starts[next] = (starts[next] ?? 0) + 1;
  }
  for (let byte = 1; byte < 256; byte += 1) starts[byte] = (starts[byte] ?? 0) + (starts[byte - 1] ?? 0);
  // The low byte is a place's own, the others say where the byte that follows it stands.
  for (let index = 0; index < count; index += 1) {
    const byte = (block[index] ?? 0) & 0xff;
    const place = starts[byte] ?? 0;
    starts[byte] = place + 1;
    block[place] = (block[place] ?? 0) | (index << 8);
  }
  const output = Buffer.allocUnsafe(OUTPUT);
  let written = 0;
  const put = (byte: number): void => {
    output[written] = byte;
    written += 1;
    if (written < OUTPUT) return;
    emit(output);
    written = 0;
  };
  let [place, before, same] = [(block[origin] ?? 0) >>> 8, -1, 0];
  for (let index = 0; index < count; index += 1) {
    const entry = block[place] ?? 0;
    const byte = entry & 0xff;
    place = entry >>> 8;
    if (same === 4) {
      for (let left = byte; left > 0; left -= 1) put(before);
      [before, same] = [-1, 0];
      continue;
    }
    same = byte === before ? same + 1 : 1;
    before = byte;
    put(byte);
  }
  emit(output.subarray(0, written));
}

function broken(): never {
  throw new DecompressError('a block of it is broken');
}
