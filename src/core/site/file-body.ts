import { createReadStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import type { PutBody } from '../aws/s3-client.ts';

/** Files up to this are read whole, so that they go out in one packet with their headers. */
const WHOLE = 1024 * 1024;

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
      size <= WHOLE
        ? readFile(location)
        : { stream: () => createReadStream(location, { highWaterMark: 256 * 1024 }), length: size },
    sha256,
    crc32,
  };
}
