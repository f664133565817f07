import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import zlib from 'node:zlib';
import { eachAtMost } from '../net/bounded-parallel.ts';
import type { Compression } from './deploy-choices.ts';
import { digestsOf } from './file-digests.ts';
import type { SiteFile } from './site-file.ts';

/** Below this, headers outweigh what is saved (a packet carries 1,460 bytes). */
const SMALLEST = 1024;
/** Larger files are data more than pages; they would fill the memory. */
const LARGEST = 32 * 1024 * 1024;
/** zlib runs in Node's four threads. */
const AT_ONCE = 4;
/** Types that compress; pictures, video, WOFF and archives are compressed already. */
const COMPRESSIBLE =
  /^text\/|^application\/(javascript|json|xml|wasm|rtf|manifest\+json|vnd\.ms-fontobject)|^font\/(ttf|otf)|^image\/(bmp|x-icon)|\+(xml|json)(;|$)/;

const brotli = promisify(zlib.brotliCompress);
const gzip = promisify(zlib.gzip);

/**
 * Compresses the files whose types gain by it, into `folder`; those that do not shrink stay as they are. The same
 * content always gives the same bytes, so that an unchanged file stays unchanged in the bucket.
 */
export async function compressFiles(
  files: readonly SiteFile[],
  compression: Compression,
  folder: string,
): Promise<readonly SiteFile[]> {
  if (compression === 'off') return files;
  await mkdir(folder, { recursive: true });
  const results = [...files];
  await eachAtMost(AT_ONCE, [...files.entries()], async ([index, file]) => {
    if (!isWorthCompressing(file) || file.content.kind !== 'file') return;
    const plain = await readFile(file.content.location);
    const small = compression === 'br' ? await compressBrotli(plain) : await gzip(plain, { level: 9 });
    if (small.length >= plain.length * 0.95) return;
    const location = join(folder, String(index));
    await writeFile(location, small);
    const { sha256, crc32 } = await digestsOf({ location, size: small.length });
    results[index] = {
      ...file,
      size: small.length,
      sha256,
      headers: { ...file.headers, 'content-encoding': compression },
      content: { kind: 'file', location, crc32 },
    };
  });
  return results;
}

function isWorthCompressing({ headers, size }: SiteFile): boolean {
  const isPlain = headers['content-encoding'] === undefined && !/\bno-transform\b/.test(headers['cache-control'] ?? '');
  return isPlain && size >= SMALLEST && size <= LARGEST && COMPRESSIBLE.test(headers['content-type'] ?? '');
}

/** Quality 9 is within some percent of the best (11), at a tenth of its time. */
function compressBrotli(plain: Buffer): Promise<Buffer> {
  const { BROTLI_PARAM_QUALITY, BROTLI_PARAM_SIZE_HINT } = zlib.constants;
  return brotli(plain, { params: { [BROTLI_PARAM_QUALITY]: 9, [BROTLI_PARAM_SIZE_HINT]: plain.length } });
}
