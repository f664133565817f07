import { createHash, type Hash } from 'node:crypto';

/** Algorithms of the manifests that are read; md5 stands in DVC's files alone. */
export type DigestAlgorithm = 'sha256' | 'sha512' | 'md5' | 'blake2b';

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

export function createDigest(algorithm: DigestAlgorithm): Hash {
  return createHash(algorithm === 'blake2b' ? 'blake2b512' : algorithm);
}
