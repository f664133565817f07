import http from 'node:http';
import { describe, expect, it } from 'vitest';
import { createAdaptiveConcurrency } from '../../../../src/core/aws/adaptive-concurrency.ts';
import { readListPage } from '../../../../src/core/aws/s3-answers.ts';
import { bodyOf, createS3Client } from '../../../../src/core/aws/s3-client.ts';
import { planParts } from '../../../../src/core/aws/s3-multipart.ts';
import { explainS3Refusal } from '../../../../src/core/aws/s3-refusal.ts';

interface Scripted {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** Answers requests one after the other as the script says, and the last entry for all that follow. */
async function startScript(...script: readonly Scripted[]) {
  const requests: http.IncomingMessage[] = [];
  const server = http.createServer(async (incoming, outgoing) => {
    requests.push(incoming);
    const entry = script[Math.min(requests.length, script.length) - 1] ?? { status: 500 };
    for await (const _ of incoming);
    outgoing.writeHead(entry.status, entry.headers).end(entry.body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const endpoint = `http://127.0.0.1:${address === null || typeof address === 'string' ? 0 : address.port}`;
  const location = { bucket: 'site', region: 'eu-central-1', endpoint, bucketPath: '/site', isAmazon: false };
  const concurrency = createAdaptiveConcurrency({ initial: 8, max: 8 });
  const credentials = async () => ({ accessKeyId: 'AKIA', secretAccessKey: 's' });
  return {
    requests,
    location,
    concurrency,
    client: createS3Client({ location, credentials, concurrency }),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

const error = (code: string) => `<?xml version="1.0"?>\n<Error><Code>${code}</Code><Message>why</Message></Error>`;

describe('the S3 client', () => {
  it('lowers the concurrency when the server asks to slow down, and sends again', async () => {
    await using site = await startScript(
      { status: 503, body: error('SlowDown') },
      { status: 200, headers: { etag: '"e"' } },
    );
    await expect(site.client.put('a', bodyOf(Buffer.from('x')), {})).resolves.toEqual({ etag: '"e"', isRetried: true });
    expect(site.concurrency.limit()).toBe(4);
  });

  it.each([
    ['bytes that arrived broken', { status: 400, body: error('BadDigest') }],
    ['a body that came too slowly', { status: 400, body: error('RequestTimeout') }],
    ['an error inside an answer of 200', { status: 200, body: error('InternalError') }],
  ])('sends again after %s', async (_, first) => {
    await using site = await startScript(first, { status: 200, headers: { etag: '"e"' } });
    await site.client.put('a', bodyOf(Buffer.from('x')), {});
    expect(site.requests).toHaveLength(2);
  });

  it.each(['AccessDenied', 'InvalidAccessKeyId', 'SignatureDoesNotMatch'])('takes %s as final', async (code) => {
    await using site = await startScript({ status: 403, body: error(code) });
    await expect(site.client.put('a', bodyOf(Buffer.from('x')), {})).rejects.toMatchObject({ code, status: 403 });
    expect(site.requests).toHaveLength(1);
  });

  it('tells the checksum and length of what it sends', async () => {
    await using site = await startScript({ status: 200, headers: { etag: '"e"' } });
    await site.client.put(
      'a b/ü+.js',
      bodyOf(Buffer.from('hello')),
      { 'content-type': 'text/javascript' },
      { ifNoneMatch: '*' },
    );
    expect(site.requests[0]?.url).toBe('/site/a%20b/%C3%BC%2B.js');
    expect(site.requests[0]?.headers).toMatchObject({
      'content-length': '5',
      'if-none-match': '*',
      'x-amz-checksum-crc32': 'NhCmhg==',
      'x-amz-content-sha256': '2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824',
    });
  });

  it('finds no object where there is none', async () => {
    await using site = await startScript({ status: 404, body: error('NoSuchKey') });
    expect(await site.client.get('a', { maxBytes: 1000 })).toBeUndefined();
  });

  it('asks only once for an object that is larger than allowed', async () => {
    await using site = await startScript({ status: 200, headers: { etag: '"e"' }, body: 'x'.repeat(1001) });
    await expect(site.client.get('a', { maxBytes: 1000 })).rejects.toThrow('longer than 1000 bytes');
    expect(site.requests).toHaveLength(1);
  });

  it('does not send a key that a URL would turn into another', async () => {
    await using site = await startScript({ status: 204 });
    await expect(async () => site.client.delete('site/../other')).rejects.toThrow('no URL reaches the key');
    expect(site.requests).toEqual([]);
  });

  it.each([
    [{ status: 404, body: error('NoSuchBucket') }, 'input "bucket": there is no bucket site'],
    [
      { status: 301, headers: { 'x-amz-bucket-region': 'eu-west-1' }, body: error('PermanentRedirect') },
      'is in eu-west-1, not in eu-central-1',
    ],
    [{ status: 403, body: error('AccessDenied') }, 'allow s3:PutObject on arn:aws:s3:::site/*'],
    [{ status: 403, body: error('RequestTimeTooSkewed') }, 'the clock of this runner'],
    [{ status: 400, body: error('ExpiredToken') }, 'give "role-to-assume", which renews them'],
  ])('says how to mend %o', async (answer, message) => {
    await using site = await startScript(answer);
    const refusal = await site.client.put('a', bodyOf(Buffer.from('x')), {}).catch((reason: unknown) => reason);
    expect(String(explainS3Refusal(refusal, site.location, 's3:PutObject'))).toContain(message);
  });
});

describe('readListPage', () => {
  const page = (entries: string, more = '<IsTruncated>false</IsTruncated>') =>
    `<ListBucketResult><EncodingType>url</EncodingType>${more}${entries}</ListBucketResult>`;

  it('decodes keys as S3 encodes them', () => {
    const entry = '<Contents><Key>a+b%2Bc/%C3%BC.js</Key><Size>5</Size><ETag>&quot;e&quot;</ETag></Contents>';
    expect(readListPage(page(entry))).toEqual({
      objects: [{ key: 'a b+c/ü.js', size: 5, etag: '"e"' }],
      continuation: undefined,
    });
  });

  it.each([
    ['a page that goes on without a token', page('', '<IsTruncated>true</IsTruncated>')],
    ['an entry without a size', page('<Contents><Key>a</Key></Contents>')],
    ['a key that is not encoded', page('<Contents><Key>%zz</Key><Size>1</Size></Contents>')],
    ['another answer', '<html></html>'],
  ])('refuses %s', (_, source) => {
    expect(() => readListPage(source)).toThrow();
  });
});

describe('planParts', () => {
  const MiB = 1024 * 1024;
  it.each([
    [100 * MiB, 7, 16 * MiB],
    [64 * MiB, 4, 16 * MiB],
    [1024 * 1024 * MiB, 9_987, 105 * MiB],
  ])('cuts %d bytes into %d parts of %d', (size, count, length) => {
    const parts = planParts(size);
    expect([parts.length, parts[0]?.length]).toEqual([count, length]);
    expect(parts.reduce((sum, part) => sum + part.length, 0)).toBe(size);
  });
});

describe('createAdaptiveConcurrency', () => {
  it('never runs more than the limit, halves it once a second, and finds its way up', async () => {
    let now = 0;
    const concurrency = createAdaptiveConcurrency({ initial: 8, max: 8 }, () => now);
    let running = 0;
    let most = 0;
    const task = async () => {
      running += 1;
      most = Math.max(most, running);
      await new Promise((resolve) => setTimeout(resolve, 1));
      running -= 1;
    };
    await Promise.all(Array.from({ length: 40 }, () => concurrency.run(task)));
    expect(most).toBe(8);
    concurrency.slowDown();
    concurrency.slowDown();
    expect(concurrency.limit()).toBe(4);
    now = 1000;
    concurrency.slowDown();
    expect(concurrency.limit()).toBe(2);
    await Promise.all(Array.from({ length: 40 }, () => concurrency.run(task)));
    expect(concurrency.limit()).toBe(8);
  });

  it('frees the place of a task that failed', async () => {
    const concurrency = createAdaptiveConcurrency({ initial: 1, max: 1 });
    await expect(concurrency.run(async () => Promise.reject(new Error('no')))).rejects.toThrow('no');
    await expect(concurrency.run(async () => 'yes')).resolves.toBe('yes');
  });
});
