import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type FaultProxy, startFaultProxy } from '../harness/standins/fault-proxy.ts';
import type { Fault } from '../harness/standins/fault-rules.ts';
import { baseImage, buildStep, makeWorkspace, nonce, registry, type StepResult } from './build-step.ts';

const MANIFEST = /^PUT .*\/manifests\//;

/** A registry behind a network that goes wrong. */
describe('a build over a bad network', () => {
  let root = '';
  let workspace = '';
  let proxy: FaultProxy;
  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), 'slipway-e2e-'));
    workspace = await makeWorkspace(root, {
      Dockerfile: `FROM base AS failing\nRUN echo "connection reset by peer" && exit 3\nFROM base\nRUN echo ${nonce} > /built\n`,
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
});
