import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type CacheGate, KNOCK, startCacheGate } from '../../../../src/core/buildkit/cache-gate.ts';
import { request } from '../../../../src/core/net/request.ts';
import { createLog } from '../../../../src/core/runner/log.ts';
import type { Fault } from '../../../harness/standins/fault-rules.ts';
import { type ResultsService, startResultsService } from '../../../harness/standins/results-service.ts';

const CALL = 'twirp/github.actions.results.api.v1.CacheService';

let results: ResultsService;
let said: string[];
const log = createLog((line) => said.push(line), { debug: false });
beforeEach(async () => {
  results = await startResultsService();
  said = [];
});
afterEach(() => results[Symbol.asyncDispose]());

const openGate = (guests: 'this-machine' | 'any-machine' = 'this-machine'): Promise<CacheGate> =>
  startCacheGate({ target: results.environment()['ACTIONS_RESULTS_URL'] ?? '', patience: 200, log, guests });

/** One call of the cache service through a gate. */
async function call(gate: CacheGate, method: string, message: object): Promise<{ status: number; answer: Answer }> {
  const { status, body } = await request({
    method: 'POST',
    url: `${gate.urlAt('127.0.0.1')}${CALL}/${method}`,
    headers: {
      authorization: `Bearer ${results.mintRuntimeToken()}`,
      'content-type': 'application/json',
    },
    body: JSON.stringify(message),
    retry: false,
  });
  return { status, answer: JSON.parse(body.toString('utf8')) };
}
interface Answer {
  readonly signed_upload_url?: string;
  readonly signed_download_url?: string;
  readonly code?: string;
}
const version = 'a'.repeat(64);
const entry = { key: 'layers', version };

/** Puts an entry into the service through the gate; the status of each step. */
async function save(gate: CacheGate, key = 'layers'): Promise<readonly number[]> {
  const entry = { key, version };
  const reserved = await call(gate, 'CreateCacheEntry', entry);
  const put = await request({
    method: 'PUT',
    url: reserved.answer.signed_upload_url ?? '',
    headers: { 'x-ms-blob-type': 'BlockBlob' },
    body: 'bytes',
    retry: false,
  });
  const done = await call(gate, 'FinalizeCacheEntryUpload', { ...entry, sizeBytes: '5' });
  return [reserved.status, put.status, done.status];
}

describe('the gate before GitHub’s cache', () => {
  it('lets calls and bytes through, and answers with addresses of its own', async () => {
    const gate = await openGate();
    expect(await save(gate)).toEqual([200, 201, 200]);
    const { answer } = await call(gate, 'GetCacheEntryDownloadURL', { ...entry, restoreKeys: [] });
    expect(answer.signed_download_url).toContain(gate.urlAt('127.0.0.1'));
    const { body } = await request({ url: answer.signed_download_url ?? '', retry: false });
    expect(body.toString()).toBe('bytes');
    expect(gate.shutReason()).toBeUndefined();
    await gate.stop();
  });

  const always = (fault: Fault): void => results.faults.add({ fault, times: Number.POSITIVE_INFINITY });
  it.each([
    ['silent', () => always({ kind: 'stall' }), 1, /nothing/],
    ['full', () => results.full(), 1, /full/],
    ['failing', () => always({ kind: 'status', status: 503 }), 3, /status 503/],
    ['cutting connections', () => always({ kind: 'reset', when: 'before' }), 3, /./],
  ])('is shut after a service that is %s, and refuses without asking it again', async (_, harm, tries, reason) => {
    const gate = await openGate();
    harm();
    await call(gate, 'CreateCacheEntry', entry);
    expect(results.requests).toHaveLength(tries);
    expect(gate.shutReason()).toMatch(reason);
    expect(said).toEqual([expect.stringContaining('left alone')]);
    expect(await call(gate, 'CreateCacheEntry', entry)).toMatchObject({
      status: 403,
      answer: { code: 'permission_denied' },
    });
    expect(results.requests).toHaveLength(tries);
    results.faults.clear();
    await gate.stop();
  });

  it('bears single faults of calls, reads and writes, and answers as if there had been none where it can', async () => {
    const gate = await openGate();
    for (const match of [/CreateCacheEntry/, /Finalize/])
      results.faults.add({ fault: { kind: 'status', status: 500 }, match, times: 2 });
    expect(await save(gate)).toEqual([200, 201, 200]);
    results.faults.add({ fault: { kind: 'status', status: 500 }, match: /^PUT/, times: 2 });
    for (const key of ['one', 'two']) expect((await save(gate, key))[1]).toBe(403);
    expect(await save(gate, 'three')).toEqual([200, 201, 200]);
    expect(gate.shutReason()).toBeUndefined();
    await gate.stop();
  });

  it('for other machines lets in who knows its path, and tells who knocked', async () => {
    const gate = await openGate('any-machine');
    const { origin } = new URL(gate.urlAt('127.0.0.1'));
    for (const path of ['', KNOCK, `${CALL}/CreateCacheEntry`])
      expect((await request({ method: 'POST', url: `${origin}/${path}`, retry: false })).status).toBe(403);
    expect(gate.wasKnockedAt('127.0.0.1')).toBe(false);
    expect((await request({ url: `${gate.urlAt('127.0.0.1')}${KNOCK}`, retry: false })).status).toBe(200);
    expect([gate.wasKnockedAt('127.0.0.1'), gate.wasKnockedAt('10.0.0.1')]).toEqual([true, false]);
    expect(await save(gate)).toEqual([200, 201, 200]);
    expect(results.requests.every(({ path }) => !path.includes(KNOCK))).toBe(true);
    await gate.stop();
  });
});
