import { hostname } from 'node:os';
import type { Builder } from '../../core/buildkit/builder.ts';
import { startCacheGate } from '../../core/buildkit/cache-gate.ts';
import { findGateAddress } from '../../core/buildkit/gate-address.ts';
import { request } from '../../core/net/request.ts';
import { parseRepository, registryOrigin } from '../../core/registry/reference.ts';
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

type CacheContext = Pick<ActionContext, 'environment' | 'log' | 'runCommand'>;
const OPEN: CacheConnection = { environment: {}, isUsable: true, [Symbol.asyncDispose]: async () => undefined };
const CLOSED: CacheConnection = { ...OPEN, isUsable: false };

/**
 * The way from BuildKit to the caches of a plan. BuildKit waits without limit for what says nothing, and meanwhile holds
 * every build of its engine: what is asked here first, with a limit, is left out when it does not answer.
 */
export async function connectCache(
  { definition, images }: Pick<BuildPlan, 'definition' | 'images'>,
  builder: Builder,
  cacheTimeout: number,
  context: CacheContext,
): Promise<CacheConnection> {
  const patience = patienceOf(cacheTimeout);
  for (const host of cacheRegistries(images)) {
    const isThere = await answers(`${registryOrigin(host)}/v2/`, `the registry ${host}, which holds the cache,`);
    if (!isThere) return CLOSED;
  }
  const target = context.environment['ACTIONS_RESULTS_URL'] ?? '';
  if (target === '' || !definition.includes('type=gha')) return OPEN;
  return (
    (await openGate(target, builder, patience, context)) ??
    ((await answers(target, 'the cache service')) ? OPEN : CLOSED)
  );

  /** Any answer will do, a refusal too. */
  async function answers(url: string, name: string): Promise<boolean> {
    try {
      await request({ url, timeout: patience, deadline: patience, retry: false });
      return true;
    } catch (error) {
      const why = messagesOf(error).at(-1) ?? '';
      context.log.notice(`${name} does not answer, and the build is done without it: ${why}`);
      return false;
    }
  }
}

function cacheRegistries(images: BuildPlan['images']): ReadonlySet<string> {
  const repositories = images.flatMap(({ cache, repository }) => (cache === 'registry' ? (repository ?? []) : []));
  return new Set(repositories.map((repository) => parseRepository(repository).registry));
}

/** Puts a gate between BuildKit and GitHub's cache; undefined where BuildKit cannot reach this machine. */
async function openGate(
  target: string,
  builder: Builder,
  patience: number,
  context: CacheContext,
): Promise<CacheConnection | undefined> {
  const { environment, log } = context;
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
  return undefined;
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
