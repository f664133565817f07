import { createHash } from 'node:crypto';
import { Dos2UnixMd5 } from './dos2unix-md5.ts';

/** Algorithms of the manifests that are read; the MD5s stand in DVC's files alone. */
export type DigestAlgorithm = 'sha256' | 'sha512' | 'md5' | 'md5-dos2unix' | 'blake2b';

/** True for an MD5, which shows that a file is whole, and not that nobody made it to fit. */
export function isWeak(algorithm: DigestAlgorithm): boolean {
  return algorithm === 'md5' || algorithm === 'md5-dos2unix';
}

/** What is computed while a file is read once. */
export interface DigestPlan {
  readonly algorithms: readonly DigestAlgorithm[];
  /** Digests of parts of this many bytes, as signatures with shards list them. */
  readonly shards: { readonly algorithm: DigestAlgorithm; readonly size: number } | undefined;
}

export interface Digests {
  /** Lower-case hex by algorithm. */
  readonly whole: ReadonlyMap<DigestAlgorithm, string>;
  /** In the order of the file; empty without shards. */
  readonly shards: readonly { readonly start: number; readonly end: number; readonly digest: string }[];
}

/** A digest that is being made of bytes that come one behind the other. */
export interface Digest {
  update(bytes: Buffer): unknown;
  digest(encoding: 'hex'): string;
}

export function createDigest(algorithm: DigestAlgorithm): Digest {
  if (algorithm === 'md5-dos2unix') return new Dos2UnixMd5();
  return createHash(algorithm === 'blake2b' ? 'blake2b512' : algorithm);
}
