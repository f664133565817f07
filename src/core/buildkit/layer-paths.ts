import { createReadStream } from 'node:fs';
import type { Readable } from 'node:stream';
import { createGunzip, createZstdDecompress } from 'node:zlib';
import { layerCompression } from '../registry/media-types.ts';

const BLOCK = 512;
const MAX_HEADER_TEXT = 64 * 1024;

/**
 * Calls `onPath` with the path of every entry of a layer, relative to the image's root, without reading file contents
 * into memory. Entries that delete a file of an earlier layer are left out.
 *
 * Tar as in POSIX.1-2017 "pax" with GNU's long names, which is what BuildKit and other builders write.
 * Throws Error for a file that is no tar or ends too early.
 */
export async function readLayerPaths(file: string, mediaType: string, onPath: (path: string) => void): Promise<void> {
  const tar = createTarReader((path) => {
    const clean = path.replace(/^(?:\.?\/)+/, '');
    if (clean !== '' && !/(?:^|\/)\.wh\./.test(clean)) onPath(clean);
  });
  for await (const chunk of decompress(file, mediaType)) tar.take(chunk as Buffer);
  tar.finish();
}

function decompress(file: string, mediaType: string): Readable {
  const stream = createReadStream(file);
  const compression = layerCompression(mediaType);
  if (compression !== 'gzip' && compression !== 'zstd') return stream;
  const decompressed = compression === 'gzip' ? createGunzip() : createZstdDecompress();
  stream.once('error', (error) => decompressed.destroy(error));
  return stream.pipe(decompressed);
}

/** Reads tar headers from chunks, and skips what lies between them. */
export function createTarReader(onPath: (path: string) => void): { take(chunk: Buffer): void; finish(): void } {
  let pending: Buffer = Buffer.alloc(0);
  let skip = 0;
  let longName: { readonly kind: 'pax' | 'gnu'; readonly size: number } | undefined;
  let nextName: string | undefined;
  let isEnded = false;

  const takeHeader = (block: Buffer): void => {
    const header = readHeader(block);
    if (header === undefined) {
      isEnded = true;
    } else if (header.kind === 'pax' || header.kind === 'gnu') {
      longName = { kind: header.kind, size: header.size };
    } else {
      skip = header.size;
      if (header.kind === 'entry') onPath(nextName ?? header.name);
      if (header.kind === 'entry') nextName = undefined;
    }
  };
  const takeName = (block: Buffer, { kind, size }: { readonly kind: 'pax' | 'gnu'; readonly size: number }): void => {
    const text = block.subarray(0, size).toString('utf8');
    nextName = kind === 'gnu' ? text.replace(/\0.*$/s, '') : (paxPath(text) ?? nextName);
    longName = undefined;
  };
  /** Takes the next block, if it is there as a whole. */
  const takeBlock = (): boolean => {
    const skipped = Math.min(skip, pending.length);
    pending = pending.subarray(skipped);
    skip -= skipped;
    const need = longName === undefined ? BLOCK : roundUp(longName.size);
    if (skip > 0 || pending.length < need) return false;
    const block = pending.subarray(0, need);
    pending = pending.subarray(need);
    if (longName === undefined) takeHeader(block);
    else takeName(block, longName);
    return true;
  };

  return {
    take(chunk) {
      if (isEnded) return;
      pending = pending.length === 0 ? chunk : Buffer.concat([pending, chunk]);
      while (!isEnded && takeBlock());
    },
    finish() {
      const isInside = skip > 0 || pending.length > 0 || longName !== undefined;
      if (!isEnded && isInside) throw new Error('the layer ends in the middle of a file');
    },
  };
}

interface Header {
  /** `other`: what names no file of the image, such as global attributes. */
  readonly kind: 'entry' | 'pax' | 'gnu' | 'other';
  readonly name: string;
  /** Bytes of content; of entries, with what fills its last block. */
  readonly size: number;
}

/** One header; undefined for the empty block at the end. Throws Error for anything else. */
function readHeader(block: Buffer): Header | undefined {
  if (block.every((byte) => byte === 0)) return undefined;
  if (!hasRightChecksum(block)) throw new Error('the layer is no tar file: a header has a wrong checksum');
  const size = readNumber(block.subarray(124, 136));
  const type = String.fromCharCode(block[156] ?? 0);
  if (type === 'x' || type === 'L') {
    if (size > MAX_HEADER_TEXT) throw new Error(`the layer has a name of ${size} bytes`);
    return { kind: type === 'x' ? 'pax' : 'gnu', name: '', size };
  }
  if (type === 'g' || type === 'K') return { kind: 'other', name: '', size: roundUp(size) };
  // Links, devices and folders have no content, whatever size they name.
  const hasContent = type === '0' || type === '\0' || type === '7';
  return { kind: 'entry', name: shortName(block), size: hasContent ? roundUp(size) : 0 };
}

function roundUp(size: number): number {
  return Math.ceil(size / BLOCK) * BLOCK;
}

function shortName(header: Buffer): string {
  const name = textOf(header.subarray(0, 100));
  const prefix = header.subarray(257, 263).toString('latin1') === 'ustar\0' ? textOf(header.subarray(345, 500)) : '';
  return prefix === '' ? name : `${prefix}/${name}`;
}

function textOf(bytes: Buffer): string {
  const end = bytes.indexOf(0);
  return bytes.subarray(0, end < 0 ? bytes.length : end).toString('utf8');
}

/** `length path=value\n` records; the length counts bytes. */
function paxPath(text: string): string | undefined {
  return /(?:^|\n)\d+ path=([^\n]*)\n/.exec(text)?.[1];
}

/** Octal text, or base 256 for sizes of 8 GiB and more. */
function readNumber(field: Buffer): number {
  if (((field[0] ?? 0) & 0x80) !== 0) return Number(field.readBigUInt64BE(4));
  return Number.parseInt(textOf(field).trim() || '0', 8) || 0;
}

function hasRightChecksum(header: Buffer): boolean {
  let sum = 0;
  for (let at = 0; at < BLOCK; at += 1) sum += at >= 148 && at < 156 ? 32 : (header[at] ?? 0);
  return sum === readNumber(header.subarray(148, 156));
}
