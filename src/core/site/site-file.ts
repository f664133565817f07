/** A file of the source folder. */
export interface SourceFile {
  /** Relative to the folder, with `/` between names: the key in the bucket, less the prefix. */
  readonly path: string;
  /** Where it is read from. */
  readonly location: string;
  /** Bytes. */
  readonly size: number;
}

/** A file with the digests of what it holds. */
export interface HashedFile extends SourceFile {
  /** Hexadecimal. */
  readonly sha256: string;
  /** CRC-32 as an unsigned number. */
  readonly crc32: number;
}

/** A file as it shall be in the bucket. */
export interface SiteFile extends HashedFile {
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
}
