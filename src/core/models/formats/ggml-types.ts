/** Elements in a block and bytes of a block of ggml's tensor types (ggml.h, `ggml_type`; numbers that are left out were removed). */
const BLOCKS: ReadonlyMap<number, readonly [elements: bigint, bytes: bigint]> = new Map([
  [0, [1n, 4n]],
  [1, [1n, 2n]],
  [2, [32n, 18n]],
  [3, [32n, 20n]],
  [6, [32n, 22n]],
  [7, [32n, 24n]],
  [8, [32n, 34n]],
  [9, [32n, 36n]],
  [10, [256n, 84n]],
  [11, [256n, 110n]],
  [12, [256n, 144n]],
  [13, [256n, 176n]],
  [14, [256n, 210n]],
  [15, [256n, 292n]],
  [16, [256n, 66n]],
  [17, [256n, 74n]],
  [18, [256n, 98n]],
  [19, [256n, 50n]],
  [20, [32n, 18n]],
  [21, [256n, 110n]],
  [22, [256n, 82n]],
  [23, [256n, 136n]],
  [24, [1n, 1n]],
  [25, [1n, 2n]],
  [26, [1n, 4n]],
  [27, [1n, 8n]],
  [28, [1n, 8n]],
  [29, [256n, 56n]],
  [30, [1n, 2n]],
  [34, [256n, 54n]],
  [35, [256n, 66n]],
  [39, [32n, 17n]],
]);

/**
 * The bytes of a tensor of this type; undefined for a type that is not known, and for rows that are no whole number of
 * blocks. In BigInt: a product that wraps is how a header lies about a tensor's size (CVE-2025-53630).
 */
export function tensorBytes(type: number, row: bigint, elements: bigint): bigint | undefined {
  const block = BLOCKS.get(type);
  if (block === undefined || row % block[0] !== 0n) return undefined;
  return (elements / block[0]) * block[1];
}
