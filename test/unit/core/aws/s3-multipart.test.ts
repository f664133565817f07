import { mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { crc32 } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createAdaptiveConcurrency } from '../../../../src/core/aws/adaptive-concurrency.ts';
import { encodeCrc32 } from '../../../../src/core/aws/checksum-headers.ts';
import { createS3Client } from '../../../../src/core/aws/s3-client.ts';
import { createPartPlaces, putInParts } from '../../../../src/core/aws/s3-multipart.ts';
import { type Answer, listen, type ReceivedRequest } from '../../../harness/standins/listening-server.ts';

const MEBIBYTE = 1024 * 1024;
const SIZE = 40 * MEBIBYTE;
const file = { path: '', size: SIZE, crc32: crc32(Buffer.alloc(SIZE)) };
let folder = '';

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'slipway-parts-'));
  const sparse = await open(join(folder, 'video.bin'), 'w');
  await sparse.truncate(SIZE);
  await sparse.close();
});
afterEach(() => rm(folder, { recursive: true }));

/** Takes uploads in parts; `refuse` answers in its place. */
async function startServer(refuse: (request: ReceivedRequest) => Answer | undefined = () => undefined) {
  let running = 0;
  let most = 0;
  const server = await listen(async (request): Promise<Answer> => {
    const refusal = refuse(request);
    if (refusal !== undefined) return refusal;
    if (!request.url.searchParams.has('partNumber')) {
      return { status: 200, body: '<R><UploadId>u1</UploadId><ETag>"whole-3"</ETag></R>' };
    }
    running += 1;
    most = Math.max(most, running);
    await request.body();
    await sleep(20);
    running -= 1;
    return { status: 200, headers: { etag: '"part"' } };
  });
  const client = createS3Client({
    location: { bucket: 'b', region: 'us-east-1', endpoint: server.url, bucketPath: '/b', isAmazon: false },
    credentials: async () => ({ accessKeyId: 'AKIA', secretAccessKey: 'secret' }),
    concurrency: createAdaptiveConcurrency({ initial: 16, max: 16 }),
  });
  return {
    asked: () => server.requests.map(({ method, path }) => `${method} ${path.replace(/^\/b\//, '')}`),
    most: () => most,
    send: (key: string, places = createPartPlaces(), crc = file.crc32) =>
      putInParts(client, key, { ...file, path: join(folder, 'video.bin'), crc32: crc }, {}, places),
    [Symbol.asyncDispose]: () => server.stop(),
  };
}

describe('putInParts', () => {
  it('has no more parts in memory for several files than for one', async () => {
    await using server = await startServer();
    const places = createPartPlaces();
    const sent = await Promise.all(['a', 'b', 'c'].map((key) => server.send(key, places)));
    expect(sent.map(({ etag }) => etag)).toEqual(Array(3).fill('"whole-3"'));
    expect(server.asked().filter((request) => request.includes('partNumber'))).toHaveLength(9);
    expect(server.most()).toBeLessThanOrEqual(4);
  });

  it('tells the checksum of each part and of the whole, which must agree', async () => {
    const seen: (readonly [string, string | undefined])[] = [];
    await using server = await startServer(({ url, headers }) => {
      seen.push([url.search, headers['x-amz-checksum-crc32']?.toString()]);
      return undefined;
    });
    await server.send('a');
    const part = encodeCrc32(crc32(Buffer.alloc(16 * MEBIBYTE)));
    expect(seen.slice(1).sort()).toEqual([
      ['?partNumber=1&uploadId=u1', part],
      ['?partNumber=2&uploadId=u1', part],
      ['?partNumber=3&uploadId=u1', encodeCrc32(crc32(Buffer.alloc(8 * MEBIBYTE)))],
      ['?uploadId=u1', encodeCrc32(file.crc32)],
    ]);
  });

  it('goes without where the server does not know checksums of uploads', async () => {
    const checksums: unknown[] = [];
    await using server = await startServer(({ headers }) => {
      checksums.push(headers['x-amz-checksum-crc32']);
      const isUnknown = headers['x-amz-checksum-algorithm'] !== undefined;
      return isUnknown ? { status: 501, body: '<Error><Code>NotImplemented</Code></Error>' } : undefined;
    });
    await server.send('a');
    expect(checksums).toEqual(Array(6).fill(undefined));
  });

  it.each([
    ['a part is refused', 403, 'AccessDenied', file.crc32],
    ['the file changed since it was hashed', undefined, 'changed while it was sent', 1],
  ] as const)('removes the parts when %s', async (_, status, message, crc) => {
    await using server = await startServer(({ url }) =>
      status !== undefined && url.searchParams.get('partNumber') === '2'
        ? { status, body: `<Error><Code>${message}</Code></Error>` }
        : undefined,
    );
    await expect(server.send('a', createPartPlaces(), crc)).rejects.toThrow(message);
    expect(server.asked().at(-1)).toBe('DELETE a?uploadId=u1');
    expect(server.asked()).not.toContain('POST a?uploadId=u1');
  });
});
