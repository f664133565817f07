import { createReadStream } from 'node:fs';
import type { PutBody } from '../aws/s3-client.ts';
import { readSmallFile, SMALL_FILE } from './small-file.ts';

/** A file on disk as the body of one PUT. */
export function bodyOfFile(file: {
  readonly location: string;
  readonly size: number;
  readonly sha256: string;
  readonly crc32: number;
}): PutBody {
  const { location, size, sha256, crc32 } = file;
  return {
    open: async () =>
      size <= SMALL_FILE
        ? readSmallFile(location, size)
        : { stream: () => createReadStream(location, { highWaterMark: 256 * 1024 }), length: size },
    sha256,
    crc32,
  };
}
