import { describe, expect, test } from 'vitest';
import { type ResultsServiceOptions, startResultsService } from '../../../harness/standins/results-service.ts';
import { call, lookUp, put, save } from './results-service-calls.ts';

describe('the blob store', () => {
  async function upload(options: ResultsServiceOptions = {}) {
    const service = await startResultsService(options);
    const created = await call(service, 'CreateCacheEntry', { key: 'k', version: 'v' });
    const url: string = created.body.signed_upload_url;
    return { service, url, [Symbol.asyncDispose]: () => service.stop() };
  }

  test('takes blocks in any order and puts them together in the order of the list', async () => {
    await using blob = await upload();
    for (const [id, content] of [
      ['MDI=', 'world'],
      ['MDE=', 'hello '],
      ['MDM=', 'unused'],
    ]) {
      expect((await put(`${blob.url}&comp=block&blockid=${encodeURIComponent(id ?? '')}`, content ?? '')).status).toBe(
        201,
      );
    }
    const missing = '<BlockList><Latest>MDk=</Latest></BlockList>';
    expect((await put(`${blob.url}&comp=blocklist`, missing)).headers.get('x-ms-error-code')).toBe('InvalidBlockList');
    const list = '<?xml version="1.0"?><BlockList><Latest>MDE=</Latest><Latest>MDI=</Latest></BlockList>';
    expect((await put(`${blob.url}&comp=blocklist`, list)).status).toBe(201);
    await call(blob.service, 'FinalizeCacheEntryUpload', { key: 'k', version: 'v', size_bytes: 11 });
    const found = await lookUp(blob.service, 'k');
    expect(await (await fetch(found.body.signed_download_url)).text()).toBe('hello world');
  });

  test.each([
    { headers: { range: 'bytes=2-4' }, status: 206, text: 'cde', range: 'bytes 2-4/10' },
    { headers: { 'x-ms-range': 'bytes=7-' }, status: 206, text: 'hij', range: 'bytes 7-9/10' },
    { headers: { range: 'bytes=0-99' }, status: 206, text: 'abcdefghij', range: 'bytes 0-9/10' },
    { headers: {}, status: 200, text: 'abcdefghij', range: null },
  ])('honours the range of $headers', async ({ headers, status, text, range }) => {
    await using service = await startResultsService();
    await save(service, 'k', 'abcdefghij');
    const answer = await fetch((await lookUp(service, 'k')).body.signed_download_url, { headers: { ...headers } });
    expect([answer.status, await answer.text(), answer.headers.get('content-range')]).toEqual([status, text, range]);
  });

  test('refuses a range behind the end and a changed etag', async () => {
    await using service = await startResultsService();
    await save(service, 'k', 'abc');
    const url: string = (await lookUp(service, 'k')).body.signed_download_url;
    expect((await fetch(url, { headers: { range: 'bytes=3-' } })).status).toBe(416);
    expect((await fetch(url, { headers: { 'if-match': '"0x1"' } })).status).toBe(412);
  });

  test('every answer, refusals too, has the headers without which BuildKit crashes', async () => {
    await using blob = await upload();
    await save(blob.service, 'saved', 'abc');
    const url: string = (await lookUp(blob.service, 'saved')).body.signed_download_url;
    const answers = [
      await put(blob.url, 'x'),
      await fetch(url),
      await fetch(url, { method: 'HEAD' }),
      await put(url, 'x'),
      await fetch(`${url}x`),
    ];
    expect(answers.map(({ status }) => status)).toEqual([201, 200, 200, 403, 403]);
    for (const { headers } of answers) {
      for (const name of ['x-ms-request-id', 'etag', 'last-modified', 'x-ms-version'])
        expect(headers.get(name)).toBeTruthy();
    }
    expect(answers[2]?.headers.get('content-length')).toBe('3');
  });

  test('an upload URL does not read, a download URL does not write, and no URL works for another blob or without signature', async () => {
    await using blob = await upload();
    expect((await fetch(blob.url)).headers.get('x-ms-error-code')).toBe('AuthorizationPermissionMismatch');
    expect((await put(blob.url.replace('caches/1', 'caches/2'), 'x')).headers.get('x-ms-error-code')).toBe(
      'AuthenticationFailed',
    );
    expect((await put(blob.url.replace(/sig=[^&]+/, ''), 'x')).status).toBe(403);
    expect((await put(blob.url.replace(/se=\d+/, 'se=2999'), 'x')).status).toBe(403);
  });

  test('URLs expire', async () => {
    await using blob = await upload({ urlLifetime: -1 });
    expect((await put(blob.url, 'x')).headers.get('x-ms-error-code')).toBe('AuthenticationFailed');
  });

  test('an upload over the size limit is answered 413, whole or as blocks', async () => {
    await using blob = await upload({ maxBlobBytes: 8 });
    expect((await put(blob.url, '123456789')).status).toBe(413);
    await put(`${blob.url}&comp=block&blockid=MDE=`, '12345');
    const list = '<BlockList><Latest>MDE=</Latest><Latest>MDE=</Latest></BlockList>';
    expect((await put(`${blob.url}&comp=blocklist`, list)).status).toBe(413);
  });

  test('a body that does not fit its MD5, and a put without a blob type, are refused', async () => {
    await using blob = await upload();
    expect(
      (await put(blob.url, 'x', { 'content-md5': 'AAAAAAAAAAAAAAAAAAAAAA==' })).headers.get('x-ms-error-code'),
    ).toBe('Md5Mismatch');
    expect((await fetch(blob.url, { method: 'PUT', body: 'x' })).status).toBe(400);
  });
});
