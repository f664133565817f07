import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { connectCache, patienceOf } from '../../../../src/actions/multistage-build/cache-connection.ts';
import { planBuild } from '../../../../src/actions/multistage-build/plan.ts';
import { request } from '../../../../src/core/net/request.ts';
import { CommandError, type RunCommand } from '../../../../src/core/runner/command.ts';
import { createLog } from '../../../../src/core/runner/log.ts';
import { type ResultsService, startResultsService } from '../../../harness/standins/results-service.ts';
import { buildInputs, facts } from './build-inputs.ts';

let results: ResultsService;
let said: string[];
beforeEach(async () => {
  results = await startResultsService();
  said = [];
});
afterEach(() => results[Symbol.asyncDispose]());

/** What `docker` does: a builder that comes to the gate, or one that cannot. */
const docker =
  (reaches: boolean): RunCommand =>
  async (_file, args, options) => {
    // The engine does not know this machine for a container of its own.
    if (args[0] === 'container') return { exitCode: 1, stdout: '', stderr: '' };
    if (!reaches) throw new CommandError('docker buildx exited with 1', { exitCode: 1 });
    await request({ url: /ADD (\S+)/.exec(String(options?.input))?.[1] ?? '', retry: false });
    return { exitCode: 0, stdout: '', stderr: '' };
  };
const connect = (
  driver: string,
  reaches: boolean,
  definition = 'type=gha,scope=x',
  environment = results.environment(),
) =>
  connectCache({ definition, images: [] }, { ...facts.builder, driver }, 1_000, {
    environment,
    log: createLog((line) => said.push(line), { debug: false }),
    runCommand: docker(reaches),
  });

describe('the way to a cache', () => {
  it.each([
    ['docker', false],
    ['docker-container', true],
    ['remote', true],
    ['kubernetes', true],
  ])('of a builder of driver %s leads through the gate', async (driver, reaches) => {
    await using cache = await connect(driver, reaches);
    expect(cache.isUsable).toBe(true);
    expect(cache.environment['ACTIONS_RESULTS_URL']).toMatch(/^http:\/\/\d+\.\d+\.\d+\.\d+:\d+\//);
    expect(cache.environment['ACTIONS_RESULTS_URL']).not.toContain(results.url);
    expect(results.requests).toEqual([]);
  });

  it('of a builder that does not reach this machine is asked once, and is the service’s own', async () => {
    await using cache = await connect('remote', false);
    expect([cache.isUsable, cache.environment]).toEqual([true, {}]);
    expect(results.requests).toHaveLength(1);
    expect(said).toEqual([expect.stringContaining('does not reach this machine')]);
  });

  it('is left out where nobody reaches the gate and the service is silent', async () => {
    results.faults.add({ fault: { kind: 'stall' }, times: Number.POSITIVE_INFINITY });
    await using cache = await connect('remote', false);
    results.faults.clear();
    expect(cache.isUsable).toBe(false);
    expect(said.at(-1)).toContain('does not answer, and the build is done without it');
  });

  it.each([
    ['refuses', { kind: 'status', status: 401 }, true],
    ['says nothing', { kind: 'stall' }, false],
    ['cuts connections', { kind: 'reset', when: 'before' }, false],
  ] as const)('that a registry holds is used when it %s: %j %s', async (_, fault, isUsable) => {
    results.faults.add({ fault, match: /^GET \/v2\/$/ });
    const repository = `${new URL(results.url).host}/acme/web`;
    const planned = planBuild(buildInputs({ context: '.', cache: 'registry', repository }), facts);
    const context = {
      environment: {},
      log: createLog((line) => said.push(line), { debug: false }),
      runCommand: docker(false),
    };
    await using cache = await connectCache(planned, facts.builder, 1_000, context);
    results.faults.clear();
    expect(cache.isUsable).toBe(isUsable);
    expect(said).toHaveLength(isUsable ? 0 : 1);
  });

  it.each([
    ['a definition without it', 'type=registry', undefined],
    ['a runner without it', 'type=gha', {}],
  ])('needs nothing for %s', async (_, definition, environment) => {
    await using cache = await connect('remote', false, definition, environment);
    expect([cache.isUsable, cache.environment, results.requests.length]).toEqual([true, {}, 0]);
  });

  it('bears less silence than the whole cache may take', () => {
    expect([patienceOf(3_000), patienceOf(600_000)]).toEqual([1_500, 15_000]);
  });
});
