import { describe, expect, test } from 'vitest';
import { type ResultsService, startResultsService } from '../../../harness/standins/results-service.ts';
import { call, lookUp, put, save } from './results-service-calls.ts';

describe('cache entries', () => {
  test('fields are read in both cases and integers as text, and answered as the service writes them', async () => {
    await using service = await startResultsService();
    const created = await call(service, 'CreateCacheEntry', { key: 'k', version: 'v', metadata: null });
    await put(created.body.signed_upload_url, 'four');
    const finalized = await call(service, 'FinalizeCacheEntryUpload', { key: 'k', version: 'v', sizeBytes: '4' });
    expect(finalized).toEqual({ status: 200, body: { ok: true, entry_id: '1', message: '' } });
    const found = await call(service, 'GetCacheEntryDownloadURL', { key: 'x', restoreKeys: ['k'], version: 'v' });
    expect(found.body).toMatchObject({ ok: true, matched_key: 'k' });
    expect(await (await fetch(found.body.signed_download_url)).text()).toBe('four');
  });

  test('a key is taken from its reservation on, for its scope and version only', async () => {
    await using service = await startResultsService();
    const feature = service.mintRuntimeToken({
      scopes: [
        { scope: 'refs/heads/f', permission: 3 },
        { scope: 'refs/heads/main', permission: 1 },
      ],
    });
    expect((await call(service, 'CreateCacheEntry', { key: 'k', version: 'v' })).status).toBe(200);
    expect(await call(service, 'CreateCacheEntry', { key: 'k', version: 'v' })).toMatchObject({
      status: 409,
      body: { code: 'already_exists' },
    });
    expect((await call(service, 'CreateCacheEntry', { key: 'k', version: 'w' })).body.ok).toBe(true);
    expect((await call(service, 'CreateCacheEntry', { key: 'k', version: 'v' }, feature)).body.ok).toBe(true);
    expect((await lookUp(service, 'k')).body.ok).toBe(false);
  });

  test('a feature branch reads main’s entries, main does not read the feature branch’s', async () => {
    await using service = await startResultsService();
    const feature = service.mintRuntimeToken({
      scopes: [
        { scope: 'refs/heads/f', permission: 3 },
        { scope: 'refs/heads/main', permission: 1 },
      ],
    });
    await save(service, 'from-main', 'm');
    await save(service, 'from-feature', 'f', feature);
    expect((await lookUp(service, 'from-main', feature)).body.ok).toBe(true);
    expect((await lookUp(service, 'from-feature', feature)).body.ok).toBe(true);
    expect((await lookUp(service, 'from-feature')).body.ok).toBe(false);
  });

  test('a job without readable scopes is told so in the words that clients know', async () => {
    await using service = await startResultsService();
    const denied = await lookUp(service, 'k', service.mintRuntimeToken({ scopes: [] }));
    expect(denied).toMatchObject({
      status: 403,
      body: { code: 'permission_denied', msg: expect.stringMatching(/^cache read denied:/) },
    });
    const write = await call(
      service,
      'CreateCacheEntry',
      { key: 'k', version: 'v' },
      service.mintRuntimeToken({ scopes: [] }),
    );
    expect(write).toMatchObject({
      status: 200,
      body: { ok: false, message: expect.stringMatching(/^cache write denied:/) },
    });
  });

  test('an entry of the wrong size, or one that nobody reserved, is not finalized', async () => {
    await using service = await startResultsService();
    const created = await call(service, 'CreateCacheEntry', { key: 'k', version: 'v' });
    await put(created.body.signed_upload_url, 'four');
    expect((await call(service, 'FinalizeCacheEntryUpload', { key: 'k', version: 'v', size_bytes: 5 })).status).toBe(
      400,
    );
    expect((await call(service, 'FinalizeCacheEntryUpload', { key: 'x', version: 'v', size_bytes: 4 })).status).toBe(
      404,
    );
    expect((await lookUp(service, 'k')).body.ok).toBe(false);
  });

  test('over the quota the least recently used entry goes', async () => {
    await using service = await startResultsService({ quota: 25 });
    await save(service, 'a', '0123456789');
    await save(service, 'b', '0123456789');
    await lookUp(service, 'a');
    await save(service, 'c', '0123456789');
    expect(service.cacheEntries().map(({ key }) => key)).toEqual(['a', 'c']);
  });
});

describe('tokens', () => {
  test.each([
    { says: 'none', token: () => '' },
    { says: 'an expired one', token: (service: ResultsService) => service.mintRuntimeToken({ expiresIn: -1 }) },
    { says: 'another service’s', token: (_: ResultsService, other: ResultsService) => other.mintRuntimeToken() },
    { says: 'one with changed claims', token: changedToken },
  ])('$says is refused with 401', async ({ token }) => {
    await using service = await startResultsService();
    await using other = await startResultsService();
    expect(await lookUp(service, 'k', token(service, other))).toMatchObject({
      status: 401,
      body: { code: 'unauthenticated' },
    });
  });

  test('all three parts are base64url and the claims are those that BuildKit and the artifact client parse', async () => {
    await using service = await startResultsService();
    const parts = service.environment({ runId: 'r', jobId: 'j' })['ACTIONS_RUNTIME_TOKEN']?.split('.') ?? [];
    expect(parts.length).toBe(3);
    for (const part of parts) expect(part).toMatch(/^[\w-]+$/);
    const claims = JSON.parse(Buffer.from(parts[1] ?? '', 'base64url').toString());
    expect(JSON.parse(claims.ac)).toEqual([{ Scope: 'refs/heads/main', Permission: 3 }]);
    expect(claims.scp.split(' ')).toContain('Actions.Results:r:j');
    expect(claims).toMatchObject({ exp: expect.any(Number), nbf: expect.any(Number) });
  });
});

function changedToken(service: ResultsService): string {
  const [header, , signature] = service.mintRuntimeToken().split('.');
  const [, claims] = service.mintRuntimeToken({ scopes: [{ scope: 'refs/heads/secret', permission: 3 }] }).split('.');
  return `${header}.${claims}.${signature}`;
}
