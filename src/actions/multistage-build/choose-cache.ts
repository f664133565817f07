import type { BakeTarget } from '../../core/buildkit/bake-definition.ts';
import { isCapable } from '../../core/buildkit/builder.ts';
import { type CacheKind, planCache } from '../../core/buildkit/cache.ts';
import { parseEntries } from '../../core/buildkit/csv-records.ts';
import { fieldOf, type RunnerEvent } from '../../core/runner/event.ts';
import type { BuildInputs } from './contract.ts';
import { hasOwnCaches, type ImageRequest, inInput } from './image-requests.ts';
import type { BuildFacts } from './plan.ts';

/** The cache that can be used, and why it is another than the one that was asked for. */
export function chooseCache(
  inputs: BuildInputs,
  { environment, builder }: BuildFacts,
): { readonly cache: CacheKind; readonly notices: readonly string[] } {
  if (hasOwnCaches(inputs) || inputs.cache === 'off') return { cache: 'off', notices: [] };
  if (!isCapable(builder)) {
    return {
      cache: 'off',
      notices: [
        `the builder "${builder.name}" cannot export caches, so that none is used: let the engine keep images in containerd, or set "driver: docker-container"`,
      ],
    };
  }
  const hasService =
    (environment['ACTIONS_RESULTS_URL'] ?? environment['ACTIONS_CACHE_URL'] ?? '') !== '' &&
    (environment['ACTIONS_RUNTIME_TOKEN'] ?? '') !== '';
  if (inputs.cache === 'gha' && !hasService) {
    return {
      cache: 'off',
      notices: ['the runner offers no cache service, so that no build cache is used; "cache: registry" needs none'],
    };
  }
  return { cache: inputs.cache, notices: [] };
}

/** The cache attributes of one image's target. */
export function cacheAttributes(
  request: ImageRequest,
  inputs: BuildInputs,
  facts: BuildFacts,
  kind: CacheKind,
): Pick<BakeTarget, 'cache-from' | 'cache-to'> {
  if (hasOwnCaches(inputs)) {
    return {
      'cache-from': inInput('cache-from', () => parseEntries(inputs.cacheFrom)),
      'cache-to': inInput('cache-to', () => parseEntries(inputs.cacheTo)),
    };
  }
  const isPullRequest = facts.event.name.startsWith('pull_request');
  return planCache({
    kind,
    scope: request.cacheScope,
    mode: request.cacheMode,
    // GitHub keeps a pull request's entries apart; in a registry they would stand where the main branch reads.
    isWritable: !isFromFork(facts.event) && !(kind === 'registry' && isPullRequest),
    timeout: inputs.cacheTimeout,
    ...(request.repository === undefined ? {} : { repository: request.repository }),
    ...(inputs.cacheFolder === undefined ? {} : { folder: inputs.cacheFolder }),
  });
}

/** True for events of a pull request whose branch lives in another repository, `pull_request_target` among them. */
function isFromFork({ payload, repository }: RunnerEvent): boolean {
  if (fieldOf(payload, 'pull_request') === undefined) return false;
  return fieldOf(payload, 'pull_request', 'head', 'repo', 'full_name') !== repository;
}
