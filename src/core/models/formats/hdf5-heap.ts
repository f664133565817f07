import { address, byte, bytes, Hdf5Error, type Hdf5File, isUndefinedAddress, number } from './hdf5-file.ts';
import { encodedWidth, readTreeRecords } from './hdf5-tree.ts';

const HUGE_OBJECTS = 1;
const MAX_DEPTH = 8;

/** A part of the file. */
export interface Place {
  readonly start: number;
  readonly length: number;
}

/** A fractal heap: where objects of dense storage stand. */
export interface FractalHeap {
  readonly file: Hdf5File;
  readonly at: number;
  readonly hugeTree: number | undefined;
  /** Entries in a row of blocks; bytes of the first and of the largest direct block. */
  readonly width: number;
  readonly firstBlock: number;
  readonly largestBlock: number;
  readonly offsetBytes: number;
  readonly lengthBytes: number;
  /** Undefined for a heap of large objects alone. */
  readonly root: number | undefined;
  /** Rows of the root's indirect block; 0 where the root is a direct block. */
  readonly rows: number;
}

/** Reads a heap's header; throws Hdf5Error, also for one with filters. Source: HDF5 File Format Specification 3.0, III.G. */
export function openFractalHeap(file: Hdf5File, at: number): FractalHeap {
  const { source, offsetWidth: o, lengthWidth: l } = file;
  if (bytes(source, at, 4).toString('latin1') !== 'FRHP') throw new Hdf5Error('there is no heap of attributes', at);
  if (number(source, at + 7, 2) !== 0) throw new Hdf5Error('its attributes are filtered', at);
  const largestManaged = number(source, at + 10, 4);
  const table = at + 14 + 2 * o + 10 * l;
  const firstBlock = number(source, table + 2, l);
  const largestBlock = number(source, table + 2 + l, l);
  const rest = table + 2 + 2 * l;
  const width = number(source, table, 2);
  if (width === 0 || !isPowerOfTwo(firstBlock) || !isPowerOfTwo(largestBlock) || !isPowerOfTwo(width))
    throw new Hdf5Error('a heap has blocks of no size', at);
  return {
    file,
    at,
    hugeTree: addressOrNone(file, at + 14 + l),
    width,
    firstBlock,
    largestBlock,
    offsetBytes: Math.ceil(number(source, rest, 2) / 8),
    lengthBytes: Math.min(Math.ceil(Math.log2(largestBlock) / 8), encodedWidth(largestManaged)),
    root: addressOrNone(file, rest + 4),
    rows: number(source, rest + 4 + o, 2),
  };
}

/** Where the object with the id that stands at `at` is; throws Hdf5Error. */
export function findHeapObject(heap: FractalHeap, at: number): Place {
  const { source } = heap.file;
  const kind = (byte(source, at) >> 4) & 3;
  if (kind === 0) {
    const offset = number(source, at + 1, heap.offsetBytes);
    const length = number(source, at + 1 + heap.offsetBytes, heap.lengthBytes);
    return { start: findManaged(heap, offset), length };
  }
  if (kind === 1) return findHuge(heap, at);
  const length = (byte(source, at) & 15) + 1;
  return { start: at + 1, length };
}

/** Objects too large for blocks stand by themselves; an index says where. */
function findHuge({ file, hugeTree, at: heapAt }: FractalHeap, at: number): Place {
  const { source, offsetWidth, lengthWidth } = file;
  if (hugeTree === undefined) throw new Hdf5Error('a heap has no index of large objects', heapAt);
  // The id in the heap is cut to what fits beside its first byte.
  const wanted = number(source, at + 1, 6);
  for (const record of readTreeRecords(file, hugeTree, HUGE_OBJECTS)) {
    if (number(source, record + offsetWidth + lengthWidth, lengthWidth) !== wanted) continue;
    return {
      start: address(source, record, offsetWidth),
      length: number(source, record + offsetWidth, lengthWidth),
    };
  }
  throw new Hdf5Error('a heap lacks a large object', heapAt);
}

/** Where a byte of the heap's own address space stands in the file. */
function findManaged(heap: FractalHeap, offset: number): number {
  if (heap.root === undefined) throw new Hdf5Error('a heap has no blocks', heap.at);
  if (heap.rows === 0) return heap.root + offset;
  return findInRows(heap, heap.root, heap.rows, offset, 0);
}

function findInRows(heap: FractalHeap, block: number, rows: number, offset: number, depth: number): number {
  const { file, width, firstBlock, largestBlock } = heap;
  if (depth > MAX_DEPTH) throw new Hdf5Error('a heap is nested deeper than is read', block);
  if (bytes(file.source, block, 4).toString('latin1') !== 'FHIB')
    throw new Hdf5Error('a block of a heap is not where it must be', block);
  const entries = block + 5 + file.offsetWidth + heap.offsetBytes;
  // The first two rows have blocks of one size, and each one after them of twice the size of the one before.
  const row = offset < width * firstBlock ? 0 : Math.floor(Math.log2(offset / (width * firstBlock))) + 1;
  if (row >= rows) throw new Hdf5Error('an object lies outside of its heap', block);
  const size = row === 0 ? firstBlock : firstBlock * 2 ** (row - 1);
  const start = row === 0 ? 0 : width * size;
  const column = Math.floor((offset - start) / size);
  const child = address(file.source, entries + (row * width + column) * file.offsetWidth, file.offsetWidth);
  const within = offset - start - column * size;
  if (size <= largestBlock) return child + within;
  const childRows = Math.log2(size) - Math.log2(firstBlock * width) + 1;
  return findInRows(heap, child, childRows, within, depth + 1);
}

function addressOrNone({ source, offsetWidth }: Hdf5File, at: number): number | undefined {
  return isUndefinedAddress(source, at, offsetWidth) ? undefined : address(source, at, offsetWidth);
}

function isPowerOfTwo(value: number): boolean {
  return value > 0 && Number.isInteger(Math.log2(value));
}
