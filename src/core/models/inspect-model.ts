import { createHash, type Hash } from 'node:crypto';
import { readSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import { type FileSource, openSource } from './byte-source.ts';
import type { FormatReport } from './model-finding.ts';
import { readModelFormat } from './model-format.ts';

/** A model file as it is on disk. */
export interface InspectedModel extends FormatReport {
  /** Relative to the workspace, with `/`. */
  readonly path: string;
  readonly size: number;
  /** Lower-case hex. */
  readonly sha256: string;
  readonly sha512: string | undefined;
}

export interface InspectOptions {
  /** Also SHA-512, for manifests that list it. */
  readonly needsSha512: boolean;
  /** Whether the format is read, besides the digest. */
  readonly scans: boolean;
  readonly allowedGlobals: ReadonlySet<string>;
  /** Told the bytes that were hashed since the last call. */
  readonly onProgress: (bytes: number) => void;
}

/** One buffer for all reads: 1 MiB was as fast as any size above 64 KiB, and keeps memory flat. */
const CHUNK = 1024 * 1024;
const CHUNKS_PER_TURN = 32;

/**
 * Hashes and reads one file through one descriptor, so that what is judged is what was hashed.
 * Throws the system's error where it cannot be opened or read.
 */
export async function inspectModel(file: string, path: string, options: InspectOptions): Promise<InspectedModel> {
  using source = openSource(file);
  const sha256 = createHash('sha256');
  const sha512 = options.needsSha512 ? createHash('sha512') : undefined;
  await hash(source, [sha256, ...(sha512 === undefined ? [] : [sha512])], options.onProgress);
  const report: FormatReport = options.scans
    ? readModelFormat(source, options.allowedGlobals)
    : { format: 'unknown', findings: [] };
  return { path, size: source.size, sha256: sha256.digest('hex'), sha512: sha512?.digest('hex'), ...report };
}

async function hash(source: FileSource, hashes: readonly Hash[], onProgress: (bytes: number) => void): Promise<void> {
  const buffer = Buffer.allocUnsafe(CHUNK);
  let position = 0;
  for (let turn = 1; position < source.size; turn += 1) {
    const count = readSync(source.descriptor, buffer, 0, CHUNK, position);
    if (count === 0) throw new Error(`the file became shorter while it was read (${position} of ${source.size} bytes)`);
    for (const each of hashes) each.update(buffer.subarray(0, count));
    position += count;
    onProgress(count);
    // A 10 GB file takes seconds: timers and signals get their turn in between.
    if (turn % CHUNKS_PER_TURN === 0) await setImmediate();
  }
}
