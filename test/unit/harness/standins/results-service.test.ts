import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import { startResultsService } from '../../../harness/standins/results-service.ts';
import { call, lookUp, save } from './results-service-calls.ts';

describe('the results service fails on demand', () => {
  test('a status, for matching requests, so many times', async () => {
    await using service = await startResultsService();
    service.fail({ status: 503, times: 2, match: /GetCacheEntry/, body: '{"code":"unavailable","msg":"later"}' });
    expect((await call(service, 'CreateCacheEntry', { key: 'k', version: 'v' })).status).toBe(200);
    expect((await lookUp(service, 'k')).status).toBe(503);
    expect((await lookUp(service, 'k')).body.code).toBe('unavailable');
    expect((await lookUp(service, 'k')).status).toBe(200);
  });

  test('slow, full, reset and wrong bytes', async () => {
    await using service = await startResultsService();
    await save(service, 'k', 'abc');
    service.slow(100);
    const start = performance.now();
    const url: string = (await lookUp(service, 'k')).body.signed_download_url;
    expect(performance.now() - start).toBeGreaterThan(90);
    service.slow(0);
    service.full();
    expect(await call(service, 'CreateCacheEntry', { key: 'n', version: 'v' })).toMatchObject({
      status: 429,
      body: { code: 'resource_exhausted' },
    });
    expect((await lookUp(service, 'k')).status).toBe(200);
    service.faults.add({ match: /^GET \/actions-results/, fault: { kind: 'wrong-bytes' } });
    expect(
      Buffer.from(await (await fetch(url)).arrayBuffer())
        .subarray(1)
        .toString(),
    ).toBe('bc');
    service.faults.add({ match: /^GET \/actions-results/, fault: { kind: 'reset', when: 'after' } });
    await expect(fetch(url)).rejects.toThrow();
    expect(await (await fetch(url)).text()).toBe('abc');
  });

  test('stopping leaves no uploaded bytes behind', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'stopped-service-'));
    vi.stubEnv('TMPDIR', folder);
    const service = await startResultsService();
    await save(service, 'k', 'abc');
    expect((await readdir(folder)).length).toBe(1);
    await service.stop();
    expect(await readdir(folder)).toEqual([]);
    vi.unstubAllEnvs();
    await rm(folder, { recursive: true });
  });

  test('version 1 of the service is gone, unknown methods and broken JSON are told apart', async () => {
    await using service = await startResultsService();
    expect((await fetch(`${service.url}/_apis/artifactcache/cache?keys=a`)).status).toBe(422);
    expect((await call(service, 'Nothing', {})).body.code).toBe('bad_route');
    expect((await call(service, 'CreateCacheEntry', [])).body.code).toBe('malformed');
    expect((await call(service, 'CreateCacheEntry', { key: 1, version: 'v' })).body.code).toBe('malformed');
    expect((await call(service, 'CreateCacheEntry', { key: 'k' })).body.code).toBe('invalid_argument');
  });
});
