import { inflateSync, constants as zlib } from 'node:zlib';

/** A compressed stream around a model, as joblib and people with `gzip` make them. */
export type Compression = 'gzip' | 'zlib' | 'zstd' | 'bzip2' | 'xz' | 'lzma' | 'lz4' | '7z' | 'rar';

/** Those that Node can unpack. */
export const READABLE: ReadonlySet<Compression> = new Set(['gzip', 'zlib', 'zstd']);

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
  // LZMA alone: properties, a dictionary of a power of two, a size that is unknown or below 2^48.
  if (/^5d0000[0-9a-f]{4}(?:f{16}|[0-9a-f]{12}0000)/.test(hex) && head.length > 13) return 'lzma';
  return isZlib(head) ? 'zlib' : undefined;
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
