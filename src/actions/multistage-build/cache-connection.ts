import { hostname } from 'node:os';
import type { Builder } from '../../core/buildkit/builder.ts';
import { startCacheGate } from '../../core/buildkit/cache-gate.ts';
import { findGateAddress } from '../../core/buildkit/gate-address.ts';
import { request } from '../../core/net/request.ts';
import type { Environment } from '../../core/runner/commands.ts';
import { messagesOf } from '../../core/runner/errors.ts';
import type { ActionContext } from '../../core/runner/run-action.ts';
import { isInContainer } from './job-container.ts';
import type { BuildPlan } from './plan.ts';

export interface CacheConnection extends AsyncDisposable {
  /** What BuildKit must find in its environment to reach the cache. */
  readonly environment: Environment;
  /** False where the cache answers nothing, and the build must not ask it. */
  readonly isUsable: boolean;
}

const MAX_PATIENCE = 15_000;

/** Silence of the cache service that is borne: less than the whole cache may take, so that the gate ends it first. */
export function patienceOf(cacheTimeout: number): number {
  return Math.min(cacheTimeout / 2, MAX_PATIENCE);
}

/**
 * Puts a gate between BuildKit and GitHub's cache. Where BuildKit cannot reach this machine, the service is asked once,
 * and left out when it does not answer.
 */
export async function connectCache(
  plan: Pick<BuildPlan, 'definition'>,
  builder: Builder,
  cacheTimeout: number,
  context: Pick<ActionContext, 'environment' | 'log' | 'runCommand'>,
): Promise<CacheConnection> {
  const { environment, log } = context;
  const target = environment['ACTIONS_RESULTS_URL'] ?? '';
  const none = { environment: {}, isUsable: true, [Symbol.asyncDispose]: async () => undefined };
  if (target === '' || !plan.definition.includes('type=gha')) return none;
  const patience = patienceOf(cacheTimeout);
  const isNear = await sharesNetwork(builder, context);
  const gate = await startCacheGate({ target, patience, log, guests: isNear ? 'this-machine' : 'any-machine' });
  const host = isNear ? '127.0.0.1' : await findGateAddress(gate, builder.name, { ...context, env: environment });
  if (host !== undefined) {
    return {
      environment: { ACTIONS_RESULTS_URL: gate.urlAt(host) },
      isUsable: true,
      [Symbol.asyncDispose]: () => gate.stop(),
    };
  }
  await gate.stop();
  log.info(`the builder "${builder.name}" does not reach this machine, and asks the cache service by itself`);
  try {
    await request({ url: target, timeout: patience, deadline: patience, retry: false });
    return none;
  } catch (error) {
    log.notice(
      `the cache service does not answer, and the build is done without it: ${messagesOf(error).at(-1) ?? ''}`,
    );
    return { ...none, isUsable: false };
  }
}

/** True for the engine of this machine, outside of a job's container: it reaches what listens on our 127.0.0.1. */
async function sharesNetwork(
  { driver }: Builder,
  { environment, runCommand }: Pick<ActionContext, 'environment' | 'runCommand'>,
): Promise<boolean> {
  const host = environment['DOCKER_HOST'] ?? '';
  if (driver !== 'docker' || (host !== '' && !host.startsWith('unix://'))) return false;
  if (!isInContainer()) return true;
  // A container's host name is its id: the engine knows it when this job runs in a container of that very engine.
  const asked = ['container', 'inspect', '--format', '{{.Id}}', hostname()];
  const { exitCode } = await runCommand('docker', asked, { env: environment, deadline: 10_000, allowFailure: true });
  return exitCode !== 0;
}
