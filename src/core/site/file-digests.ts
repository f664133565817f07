import { createHash } from 'node:crypto';
import { createReadStream, readFileSync } from 'node:fs';
import { crc32 } from 'node:zlib';
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
  const hash = createHash('sha256');
  let checksum = 0;
  for await (const chunk of chunksOf(file)) {
    hash.update(chunk);
    checksum = crc32(chunk, checksum);
  }
  return { sha256: hash.digest('hex'), crc32: checksum };
}

/** MD5 of a file in hexadecimal: what S3 shows as ETag of an object that came in one piece. */
export async function md5Of(file: FileOnDisk): Promise<string> {
  const hash = createHash('md5');
  for await (const chunk of chunksOf(file)) hash.update(chunk);
  return hash.digest('hex');
}

async function* chunksOf(file: FileOnDisk): AsyncGenerator<Buffer> {
  if (file.size > SMALL) {
    yield* createReadStream(file.location, { highWaterMark: SMALL });
    return;
  }
  yield readFileSync(file.location);
}
