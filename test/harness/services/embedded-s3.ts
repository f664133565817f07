import { mkdir } from 'node:fs/promises';
import { startFauxqs } from 'fauxqs';

export interface EmbeddedS3Options {
  /** Objects are kept here as files. */
  readonly folder: string;
  /** Names of three characters and more, as AWS has them. */
  readonly buckets: readonly string[];
}

export interface EmbeddedS3 extends AsyncDisposable {
  readonly endpoint: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  stop(): Promise<void>;
}

/**
 * An S3 server inside this process, for a look on any machine in a moment: path-style URLs, headers and metadata,
 * listings, copies, deletions, anonymous reading. It checks neither signatures nor checksums and ignores conditional
 * writes, and it sorts keys by locale, so a listing over several pages can lose keys: `startCeph` is the strict server.
 */
export async function startEmbeddedS3({ folder, buckets }: EmbeddedS3Options): Promise<EmbeddedS3> {
  await mkdir(folder, { recursive: true });
  const server = await startFauxqs({ port: 0, host: '127.0.0.1', logger: false, s3StorageDir: folder });
  const stop = async (): Promise<void> => await server.stop();
  for (const bucket of buckets) server.createBucket(bucket);
  return {
    endpoint: `http://127.0.0.1:${server.port}`,
    accessKeyId: 'AKIAEMBEDDED',
    secretAccessKey: 'any-secret-will-do',
    stop,
    [Symbol.asyncDispose]: stop,
  };
}
