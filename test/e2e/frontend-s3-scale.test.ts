import { createHash } from 'node:crypto';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { mkdirSync, writeFileSync } from 'node:fs';
import { truncate } from 'node:fs/promises';
import path from 'node:path';
import type { Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { createWorkspace } from '../harness/site/workspace.ts';
import { type Answer, listen, type ReceivedRequest } from '../harness/standins/listening-server.ts';
import { startMemoryS3 } from '../harness/standins/memory-s3.ts';
import { createBucket, keysOf, strictServer } from './site-bucket.ts';

const FILES = 20_000;
const FOLDERS = 50;
const GIBIBYTE = 1024 ** 3;
/** Bytes of a sparse file; the 5 GiB are hashed four times, for a minute, and so only where they are asked for. */
const LARGE = (process.env['SLIPWAY_LARGE'] === '1' ? 5 : 0.375) * GIBIBYTE;

describe('a site of 20,000 files', () => {
  it('is deployed with at most one request a file, looked at with two, and changed with few', async () => {
    const server = strictServer();
    const { bucket } = await createBucket(server);
    await using site = await createWorkspace({ 'index.html': 'start' });
    for (let folder = 0; folder < FOLDERS; folder += 1) {
      mkdirSync(path.join(site.folder, `assets/${folder}`), { recursive: true });
      for (let file = 0; file < FILES / FOLDERS; file += 1) {
        const name = `assets/${folder}/c-a1${String(file).padStart(6, '0')}.js`;
        writeFileSync(path.join(site.folder, name), `${folder} ${file}`);
      }
    }
    const inputs = { bucket, delete: 'true', 'keep-releases': '0' };
    const deploy = async () => {
      using counter = countRequests();
      const outputs = await site.outputs(server.endpoint, inputs, keysOf(server));
      return { outputs, requests: counter.requests() };
    };

    const cold = await deploy();
    expect(cold.outputs).toMatchObject({ uploaded: FILES + 1 });
    // The look, the lease, a probe of conditions, a renewal each ten seconds, and the record.
    expect(cold.requests).toBeLessThanOrEqual(FILES + 1 + 30);
    expect(await deploy()).toMatchObject({ outputs: { unchanged: FILES + 1 }, requests: 2 });

    await site.write('index.html', 'changed');
    await site.remove('assets/7');
    const changed = await deploy();
    expect(changed.outputs).toMatchObject({ uploaded: 1, deleted: FILES / FOLDERS });
    // Twenty-one pages of the listing, which deletes need.
    expect(changed.requests).toBeLessThanOrEqual(21 + 10);
  });
});

/** Counts the requests that this process sends: a proxy in between would cost more than the deploy. */
function countRequests() {
  let requests = 0;
  const count = (): void => {
    requests += 1;
  };
  subscribe('http.client.request.start', count);
  return {
    requests: () => requests,
    [Symbol.dispose]: () => void unsubscribe('http.client.request.start', count),
  };
}

describe(`one file of ${LARGE / GIBIBYTE} GiB`, () => {
  it('is sent in parts that the server checks, whole', { timeout: 900_000 }, async () => {
    await using memory = await startMemoryS3();
    await using site = await createWorkspace({ 'index.html': 'start' });
    await using server = await startPartSink(memory.endpoint);
    await site.write('video.bin', '');
    await truncate(path.join(site.folder, 'video.bin'), LARGE);
    const variables = { AWS_ACCESS_KEY_ID: 'AKIA', AWS_SECRET_ACCESS_KEY: 'secret' };
    const { bytes } = await site.outputs(server.url, {}, variables);
    expect(bytes).toBe(LARGE + 'start'.length);
    expect(server.completed()).toBe(LARGE);
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
