import { createHash, hash } from 'node:crypto';
import { closeSync, createReadStream, openSync, readSync } from 'node:fs';
import { crc32 } from 'node:zlib';
import { sha256Hex } from '../aws/signature.ts';
import type { HashedFile, SourceFile } from './site-file.ts';

/** Read whole below this, at once; above it through a stream, so that memory does not grow with the file. */
const SMALL = 1024 * 1024;
const READERS = 8;

interface FileOnDisk {
  readonly location: string;
  readonly size: number;
}

/** Digests of every file, in the files' order. A file that changes while it is read is found by S3, which is told its hash. */
export async function hashFiles(files: readonly SourceFile[]): Promise<readonly HashedFile[]> {
  const hashed: HashedFile[] = [];
  const queue = files.entries();
  const reader = async (): Promise<void> => {
    for (const [index, file] of queue) hashed[index] = { ...file, ...(await digestsOf(file)) };
  };
  await Promise.all(Array.from({ length: READERS }, reader));
  return hashed;
}

/** SHA-256 in hexadecimal and CRC-32 of a file on disk. */
export async function digestsOf(file: FileOnDisk): Promise<{ sha256: string; crc32: number }> {
  if (file.size <= SMALL) {
    const data = readSmall(file.location);
    return { sha256: sha256Hex(data), crc32: crc32(data) };
  }
  const digest = createHash('sha256');
  let checksum = 0;
  for await (const chunk of streamOf(file)) {
    digest.update(chunk);
    checksum = crc32(chunk, checksum);
  }
  return { sha256: digest.digest('hex'), crc32: checksum };
}

/** MD5 of a file in hexadecimal: what S3 shows as ETag of an object that came in one piece. */
export async function md5Of(file: FileOnDisk): Promise<string> {
  if (file.size <= SMALL) return hash('md5', readSmall(file.location), 'hex');
  const digest = createHash('md5');
  for await (const chunk of streamOf(file)) digest.update(chunk);
  return digest.digest('hex');
}

function streamOf(file: FileOnDisk): AsyncIterable<Buffer> {
  return createReadStream(file.location, { highWaterMark: SMALL });
}

let scratch: Buffer | undefined;

/** All small files go through one buffer, good until the next call: 1,500 of their own were 20 MB more at the peak. */
function readSmall(location: string): Buffer {
  scratch ??= Buffer.allocUnsafe(SMALL);
  const file = openSync(location, 'r');
  try {
    let length = 0;
    for (let read = -1; read !== 0 && length < SMALL; length += read)
      read = readSync(file, scratch, length, SMALL - length, null);
    return scratch.subarray(0, length);
  } finally {
    closeSync(file);
  }
}
