import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Fault } from '../harness/standins/fault-rules.ts';
import { type ResultsService, startResultsService } from '../harness/standins/results-service.ts';
import {
  baseImage,
  buildStep,
  forgetBuilds,
  forgetLayers,
  makeWorkspace,
  nonce,
  type StepResult,
} from './build-step.ts';
import { startDaemonAddress } from './daemon-address.ts';

const dockerfile = `FROM ${baseImage} AS deps
ARG SALT
RUN echo "deps ${nonce} $SALT" && dd if=/dev/urandom of=/deps bs=1024 count=300 2>/dev/null
FROM ${baseImage} AS runtime
COPY --from=deps /deps /srv/${nonce}
RUN echo "runtime ${nonce}" && wc -c /srv/${nonce}
`;
const BLOB_READ = /^(?:GET|HEAD) \/actions-results\//;
const BLOB_WRITE = /^PUT \/actions-results\//;

describe('a build whose cache goes wrong is built all the same', () => {
  let root = '';
  let workspace = '';
  let results: ResultsService;
  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), 'slipway-e2e-'));
    workspace = await makeWorkspace(root, { Dockerfile: dockerfile });
  });
  afterAll(() => rm(root, { recursive: true }));
  beforeEach(async () => {
    results = await startResultsService();
  });
  afterEach(() => results[Symbol.asyncDispose]());

  const build = (salt: string, environment = results.environment(), inputs = {}): Promise<StepResult> =>
    buildStep({
      root,
      workspace,
      inputs: {
        image: JSON.stringify({ image: 'web', target: 'runtime', scope: nonce, args: { SALT: salt } }),
        'cache-timeout': '3s',
        // A check reads the layers: BuildKit has to fetch them from the cache.
        'forbid-paths': '**/nothing',
        ...inputs,
      },
      environment,
    });

  const always = (fault: Fault, match?: RegExp): void =>
    results.faults.add({ fault, times: Number.POSITIVE_INFINITY, ...(match === undefined ? {} : { match }) });

  it.each<[string, () => void | Promise<void>, RegExp]>([
    ['down', () => results.stop(), /went on without it/],
    ['slow', () => results.slow(20_000), /left alone.*said nothing for 1.5 s/],
    ['full', () => results.full(), /left alone.*full/],
    ['answering 500', () => always({ kind: 'status', status: 500 }), /went on without it/],
    ['resetting every connection', () => always({ kind: 'reset', when: 'before' }), /went on without it/],
    ['refusing uploads', () => always({ kind: 'status', status: 403 }, BLOB_WRITE), /went on without it/],
    ['silent', () => always({ kind: 'stall' }), /left alone.*said nothing for 1.5 s/],
    ['silent in the middle', () => always({ kind: 'stall' }, BLOB_WRITE), /left alone.*said nothing for 1.5 s/],
  ])('while it is written: %s', async (_, breakCache, said) => {
    await breakCache();
    const started = Date.now();
    const { failure, log } = await build(randomUUID());
    results.slow(0);
    results.faults.clear();
    expect(failure).toBeUndefined();
    expect(log).toMatch(said);
    // BuildKit alone waits for minutes here, or for ever, and holds all other builds of the engine meanwhile.
    expect(Date.now() - started).toBeLessThan(15_000);
  });

  it.each<[string, Fault]>([
    ['wrong bytes', { kind: 'wrong-bytes' }],
    ['layers that are cut off', { kind: 'cut', bytes: 1_000 }],
    ['status 500', { kind: 'status', status: 500 }],
    ['resets', { kind: 'reset', when: 'before' }],
    ['silence', { kind: 'stall' }],
  ])('while layers are read: %s', async (_, fault) => {
    const salt = randomUUID();
    const { outputs, failure } = await build(salt);
    expect(failure).toBeUndefined();
    await forgetBuilds();
    await forgetLayers(outputs['layers']);
    // The first blob that is read is the cache's own index: those after it are layers.
    results.faults.add({ fault, match: BLOB_READ, after: 1, times: Number.POSITIVE_INFINITY });
    const again = await build(salt);
    const layersRead = results.requests.filter(({ method, path }) => BLOB_READ.test(`${method} ${path}`)).length;
    results.faults.clear();
    expect(layersRead).toBeGreaterThan(1);
    expect(again.failure).toBeUndefined();
    expect(again.log).toMatch(/done again without it|trying again/);
  });

  it.each([
    ['at all', undefined],
    ['while it is written', BLOB_WRITE],
  ])(
    'of a remote builder: a service that says nothing %s holds nothing, since BuildKit reaches the gate',
    async (_, match) => {
      await using daemon = await startDaemonAddress();
      const inputs = { driver: 'remote', endpoint: `tcp://127.0.0.1:${daemon.port}` };
      // What asks for the first time is left alone: a service falls silent while it is used.
      results.faults.add({
        fault: { kind: 'stall' },
        after: 1,
        times: Number.POSITIVE_INFINITY,
        ...(match === undefined ? {} : { match, after: 0 }),
      });
      const started = Date.now();
      const { failure, log, post } = await build(randomUUID(), results.environment(), inputs);
      results.faults.clear();
      await post();
      expect(failure).toBeUndefined();
      expect(log).toMatch(/left alone.*said nothing for 1.5 s/);
      expect(Date.now() - started).toBeLessThan(20_000);
    },
  );

  it('that is no service at all is left out', async () => {
    const environment = { ...results.environment(), ACTIONS_RUNTIME_TOKEN: 'no-token' };
    const { failure, log } = await build(randomUUID(), environment);
    expect(failure).toBeUndefined();
    expect(log).toContain('done again without it');
  });
});
