import { createHash } from 'node:crypto';
import { truncate } from 'node:fs/promises';
import path from 'node:path';
import type { Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { createWorkspace } from '../harness/site/workspace.ts';
import { startFaultProxy } from '../harness/standins/fault-proxy.ts';
import { type Answer, listen, type ReceivedRequest } from '../harness/standins/listening-server.ts';
import { startMemoryS3 } from '../harness/standins/memory-s3.ts';
import { createBucket, keysOf, strictServer } from './site-bucket.ts';

const FILES = 20_000;
/** Minutes of hashing: only where it is asked for. */
const isLargeWanted = process.env['SLIPWAY_LARGE'] === '1';
const GIBIBYTE = 1024 ** 3;

describe('a site of 20,000 files', () => {
  it('is deployed with at most one request a file, looked at with two, and changed with few', async () => {
    const server = strictServer();
    const { bucket } = await createBucket(server);
    await using proxy = await startFaultProxy({ upstream: server.endpoint });
    await using site = await createWorkspace({ 'index.html': 'start' });
    for (let file = 1; file < FILES; file += 1)
      await site.write(`assets/${file % 50}/c-a1${String(file).padStart(6, '0')}.js`, String(file));
    const inputs = { bucket, delete: 'true', 'keep-releases': '0' };
    const deploy = async () => {
      const before = proxy.count();
      const outputs = await site.outputs(proxy.url, inputs, keysOf(server));
      return { outputs, requests: proxy.count() - before };
    };

    const cold = await deploy();
    expect(cold.outputs).toMatchObject({ uploaded: FILES });
    // The look, the lease, a probe of conditions, a renewal each ten seconds, and the record.
    expect(cold.requests).toBeLessThanOrEqual(FILES + 30);
    expect(await deploy()).toMatchObject({ outputs: { unchanged: FILES }, requests: 2 });

    await site.write('index.html', 'changed');
    await site.remove('assets/7');
    const changed = await deploy();
    expect(changed.outputs).toMatchObject({ uploaded: 1, deleted: FILES / 50 });
    // Twenty pages of the listing, which deletes need.
    expect(changed.requests).toBeLessThanOrEqual(20 + 10);
  });
});

describe.runIf(isLargeWanted)('one file of 5 GB', () => {
  it('is sent in parts that the server checks, whole', { timeout: 900_000 }, async () => {
    await using memory = await startMemoryS3();
    await using site = await createWorkspace({ 'index.html': 'start' });
    await using server = await startPartSink(memory.endpoint);
    await site.write('video.bin', '');
    await truncate(path.join(site.folder, 'video.bin'), 5 * GIBIBYTE);
    const variables = { AWS_ACCESS_KEY_ID: 'AKIA', AWS_SECRET_ACCESS_KEY: 'secret' };
    const { bytes } = await site.outputs(server.url, {}, variables);
    expect(bytes).toBe(5 * GIBIBYTE + 5);
    expect(server.completed()).toBe(5 * GIBIBYTE);
  });
});

/** Takes the parts of an upload, compares each with its digest and keeps none; all else goes to the server behind. */
async function startPartSink(upstream: string) {
  let received = 0;
  let completed = 0;
  const take = async (message: Readable, digest: string): Promise<Answer> => {
    const hash = createHash('sha256');
    let size = 0;
    for await (const chunk of message) {
      hash.update(chunk);
      size += chunk.length;
    }
    if (hash.digest('hex') !== digest) return { status: 400, body: '<Error><Code>BadDigest</Code></Error>' };
    received += size;
    return { status: 200, headers: { etag: `"${size}"` } };
  };
  const server = await listen(async ({ method, url, headers, message, body }: ReceivedRequest): Promise<Answer> => {
    if (url.searchParams.has('partNumber')) return take(message, String(headers['x-amz-content-sha256']));
    if (url.searchParams.has('uploads')) return { status: 200, body: '<R><UploadId>u1</UploadId></R>' };
    if (url.searchParams.has('uploadId')) {
      completed = received;
      return { status: 200, body: '<R><ETag>"whole-320"</ETag></R>' };
    }
    const sent = await body();
    const answer = await fetch(`${upstream}${url.pathname}${url.search}`, {
      method,
      headers: Object.fromEntries(
        Object.entries(headers)
          .filter(([name]) => !/^(host|connection|content-length)$/.test(name))
          .map(([name, value]) => [name, String(value)]),
      ),
      ...(method === 'GET' ? {} : { body: new Uint8Array(sent) }),
    });
    return {
      status: answer.status,
      headers: { etag: answer.headers.get('etag') ?? '' },
      body: Buffer.from(await answer.arrayBuffer()),
    };
  });
  return { ...server, completed: () => completed };
}
