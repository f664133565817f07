import { createHash } from 'node:crypto';

/** DVC reads so many bytes at a time, and does not see a line end that two of its reads share. */
const BLOCK = 1024 * 1024;
const HEAD = 512;
const CARRIAGE_RETURN = 0x0d;
const LINE_FEED = 0x0a;

/**
 * The MD5 of DVC before 3.0: that of a text is taken with the line ends of Unix, so that a checkout on Windows has the same.
 * Whether a file is one says its first half kilobyte: no NUL, and at most three in ten bytes that no text has.
 * Source: dvc-data, `hashfile/hash.py` and `hashfile/istextfile.py`. The first update must hold all of the head.
 */
export class Dos2UnixMd5 {
  readonly #hash = createHash('md5');
  #isText: boolean | undefined;
  #position = 0;
  #holdsReturn = false;

  update(bytes: Buffer): void {
    this.#isText ??= isTextHead(bytes.subarray(0, HEAD));
    if (!this.#isText) this.#hash.update(bytes);
    else
      for (let start = 0; start < bytes.length; ) {
        const part = bytes.subarray(start, start + BLOCK - (this.#position % BLOCK));
        this.#updateText(part);
        start += part.length;
      }
  }

  digest(encoding: 'hex'): string {
    this.#release();
    return this.#hash.digest(encoding);
  }

  /** Takes bytes of one of DVC's reads; a return at their end waits for what follows it, unless the read ends there. */
  #updateText(part: Buffer): void {
    if (part[0] !== LINE_FEED) this.#release();
    this.#holdsReturn = false;
    this.#position += part.length;
    this.#holdsReturn = part.at(-1) === CARRIAGE_RETURN;
    const text = (this.#holdsReturn ? part.subarray(0, -1) : part).toString('latin1');
    this.#hash.update(Buffer.from(text.replaceAll('\r\n', '\n'), 'latin1'));
    if (this.#position % BLOCK === 0) this.#release();
  }

  #release(): void {
    if (this.#holdsReturn) this.#hash.update('\r');
    this.#holdsReturn = false;
  }
}

function isTextHead(head: Buffer): boolean {
  if (head.length === 0) return true;
  if (head.includes(0)) return false;
  const others = head.filter((byte) => (byte < 32 || byte > 126) && ![8, 9, 10, 12, 13].includes(byte)).length;
  return others / head.length <= 0.3;
}
