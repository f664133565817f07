import { inflateSync, constants as zlib } from 'node:zlib';

/** A compressed stream around a model, as joblib and people with `gzip` make them. */
export type Compression = 'gzip' | 'zlib' | 'zstd' | 'bzip2' | 'xz' | 'lzma' | 'lz4' | '7z' | 'rar';

/** Those that are unpacked: by Node, and by the decoders beside this file. */
export type Readable = Exclude<Compression, '7z' | 'rar'>;

export function isReadable(compression: Compression): compression is Readable {
  return compression !== '7z' && compression !== 'rar';
}

const MAGIC: readonly (readonly [Compression, string])[] = [
  ['gzip', '1f8b08'],
  ['zstd', '28b52ffd'],
  ['xz', 'fd377a585a00'],
  ['lz4', '04224d18'],
  ['7z', '377abcaf271c'],
  ['rar', '526172211a07'],
];

/** The compression that the first bytes tell. `head` holds some KiB. */
export function detectCompression(head: Buffer): Compression | undefined {
  const hex = head.toString('hex', 0, 16);
  const found = MAGIC.find(([, magic]) => hex.startsWith(magic));
  if (found !== undefined) return found[0];
  if (/^425a683[1-9]314159265359/.test(hex)) return 'bzip2';
  if (isLzma(head)) return 'lzma';
  return isZlib(head) ? 'zlib' : undefined;
}

/**
 * LZMA alone has no magic number: properties, a dictionary of 2^n or 2^n + 2^(n-1) bytes, a size that is unknown or below
 * 2^40, and the zero with which its range coder starts.
 */
function isLzma(head: Buffer): boolean {
  if (head.length < 14 || (head[0] ?? 0) >= 9 * 5 * 5 || head[13] !== 0) return false;
  const dictionary = head.readUInt32LE(1);
  const half = 2 ** Math.floor(Math.log2(dictionary) - 1);
  const size = head.readBigUInt64LE(5);
  return (
    dictionary >= 4096 &&
    (dictionary === half * 2 || dictionary === half * 3 || dictionary === 2 ** 32 - 1) &&
    (size < 1n << 40n || size === 0xffff_ffff_ffff_ffffn)
  );
}

/** zlib's header is two bytes that weights have by chance once in 2,000 files: what follows must inflate. */
function isZlib(head: Buffer): boolean {
  if (head.length < 8 || (head[0] ?? 0) !== 0x78 || head.readUInt16BE(0) % 31 !== 0) return false;
  try {
    return inflateSync(head, { finishFlush: zlib.Z_SYNC_FLUSH, maxOutputLength: 16 * 1024 * 1024 }).length > 0;
  } catch (error) {
    // A head that inflates to more than this is zlib, too.
    return error instanceof RangeError;
  }
}
