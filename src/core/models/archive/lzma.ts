import { type ByteCursor, DecompressError, type Emit } from './byte-cursor.ts';

/** The largest dictionary that presets of xz use; two threads hold one each. */
const MAX_DICTIONARY = 64 * 1024 * 1024;
const STATES = 12;
const POSITIONS = 16;
const LITERAL_CODER = 0x300;
const END_POSITION_MODEL = 14;
const FULL_DISTANCES = 128;

/** Where each group of probabilities starts in the one array that holds them all. */
const LENGTH_CODER = 2 + 2 * POSITIONS * 8 + 256;
const IS_MATCH = 0;
const IS_REP = IS_MATCH + STATES * POSITIONS;
const IS_REP_G0 = IS_REP + STATES;
const IS_REP_G1 = IS_REP_G0 + STATES;
const IS_REP_G2 = IS_REP_G1 + STATES;
const IS_REP_0_LONG = IS_REP_G2 + STATES;
const POSITION_SLOT = IS_REP_0_LONG + STATES * POSITIONS;
const POSITION_CODERS = POSITION_SLOT + 4 * 64;
const ALIGN = POSITION_CODERS + 1 + FULL_DISTANCES - END_POSITION_MODEL;
const LENGTH = ALIGN + 16;
const REP_LENGTH = LENGTH + LENGTH_CODER;
const LITERAL = REP_LENGTH + LENGTH_CODER;

/**
 * The decoder of LZMA: a range coder with adaptive probabilities over literals and matches in a dictionary.
 * Throws DecompressError. Source: the LZMA specification of the LZMA SDK, whose names are kept.
 */
export class LzmaDecoder {
  readonly #cursor: ByteCursor;
  readonly #emit: Emit;
  readonly #dictionary: Buffer;
  #probabilities: Uint16Array = new Uint16Array(LITERAL);
  #lc = 0;
  #literalPositions = 0;
  #positions = 0;
  #state = 0;
  readonly #reps: [number, number, number, number] = [0, 0, 0, 0];
  #range = 0;
  #code = 0;
  /** Where the next byte goes in the dictionary, what of it was emitted, and how many bytes there are in all. */
  #at = 0;
  #emitted = 0;
  #total = 0;

  constructor(cursor: ByteCursor, dictionarySize: number, emit: Emit) {
    if (dictionarySize > MAX_DICTIONARY)
      throw new DecompressError(`it needs a dictionary of ${dictionarySize} bytes; ${MAX_DICTIONARY} are given`);
    this.#cursor = cursor;
    this.#emit = emit;
    this.#dictionary = Buffer.alloc(Math.max(4096, dictionarySize));
  }

  /** Takes the byte that holds lc, lp and pb, and forgets all probabilities. */
  setProperties(byte: number): void {
    if (byte >= 9 * 5 * 5) throw new DecompressError('its properties are none of LZMA');
    this.#lc = byte % 9;
    const rest = Math.floor(byte / 9);
    this.#literalPositions = (1 << (rest % 5)) - 1;
    this.#positions = (1 << Math.floor(rest / 5)) - 1;
    this.#probabilities = new Uint16Array(LITERAL + (LITERAL_CODER << (this.#lc + (rest % 5))));
    this.resetState();
  }

  resetState(): void {
    this.#probabilities.fill(1024);
    this.#state = 0;
    this.#reps.fill(0);
  }

  /** From here on no match may reach back. */
  resetDictionary(): void {
    this.flush();
    this.#at = 0;
    this.#emitted = 0;
    this.#total = 0;
  }

  startRange(): void {
    if (this.#cursor.byte() !== 0) throw new DecompressError('its range coder does not start with a zero');
    this.#range = 0xffffffff;
    this.#code = 0;
    for (let index = 0; index < 4; index += 1) this.#code = ((this.#code << 8) | this.#cursor.byte()) >>> 0;
  }

  /** Takes bytes as they are. */
  copy(length: number): void {
    for (let index = 0; index < length; index += 1) this.#put(this.#cursor.byte());
  }

  /** Hands on what stands in the dictionary and was not handed on yet. */
  flush(): void {
    if (this.#at > this.#emitted) this.#emit(this.#dictionary.subarray(this.#emitted, this.#at));
    this.#emitted = this.#at;
  }

  /** Decodes so many bytes, or, with Infinity, up to the mark of the end. */
  decode(length: number): void {
    for (let left = length; left > 0; ) {
      const position = this.#total & this.#positions;
      if (this.#bit(IS_MATCH + this.#state * POSITIONS + position) === 0) {
        this.#literal();
        left -= 1;
        continue;
      }
      const match = this.#match(position);
      if (match === 0) {
        if (Number.isFinite(length)) throw new DecompressError('it ends before it should');
        return;
      }
      if (match > left) throw new DecompressError('a match reaches over the end');
      left -= match;
    }
  }

  #literal(): void {
    const before = this.#total > 0 ? this.#back(0) : 0;
    const context = ((this.#total & this.#literalPositions) << this.#lc) + (before >> (8 - this.#lc));
    const base = LITERAL + LITERAL_CODER * context;
    let symbol = 1;
    if (this.#state >= 7) {
      let matched = this.#back(this.#reps[0]);
      while (symbol < 0x100) {
        const expected = (matched >> 7) & 1;
        matched <<= 1;
        const bit = this.#bit(base + ((1 + expected) << 8) + symbol);
        symbol = (symbol << 1) | bit;
        if (expected !== bit) break;
      }
    }
    while (symbol < 0x100) symbol = (symbol << 1) | this.#bit(base + symbol);
    this.#put(symbol & 0xff);
    this.#state = this.#state < 4 ? 0 : this.#state < 10 ? this.#state - 3 : this.#state - 6;
  }

  /** Decodes a match and copies it; returns its length, 0 for the mark of the end. */
  #match(position: number): number {
    const reps = this.#reps;
    let length: number;
    if (this.#bit(IS_REP + this.#state) === 0) {
      [reps[3], reps[2], reps[1]] = [reps[2], reps[1], reps[0]];
      length = this.#length(LENGTH, position);
      this.#state = this.#state < 7 ? 7 : 10;
      reps[0] = this.#distance(length);
      if (reps[0] === 0xffffffff) return 0;
    } else {
      if (this.#total === 0) throw new DecompressError('it repeats what it never had');
      if (this.#bit(IS_REP_G0 + this.#state) === 0) {
        if (this.#bit(IS_REP_0_LONG + this.#state * POSITIONS + position) === 0) {
          this.#state = this.#state < 7 ? 9 : 11;
          this.#checkDistance(reps[0]);
          this.#put(this.#back(reps[0]));
          return 1;
        }
      } else this.#rotateReps();
      length = this.#length(REP_LENGTH, position);
      this.#state = this.#state < 7 ? 8 : 11;
    }
    this.#checkDistance(reps[0]);
    for (let index = 0; index < length + 2; index += 1) this.#put(this.#back(reps[0]));
    return length + 2;
  }

  #rotateReps(): void {
    const reps = this.#reps;
    let distance = reps[1];
    if (this.#bit(IS_REP_G1 + this.#state) === 1) {
      if (this.#bit(IS_REP_G2 + this.#state) === 0) distance = reps[2];
      else {
        distance = reps[3];
        reps[3] = reps[2];
      }
      reps[2] = reps[1];
    }
    reps[1] = reps[0];
    reps[0] = distance;
  }

  #length(base: number, position: number): number {
    if (this.#bit(base) === 0) return this.#tree(base + 2 + position * 8, 3);
    if (this.#bit(base + 1) === 0) return 8 + this.#tree(base + 2 + POSITIONS * 8 + position * 8, 3);
    return 16 + this.#tree(base + 2 + 2 * POSITIONS * 8, 8);
  }

  #distance(length: number): number {
    const slot = this.#tree(POSITION_SLOT + Math.min(length, 3) * 64, 6);
    if (slot < 4) return slot;
    const directBits = (slot >> 1) - 1;
    const distance = ((2 | (slot & 1)) << directBits) >>> 0;
    if (slot < END_POSITION_MODEL) return distance + this.#reverseTree(POSITION_CODERS + distance - slot, directBits);
    return (distance + this.#direct(directBits - 4) * 16 + this.#reverseTree(ALIGN, 4)) >>> 0;
  }

  #tree(base: number, bits: number): number {
    let symbol = 1;
    for (let index = 0; index < bits; index += 1) symbol = (symbol << 1) | this.#bit(base + symbol);
    return symbol - (1 << bits);
  }

  #reverseTree(base: number, bits: number): number {
    let [symbol, node] = [0, 1];
    for (let index = 0; index < bits; index += 1) {
      const bit = this.#bit(base + node);
      node = (node << 1) | bit;
      symbol |= bit << index;
    }
    return symbol;
  }

  #direct(bits: number): number {
    let value = 0;
    for (let index = 0; index < bits; index += 1) {
      this.#range >>>= 1;
      const bit = this.#code >= this.#range ? 1 : 0;
      if (bit === 1) this.#code = (this.#code - this.#range) >>> 0;
      this.#normalize();
      value = value * 2 + bit;
    }
    return value;
  }

  #bit(index: number): number {
    const probability = this.#probabilities[index] ?? 1024;
    const bound = (this.#range >>> 11) * probability;
    const isOne = this.#code >= bound;
    if (isOne) {
      this.#code = (this.#code - bound) >>> 0;
      this.#range = (this.#range - bound) >>> 0;
      this.#probabilities[index] = probability - (probability >> 5);
    } else {
      this.#range = bound;
      this.#probabilities[index] = probability + ((2048 - probability) >> 5);
    }
    this.#normalize();
    return isOne ? 1 : 0;
  }

  #normalize(): void {
    if (this.#range >= 0x1000000) return;
    this.#range = (this.#range << 8) >>> 0;
    this.#code = ((this.#code << 8) | this.#cursor.byte()) >>> 0;
  }

  #checkDistance(distance: number): void {
    if (distance >= Math.min(this.#total, this.#dictionary.length))
      throw new DecompressError('a match reaches too far back');
  }

  /** The byte so many places behind the last one. */
  #back(distance: number): number {
    const at = this.#at - distance - 1;
    return this.#dictionary[at < 0 ? at + this.#dictionary.length : at] ?? 0;
  }

  #put(byte: number): void {
    this.#dictionary[this.#at] = byte;
    this.#at += 1;
    this.#total += 1;
    if (this.#at < this.#dictionary.length) return;
    this.flush();
    this.#at = 0;
    this.#emitted = 0;
  }
}
