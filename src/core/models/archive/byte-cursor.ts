import type { ByteSource } from '../byte-source.ts';

const WINDOW = 64 * 1024;

/** Compressed bytes that are none, or that need more memory than is given them. */
export class DecompressError extends Error {
  override readonly name = 'DecompressError';
}

/** Takes what was unpacked; the bytes are another buffer's, and change after the call. Throws where a limit is passed. */
export type Emit = (bytes: Buffer) => void;

/** Reads a source byte by byte from its start to its end, for decoders. */
export class ByteCursor {
  position = 0;
  readonly #source: ByteSource;
  #from = 0;
  #window: Buffer = Buffer.alloc(0);

  constructor(source: ByteSource) {
    this.#source = source;
  }

  get isAtEnd(): boolean {
    return this.position >= this.#source.size;
  }

  /** The next byte; throws DecompressError behind the last one. */
  byte(): number {
    const value = this.#window[this.position - this.#from] ?? this.#refill();
    this.position += 1;
    return value;
  }

  /** The next bytes; throws DecompressError where there are fewer. */
  bytes(length: number): Buffer {
    const bytes = this.#source.read(this.position, length);
    if (bytes.length < length) throw new DecompressError('it is cut off');
    this.position += length;
    return bytes;
  }

  u32(): number {
    return this.bytes(4).readUInt32LE();
  }

  #refill(): number {
    this.#from = this.position;
    this.#window = this.#source.read(this.position, WINDOW);
    const [first] = this.#window;
    if (first === undefined) throw new DecompressError('it is cut off');
    return first;
  }
}
