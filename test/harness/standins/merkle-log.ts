import { createHash } from 'node:crypto';

/** What shows that a leaf is in a log of so many leaves (RFC 9162, section 2.1.3). Hashes are raw. */
export interface InclusionProof {
  readonly index: number;
  readonly treeSize: number;
  readonly root: Buffer;
  readonly hashes: readonly Buffer[];
}

/** An append-only Merkle tree over SHA-256, as transparency logs keep one. */
export interface MerkleLog {
  append(leaf: Buffer): InclusionProof;
}

export function createMerkleLog(): MerkleLog {
  const leaves: Buffer[] = [];
  return {
    append(leaf) {
      leaves.push(hash(0, leaf));
      const index = leaves.length - 1;
      return { index, treeSize: leaves.length, root: rootOf(leaves), hashes: pathOf(leaves, index) };
    },
  };
}

function rootOf(leaves: readonly Buffer[]): Buffer {
  const [only] = leaves;
  if (leaves.length === 1 && only !== undefined) return only;
  const split = splitOf(leaves.length);
  return hash(1, rootOf(leaves.slice(0, split)), rootOf(leaves.slice(split)));
}

function pathOf(leaves: readonly Buffer[], index: number): readonly Buffer[] {
  if (leaves.length <= 1) return [];
  const split = splitOf(leaves.length);
  const [left, right] = [leaves.slice(0, split), leaves.slice(split)];
  return index < split ? [...pathOf(left, index), rootOf(right)] : [...pathOf(right, index - split), rootOf(left)];
}

/** The largest power of two below a size. */
function splitOf(size: number): number {
  return 2 ** Math.floor(Math.log2(size - 1));
}

function hash(prefix: 0 | 1, ...parts: readonly Buffer[]): Buffer {
  return createHash('sha256')
    .update(Buffer.from([prefix]))
    .update(Buffer.concat(parts))
    .digest();
}
