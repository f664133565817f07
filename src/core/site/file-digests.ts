import { createHash, hash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import { crc32 } from 'node:zlib';
import { sha256Hex } from '../aws/signature.ts';
import type { HashedFile, SourceFile } from './site-file.ts';
import { lookInto, SMALL_FILE } from './small-file.ts';

const READERS = 8;
/** Milliseconds of hashing after which requests that are under way get their turn. */
const TURN = 4;

interface FileOnDisk {
  readonly location: string;
  readonly size: number;
}

/** Digests of every file, in the files' order. A file that changes while it is read is found by S3, which is told its hash. */
export async function hashFiles(files: readonly SourceFile[]): Promise<readonly HashedFile[]> {
  const hashed: HashedFile[] = [];
  const queue = files.entries();
  let turn = performance.now();
  const reader = async (): Promise<void> => {
    for (const [index, file] of queue) {
      if (performance.now() - turn > TURN) {
        await setImmediate();
        turn = performance.now();
      }
      hashed[index] = { ...file, ...(await digestsOf(file)) };
    }
  };
  await Promise.all(Array.from({ length: READERS }, reader));
  return hashed;
}

/** SHA-256 in hexadecimal and CRC-32 of a file on disk. */
export async function digestsOf(file: FileOnDisk): Promise<{ sha256: string; crc32: number }> {
  if (file.size <= SMALL_FILE) {
    const data = lookInto(file.location);
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
  if (file.size <= SMALL_FILE) return hash('md5', lookInto(file.location), 'hex');
  const digest = createHash('md5');
  for await (const chunk of streamOf(file)) digest.update(chunk);
  return digest.digest('hex');
}

function streamOf(file: FileOnDisk): AsyncIterable<Buffer> {
  return createReadStream(file.location, { highWaterMark: SMALL_FILE });
}
