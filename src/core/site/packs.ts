import { sha256Hex } from '../aws/signature.ts';
import type { PackPlace, SiteFile } from './site-file.ts';

/** Several files' contents in one object, so that keeping a hundred pages is one request. */
export interface Pack {
  /** Made of the digests of its files: a pack never stands for other contents. */
  readonly name: string;
  /** Bytes. */
  readonly size: number;
  readonly files: readonly SiteFile[];
}

/** Small enough to be held in memory while it is sent. A larger file is a pack of its own. */
const PACK_SIZE = 8 * 1024 * 1024;
/** Larger ones are not kept: going back past their replacement is refused. */
export const MAX_KEPT_FILE = 64 * 1024 * 1024;

/**
 * The packs that a release needs so that a later one may replace its files and this one can still be gone back to.
 *
 * Only names that a later release may give another content are kept: those with a fingerprint stay in the bucket as
 * long as the release does. What a pack holds already (`placeOf`) is not kept again.
 */
export function planPacks(
  files: readonly SiteFile[],
  placeOf: (file: SiteFile) => PackPlace | undefined,
): readonly Pack[] {
  const packs: { size: number; readonly files: SiteFile[] }[] = [];
  for (const file of files) {
    const isKeepable = file.kind !== 'fingerprinted' && file.content.kind === 'file' && file.size <= MAX_KEPT_FILE;
    if (!isKeepable || placeOf(file) !== undefined) continue;
    const last = packs.at(-1);
    if (last === undefined || last.size + file.size > PACK_SIZE) packs.push({ size: file.size, files: [file] });
    else {
      last.files.push(file);
      last.size += file.size;
    }
  }
  return packs.map((pack) => ({ ...pack, name: nameOf(pack.files) }));
}

function nameOf(files: readonly SiteFile[]): string {
  const digests = files.map(({ sha256 }) => sha256).join('\n');
  return sha256Hex(digests).slice(0, 32);
}

/** Where the packs hold each of their files, by path. */
export function placesIn(packs: readonly Pack[]): ReadonlyMap<string, PackPlace> {
  const places = new Map<string, PackPlace>();
  for (const { name, files } of packs) {
    let offset = 0;
    for (const { path, size } of files) {
      places.set(path, { pack: name, offset });
      offset += size;
    }
  }
  return places;
}
