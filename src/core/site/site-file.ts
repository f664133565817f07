import type { FileKind } from './file-kind.ts';

export type Encoding = 'br' | 'gzip';

/** A file of the source folder. */
export interface SourceFile {
  /** Relative to the folder, with `/` between names: the key in the bucket, less the prefix. */
  readonly path: string;
  /** Where it is read from. */
  readonly location: string;
  /** Bytes. */
  readonly size: number;
  /** How what is read there is compressed, when it takes the place of the file it was made from. */
  readonly encoding?: Encoding;
}

/** A file with the digests of what it holds. */
export interface HashedFile extends SourceFile {
  /** Hexadecimal. */
  readonly sha256: string;
  /** CRC-32 as an unsigned number. */
  readonly crc32: number;
}

/** Where the bytes of a file of the site come from. */
export type Content =
  | { readonly kind: 'file'; readonly location: string; readonly crc32: number }
  /** An object of the same bucket, copied on the server while it still has this ETag. */
  | { readonly kind: 'object'; readonly key: string; readonly etag: string };

/** A file as it shall be in the bucket. */
export interface SiteFile {
  readonly path: string;
  /** Bytes. */
  readonly size: number;
  /** Hexadecimal. */
  readonly sha256: string;
  readonly kind: FileKind;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly content: Content;
  /** Where a pack of this site holds its content already; undefined when it is not known to. */
  readonly kept?: PackPlace;
}

/** A place in one of the objects that keep, for rollbacks, what later releases may replace. */
export interface PackPlace {
  /** The name of the pack, below the site's own folder. */
  readonly pack: string;
  /** Bytes from its start. */
  readonly offset: number;
}
