import { createHash } from 'node:crypto';
import type { BakeTarget } from '../../core/buildkit/bake-definition.ts';
import { isCapable } from '../../core/buildkit/builder.ts';
import { type CacheKind, localCacheFolder, planCache } from '../../core/buildkit/cache.ts';
import { parseEntries } from '../../core/buildkit/csv-records.ts';
import type { Environment } from '../../core/runner/commands.ts';
import { fieldOf, type RunnerEvent } from '../../core/runner/event.ts';
import { inInput } from '../../core/runner/inputs.ts';
import { type CacheFit, fitBudget, shareOf } from './cache-budget.ts';
import type { BuildInputs } from './contract.ts';
import { hasOwnCaches, type ImageRequest } from './image-requests.ts';
import type { BuildFacts } from './plan.ts';

/** What a pull request's own cache adds to a scope, before its number. */
const PULL_REQUEST = '.pr-';

export interface CacheChoice {
  /** By the request's name. */
  readonly fits: ReadonlyMap<string, CacheFit>;
  readonly notices: readonly string[];
}

/** The cache of each image, and why one is another than what was asked for. */
export function chooseCaches(inputs: BuildInputs, requests: readonly ImageRequest[], facts: BuildFacts): CacheChoice {
  const { cache, notices } = chooseCache(inputs, facts);
  const fits = requests.map((request): [string, CacheFit] => {
    const share = shareOf(inputs, request.row, requests.length);
    const asAsked: CacheFit = { kind: cache, mountShare: share, notice: undefined };
    return [request.name, cache === 'gha' ? fitBudget(request, share, facts.publishedSizes) : asAsked];
  });
  return { fits: new Map(fits), notices: [...notices, ...fits.flatMap(([, { notice }]) => notice ?? [])] };
}

/** The cache that can be used at all. */
function chooseCache(
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
  if (inputs.cache === 'gha' && !offersCache(environment)) {
    return {
      cache: 'off',
      notices: ['the runner offers no cache service, so that no build cache is used; "cache: registry" needs none'],
    };
  }
  return { cache: inputs.cache, notices: [] };
}

/** Whether the runner offers a cache service. */
export function offersCache(environment: Environment): boolean {
  const address = environment['ACTIONS_RESULTS_URL'] ?? environment['ACTIONS_CACHE_URL'] ?? '';
  return address !== '' && (environment['ACTIONS_RUNTIME_TOKEN'] ?? '') !== '';
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
  const branches = cacheBranches(facts.event);
  // The tags that a pull request left in a registry would outlive it, so that it writes none and reads none of its own.
  const isOutlived = kind === 'registry' && facts.event.name.startsWith('pull_request');
  return planCache({
    kind,
    scope: request.cacheScope,
    branches: branches.filter((branch) => !(isOutlived && branch.startsWith(PULL_REQUEST))),
    mode: request.cacheMode,
    isWritable: !isFromFork(facts.event) && !isOutlived,
    timeout: inputs.cacheTimeout,
    ...(request.repository === undefined ? {} : { repository: request.repository }),
    ...(inputs.cacheFolder === undefined ? {} : { folder: inputs.cacheFolder }),
  });
}

/** The folder that an image's local cache is written for. */
export function ownCacheFolder(request: ImageRequest, inputs: BuildInputs, event: RunnerEvent): string | undefined {
  const [own = ''] = cacheBranches(event);
  return inputs.cacheFolder === undefined
    ? undefined
    : localCacheFolder(inputs.cacheFolder, `${request.cacheScope}${own}`);
}

/**
 * What an event's own cache adds to a scope, and what those add that it reads after it: its base branch's and the
 * default branch's, which adds nothing. GitHub's cache knows this by itself; registries and folders do not.
 */
export function cacheBranches(event: RunnerEvent): readonly string[] {
  const told = fieldOf(event.payload, 'repository', 'default_branch');
  const ofBranch = (name: string): string => (name === told ? '' : `.${branchName(name)}`);
  const number = fieldOf(event.payload, 'pull_request', 'number');
  const base = event.baseRef === undefined || event.baseRef === '' ? [] : [ofBranch(event.baseRef)];
  const branch = /^refs\/heads\/(.+)$/.exec(event.ref)?.[1];
  // Where the default branch is not known, and for tags, all share what the default branch has.
  const isOwn = typeof told === 'string' && branch !== undefined;
  const own = typeof number === 'number' ? `${PULL_REQUEST}${number}` : isOwn ? ofBranch(branch) : '';
  return [...new Set([own, ...base, ''])];
}

/** A branch's name in signs that tags and folders take; different names stay different. */
function branchName(name: string): string {
  const plain = name.replace(/[^\w.-]/g, '-').slice(0, 40);
  return plain === name ? plain : `${plain}-${createHash('sha256').update(name).digest('hex').slice(0, 8)}`;
}

/** True for events of a pull request whose branch lives in another repository, `pull_request_target` among them. */
export function isFromFork({ payload, repository }: RunnerEvent): boolean {
  if (fieldOf(payload, 'pull_request') === undefined) return false;
  return fieldOf(payload, 'pull_request', 'head', 'repo', 'full_name') !== repository;
}
