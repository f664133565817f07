import { closeSync, openSync, readSync } from 'node:fs';

/**
 * Files up to this many bytes are read whole and at once: four trips through Node's thread pool for each cost more than
 * they free.
 */
export const SMALL_FILE = 1024 * 1024;

let scratch: Buffer | undefined;

/**
 * The content of a small file, good until the next call: all go through one buffer, since 1,500 of their own were 20 MB
 * more at the peak.
 */
export function lookInto(location: string): Uint8Array {
  scratch ??= Buffer.allocUnsafe(SMALL_FILE);
  return scratch.subarray(0, readInto(scratch, location));
}

/** The content of a small file of `size` bytes, for keeps. Throws where it has another length by now. */
export function readSmallFile(location: string, size: number): Uint8Array {
  // A byte more shows a file that grew.
  const data = Buffer.allocUnsafeSlow(size + 1);
  if (readInto(data, location) !== size) throw new Error(`${location} changed while it was deployed`);
  return data.subarray(0, size);
}

function readInto(target: Buffer, location: string): number {
  const file = openSync(location, 'r');
  try {
    let length = 0;
    for (let read = -1; read !== 0 && length < target.length; length += read)
      read = readSync(file, target, length, target.length - length, null);
    return length;
  } finally {
    closeSync(file);
  }
}
