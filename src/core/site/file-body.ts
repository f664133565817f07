import { createReadStream, readFileSync } from 'node:fs';
import type { PutBody } from '../aws/s3-client.ts';

/**
 * Files up to this are read whole, so that they go out in one packet with their headers, and at once: four trips through
 * Node's thread pool for each file, while its place among the requests is taken, cost more than they free.
 */
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
        ? readFileSync(location)
        : { stream: () => createReadStream(location, { highWaterMark: 256 * 1024 }), length: size },
    sha256,
    crc32,
  };
}
