import { existsSync } from 'node:fs';
import { hostname } from 'node:os';
import type { Builder } from '../../core/buildkit/builder.ts';
import { type CacheGate, startCacheGate } from '../../core/buildkit/cache-gate.ts';
import { request } from '../../core/net/request.ts';
import type { Environment } from '../../core/runner/commands.ts';
import { messagesOf } from '../../core/runner/errors.ts';
import type { ActionContext } from '../../core/runner/run-action.ts';
import type { BuildPlan } from './plan.ts';

export interface CacheConnection extends AsyncDisposable {
  /** What BuildKit must find in its environment to reach the cache. */
  readonly environment: Environment;
  /** False where the cache answers nothing, and the build must not ask it. */
  readonly isUsable: boolean;
}

/** Silence of the cache service that is borne, however long the whole cache may take. */
export const MAX_PATIENCE = 15_000;

/**
 * Puts a gate between BuildKit and GitHub's cache where BuildKit runs on this machine. Elsewhere it could not reach the
 * gate: there the service is asked once, and left out when it does not answer.
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
  const patience = Math.min(cacheTimeout, MAX_PATIENCE);
  if (await sharesNetwork(builder, context)) {
    const gate: CacheGate = await startCacheGate({ target, patience, log });
    return {
      environment: { ACTIONS_RESULTS_URL: gate.url },
      isUsable: true,
      [Symbol.asyncDispose]: () => gate.stop(),
    };
  }
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
  if (!existsSync('/.dockerenv') && !existsSync('/run/.containerenv')) return true;
  // A container's host name is its id: the engine knows it when this job runs in a container of that very engine.
  const asked = ['container', 'inspect', '--format', '{{.Id}}', hostname()];
  const { exitCode } = await runCommand('docker', asked, { env: environment, deadline: 10_000, allowFailure: true });
  return exitCode !== 0;
}
