import { address, byte, bytes, Hdf5Error, type Hdf5File, isUndefinedAddress, number } from './hdf5-file.ts';

const MAX_RECORDS = 100_000;
/** Signature, version, type and checksum of a node. */
const NODE_FRAME = 10;

/**
 * The records of a version 2 B-tree, in order: places of so many bytes each. Throws Hdf5Error.
 * Source: HDF5 File Format Specification 3.0, III.A.2.
 */
export function readTreeRecords(file: Hdf5File, at: number, type: number): readonly number[] {
  const { source, offsetWidth } = file;
  if (bytes(source, at, 4).toString('latin1') !== 'BTHD' || byte(source, at + 5) !== type)
    throw new Hdf5Error(`there is no index of type ${type}`, at);
  const nodeSize = number(source, at + 6, 4);
  const recordSize = number(source, at + 10, 2);
  const depth = number(source, at + 12, 2);
  const rootRecords = number(source, at + 16 + offsetWidth, 2);
  if (isUndefinedAddress(source, at + 16, offsetWidth)) return [];
  if (recordSize === 0 || depth > 8) throw new Hdf5Error('an index is deeper than is read', at);
  const layout = { recordSize, ...nodeLayout(nodeSize, recordSize, depth, offsetWidth) };
  const records: number[] = [];
  readNode(file, layout, { at: address(source, at + 16, offsetWidth), count: rootRecords, depth }, records);
  return records;
}

interface TreeLayout {
  readonly recordSize: number;
  /** Bytes of a child's count of records, and for each depth those of its count of all records below it. */
  readonly countWidth: number;
  readonly totalWidths: readonly number[];
}

/** How wide the counts in pointers are follows from how many records a node can hold. */
function nodeLayout(
  nodeSize: number,
  recordSize: number,
  depth: number,
  offsetWidth: number,
): Omit<TreeLayout, 'recordSize'> {
  const leaf = Math.floor((nodeSize - NODE_FRAME) / recordSize);
  const countWidth = encodedWidth(leaf);
  const totalWidths = [0];
  for (let level = 1, total = leaf; level < depth; level += 1) {
    const pointer = offsetWidth + countWidth + (totalWidths[level - 1] ?? 0);
    const most = Math.floor((nodeSize - NODE_FRAME - pointer) / (recordSize + pointer));
    total = (most + 1) * total + most;
    totalWidths.push(encodedWidth(total));
  }
  return { countWidth, totalWidths };
}

interface TreeNode {
  readonly at: number;
  readonly count: number;
  readonly depth: number;
}

function readNode(file: Hdf5File, layout: TreeLayout, { at, count, depth }: TreeNode, records: number[]): void {
  const { source, offsetWidth } = file;
  const { recordSize, countWidth, totalWidths } = layout;
  if (bytes(source, at, 4).toString('latin1') !== (depth === 0 ? 'BTLF' : 'BTIN'))
    throw new Hdf5Error('a node of an index is not where it must be', at);
  if (records.length + count > MAX_RECORDS) throw new Hdf5Error('an index has more records than are read', at);
  const start = at + 6;
  for (let index = 0; index < count; index += 1) records.push(start + index * recordSize);
  if (depth === 0) return;
  const pointer = offsetWidth + countWidth + (totalWidths[depth - 1] ?? 0);
  for (let index = 0; index <= count; index += 1) {
    const child = start + count * recordSize + index * pointer;
    const below = number(source, child + offsetWidth, countWidth);
    // A child without records is none that a writer makes, and a way to walk one node for ever.
    if (below === 0) throw new Hdf5Error('a node of an index is empty', child);
    readNode(file, layout, { at: address(source, child, offsetWidth), count: below, depth: depth - 1 }, records);
  }
}

/** Bytes for a number up to this one. */
export function encodedWidth(most: number): number {
  return Math.floor(Math.log2(Math.max(1, most)) / 8) + 1;
}
