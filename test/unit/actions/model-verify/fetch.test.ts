import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { startFaultProxy } from '../../../harness/standins/fault-proxy.ts';
import type { Fault } from '../../../harness/standins/fault-rules.ts';
import { startResultsService } from '../../../harness/standins/results-service.ts';
import { safetensors } from '../../core/models/generators/tensors.ts';
import { createWorkspace } from './verify-step.ts';

const SIZE = 400_000;
const MODEL = safetensors({ w: { dtype: 'U8', shape: [SIZE], data_offsets: [0, SIZE] } }, SIZE);
const HEX = createHash('sha256').update(MODEL).digest('hex');

afterEach(() => vi.unstubAllEnvs());

/** A server that knows ranges and validators, behind a proxy that breaks what its rules say. */
async function startModelServer() {
  const server = createServer((request, response) => {
    const headers = { etag: `"${HEX}"`, 'accept-ranges': 'bytes' };
    const [, start] = /^bytes=(\d+)-/.exec(request.headers.range ?? '') ?? [];
    const from = start !== undefined && request.headers['if-range'] === `"${HEX}"` ? Number(start) : 0;
    const range = { 'content-range': `bytes ${from}-${MODEL.length - 1}/${MODEL.length}` };
    response.writeHead(from > 0 ? 206 : 200, {
      ...headers,
      ...(from > 0 ? range : {}),
      'content-length': MODEL.length - from,
    });
    response.end(MODEL.subarray(from));
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as AddressInfo;
  const proxy = await startFaultProxy({ upstream: `http://127.0.0.1:${port}` });
  return {
    proxy,
    manifest: `models:\n  - path: m/best.safetensors\n    sha256: ${HEX}\n    size: ${MODEL.length}\n    url: ${proxy.url}/best.safetensors?token=geheim\n`,
    async [Symbol.asyncDispose]() {
      await proxy[Symbol.asyncDispose]();
      server.closeAllConnections();
      server.close();
    },
  };
}

describe('a model that a manifest gives an address for', () => {
  test.each<readonly [string, readonly Fault[], number]>([
    ['comes at once', [], 1],
    ['comes after an error of the server', [{ kind: 'status', status: 503, headers: { 'retry-after': '0' } }], 2],
    ['comes after a connection that is reset', [{ kind: 'reset', when: 'before' }], 2],
    [
      'comes in three parts',
      [
        { kind: 'cut', bytes: 150_000 },
        { kind: 'cut', bytes: 100_000 },
      ],
      3,
    ],
  ])('%s', { timeout: 30_000 }, async (_, faults, requests) => {
    await using server = await startModelServer();
    for (const fault of faults) server.proxy.faults.add({ fault });
    using step = createWorkspace({ 'models.yml': server.manifest });
    const { failure, outputs, lines } = await step.verify({ manifest: 'models.yml', require: 'checksum' });
    expect(failure).toBeUndefined();
    expect(outputs).toMatchObject({ verified: 1, sha256: HEX, cacheHit: false });
    expect(server.proxy.count()).toBe(requests);
    expect(readdirSync(join(step.workspace, 'm'))).toEqual(['best.safetensors']);
    expect(lines.join('\n')).not.toContain('geheim');
  });

  test('that is another one on the way leaves what was there, and fails', { timeout: 30_000 }, async () => {
    await using server = await startModelServer();
    server.proxy.faults.add({ fault: { kind: 'wrong-bytes' }, times: Number.POSITIVE_INFINITY });
    using step = createWorkspace({ 'models.yml': server.manifest, 'm/best.safetensors': 'old' });
    const given = { manifest: 'models.yml', fetch: 'always' };
    await expect(step.verify(given)).rejects.toThrow(/has the sha256 [0-9a-f]{64}, but/);
    expect(readFileSync(join(step.workspace, 'm/best.safetensors'), 'utf8')).toBe('old');
    expect(readdirSync(join(step.workspace, 'm'))).toEqual(['best.safetensors']);
  });

  test('is larger than "max-size" allows: the download stops there', async () => {
    await using server = await startModelServer();
    using step = createWorkspace({ 'models.yml': server.manifest });
    await expect(step.verify({ manifest: 'models.yml', 'max-size': '100KB' })).rejects.toThrow('sends more than');
    expect(existsSync(join(step.workspace, 'm/best.safetensors'))).toBe(false);
  });

  test('comes out of the cache the second time, and is verified again', { timeout: 30_000 }, async () => {
    await using server = await startModelServer();
    await using service = await startResultsService();
    using first = createWorkspace({ 'models.yml': server.manifest });
    const environment = { ...service.environment(), GITHUB_SERVER_URL: '', RUNNER_TEMP: first.temp };
    for (const [name, value] of Object.entries(environment)) vi.stubEnv(name, value);
    vi.stubEnv('GITHUB_WORKSPACE', first.workspace);
    expect((await first.verify({ manifest: 'models.yml' })).outputs.cacheHit).toBe(false);
    expect((await first.verify({ manifest: 'models.yml', fetch: 'always' })).outputs.cacheHit).toBe(true);
    expect((await first.verify({ manifest: 'models.yml' })).outputs.cacheHit).toBeUndefined();
    expect(server.proxy.count()).toBe(1);
  });
});
