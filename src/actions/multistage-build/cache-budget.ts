import { setTimeout as sleep } from 'node:timers/promises';
import type { CacheKind } from '../../core/buildkit/cache.ts';
import { readPublishedImages } from '../../core/buildkit/published-image.ts';
import { parseReference } from '../../core/registry/reference.ts';
import { createRegistryClient } from '../../core/registry/registry-client.ts';
import { formatBytes } from '../../core/report/markdown.ts';
import { messagesOf } from '../../core/runner/errors.ts';
import type { ActionContext } from '../../core/runner/run-action.ts';
import { offersCache } from './choose-cache.ts';
import type { BuildInputs } from './contract.ts';
import { hasOwnCaches, type ImageRequest, publishedReference, requestImages } from './image-requests.ts';
import { chooseLogin } from './registry-login.ts';

/** Compressed bytes of the images that are published now, by the request's name. */
export type PublishedSizes = ReadonlyMap<string, number>;

/** `mode=max` keeps the layers of the stages before the last one too. */
const MAX_MODE_FACTOR = 1.5;
/** Milliseconds that a registry's word is waited for: it says where a cache is kept, and no more. */
const PATIENCE = 5_000;

/** Bytes of GitHub's cache that one image may fill, where a job builds so many. */
export function shareOf(inputs: Pick<BuildInputs, 'cacheBudget' | 'cacheRows'>, images: number): number {
  const jobs = Number(inputs.cacheRows);
  return inputs.cacheBudget / ((Number.isInteger(jobs) && jobs > 0 ? jobs : 1) * images);
}

/** Where one image's cache is kept, and what its share leaves for its cache mounts. */
export interface CacheFit {
  readonly kind: CacheKind;
  /** Bytes. */
  readonly mountShare: number;
  /** Why the cache is another than what was asked for. */
  readonly notice: string | undefined;
}

/**
 * GitHub's cache for an image whose cache fits its share, the registry for others; with the reason for a change.
 * An image that was never published is not judged: its first cache tells, and a guess would move a small one away.
 */
export function fitBudget(
  request: Pick<ImageRequest, 'name' | 'title' | 'cacheMode' | 'repository'>,
  share: number,
  sizes: PublishedSizes,
): CacheFit {
  const factor = request.cacheMode === 'max' ? MAX_MODE_FACTOR : 1;
  const estimate = (sizes.get(request.name) ?? 0) * factor;
  if (estimate <= share) return { kind: 'gha', mountShare: share - estimate, notice: undefined };
  const why = `the cache of "${request.title}" is likely to need ${formatBytes(estimate)}, more than its share of ${formatBytes(share)} of GitHub's cache`;
  if (request.repository === undefined)
    return { kind: 'gha', mountShare: 0, notice: `${why}; "repository" would let it go to the registry` };
  return { kind: 'registry', mountShare: share, notice: `${why}: it is kept in ${request.repository}` };
}

/** Asks the registry for sizes where they decide; an answer that does not come in time decides nothing. */
export async function readPublishedSizes(inputs: BuildInputs, context: ActionContext): Promise<PublishedSizes> {
  if (inputs.cache !== 'gha' || hasOwnCaches(inputs) || !offersCache(context.environment)) return new Map();
  const requests = requestImages(inputs, context.event);
  const sizes = await Promise.all(requests.map((request) => readSize(request, inputs, context)));
  return new Map(requests.flatMap(({ name }, at) => (sizes[at] === undefined ? [] : [[name, sizes[at]]])));
}

async function readSize(
  request: ImageRequest,
  inputs: BuildInputs,
  context: ActionContext,
): Promise<number | undefined> {
  const reference = publishedReference(request, inputs);
  if (reference === undefined) return undefined;
  try {
    const { login } = await chooseLogin(inputs, new Set([parseReference(reference).registry]), context);
    const client = createRegistryClient({
      credentials: (host) => (host === login?.registry ? login : undefined),
      retry: { attempts: 2, firstPause: 200, longestPause: 500 },
    });
    const late = sleep(PATIENCE, [], { ref: false });
    const images = await Promise.race([readPublishedImages(client, reference), late]);
    return images.length === 0 ? undefined : images.reduce((sum, { size }) => sum + size, 0);
  } catch (error) {
    context.log.debug(`the size of ${reference} is not known: ${messagesOf(error).join(': ')}`);
    return undefined;
  }
}
