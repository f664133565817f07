import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type FaultProxy, startFaultProxy } from '../harness/standins/fault-proxy.ts';
import type { Fault } from '../harness/standins/fault-rules.ts';
import {
  baseImage,
  buildStep,
  forgetBuilds,
  forgetLayers,
  makeWorkspace,
  nonce,
  registry,
  type StepResult,
} from './build-step.ts';

const MANIFEST = /^PUT .*\/manifests\//;

/** A registry behind a network that goes wrong. */
describe('a build over a bad network', () => {
  let root = '';
  let workspace = '';
  let proxy: FaultProxy;
  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), 'slipway-e2e-'));
    workspace = await makeWorkspace(root, {
      Dockerfile: `FROM base AS failing\nRUN echo "connection reset by peer" && exit 3\nFROM base AS salted\nARG SALT\nRUN echo ${nonce} $SALT > /salted\nFROM base\nRUN echo ${nonce} > /built\n`,
    });
  });
  afterAll(() => rm(root, { recursive: true }));
  beforeEach(async () => {
    proxy = await startFaultProxy({ upstream: `http://${registry}` });
  });
  afterEach(() => proxy.stop());

  const far = (): string => new URL(proxy.url).host;
  const build = (inputs: Readonly<Record<string, string>>): Promise<StepResult> =>
    buildStep({ root, workspace, inputs: { context: '.', cache: 'off', ...inputs } });

  it.each<[string, Fault]>([
    ['is cut', { kind: 'reset', when: 'before' }],
    ['is answered with 502', { kind: 'status', status: 502 }],
  ])('pulls again when a pull %s', async (_, fault) => {
    proxy.faults.add({ fault, match: /\/manifests\// });
    const image = baseImage.replace(registry, far());
    const { failure, log } = await build({ 'build-contexts': `base=docker-image://${image}` });
    expect(failure, log).toBeUndefined();
    expect(log).toMatch(/the network failed the build \(.+\); trying again in \d+ s/);
  });

  it('pushes again when a push is cut', async () => {
    proxy.faults.add({ fault: { kind: 'status', status: 503 }, times: 2, match: MANIFEST });
    const repository = `${far()}/faults/${nonce}`;
    const { failure, log, outputs } = await build({
      'build-contexts': `base=docker-image://${baseImage}`,
      push: 'by-digest',
      repository,
    });
    expect(failure, log).toBeUndefined();
    // Two were refused, and the registry got all the same: the image, its attestation and the index of both.
    expect([proxy.count(MANIFEST), proxy.upstreamCount(MANIFEST)]).toEqual([5, 3]);
    expect(outputs['refs']).toBe(`${repository}@${String(outputs['digest'])}`);
  });

  it('does not run an instruction again that failed, whatever it says', async () => {
    const { failure, log } = await build({
      'build-contexts': `base=docker-image://${baseImage}`,
      target: 'failing',
    });
    expect(failure).toMatch(/^the build failed: failing 1\/2/);
    expect(log).not.toContain('trying again');
  });

  describe('to the registry that holds its cache', () => {
    const cached = (salt: string, repository: string): Promise<StepResult> =>
      build({
        'build-contexts': `base=docker-image://${baseImage}`,
        target: 'salted',
        'build-args': `SALT=${salt}`,
        cache: 'registry',
        'cache-timeout': '2s',
        repository,
        'forbid-paths': '**/nothing',
      });
    const CACHE = /\/(?:manifests\/buildcache-|blobs\/)/;
    const WITHOUT = /went on without it|done again without it/;
    it.each<[string, Fault, RegExp, RegExp]>([
      ['silent', { kind: 'stall' }, /./, /does not answer, and the build is done without it/],
      ['silent to writes', { kind: 'stall' }, /^(?:POST|PUT|PATCH) /, WITHOUT],
      ['answering 500', { kind: 'status', status: 500 }, CACHE, WITHOUT],
      ['refusing', { kind: 'status', status: 403 }, CACHE, WITHOUT],
      ['cutting connections', { kind: 'reset', when: 'before' }, CACHE, WITHOUT],
      ['giving wrong bytes', { kind: 'wrong-bytes' }, CACHE, /./],
      ['giving wrong layers', { kind: 'wrong-bytes' }, /^GET .*\/blobs\//, /./],
    ])('is done all the same when it is %s', async (_, fault, match, said) => {
      const repository = `${far()}/cache/${nonce}`;
      const salt = randomUUID();
      const times = Number.POSITIVE_INFINITY;
      proxy.faults.add({ fault, match, times });
      const written = await cached(salt, repository);
      expect(written.failure).toBeUndefined();
      expect(written.log).toMatch(said);
      proxy.faults.clear();
      const well = await cached(salt, repository);
      expect(well.failure).toBeUndefined();
      await forgetBuilds();
      await forgetLayers(well.outputs['layers']);
      proxy.faults.add({ fault, match, times });
      const again = await cached(salt, repository);
      proxy.faults.clear();
      expect(again.failure).toBeUndefined();
      if (!match.test('POST /')) expect(again.log).toMatch(WITHOUT);
    });
  });
});
