import type { CacheKind } from '../../core/buildkit/cache.ts';
import { readPublishedImages } from '../../core/buildkit/published-image.ts';
import { parseReference } from '../../core/registry/reference.ts';
import { createRegistryClient } from '../../core/registry/registry-client.ts';
import { formatBytes } from '../../core/report/markdown.ts';
import { messagesOf } from '../../core/runner/errors.ts';
import type { ActionContext } from '../../core/runner/run-action.ts';
import type { BuildInputs } from './contract.ts';
import { hasOwnCaches, type ImageRequest, publishedReference, requestImages } from './image-requests.ts';
import { chooseLogin } from './registry-login.ts';

/** Compressed bytes of the images that are published now, by the request's name. */
export type PublishedSizes = ReadonlyMap<string, number>;

/** Larger caches are rare, CUDA's libraries with PyTorch among them: where the share holds this much, nobody is asked. */
const LARGE_CACHE = 6_000_000_000;
/** `mode=max` keeps the layers of the stages before the last one too. */
const MAX_MODE_FACTOR = 1.5;

/** Bytes of GitHub's cache that one row may fill. */
export function shareOf({ cacheBudget, cacheRows }: Pick<BuildInputs, 'cacheBudget' | 'cacheRows'>): number {
  const rows = Number(cacheRows);
  return cacheBudget / (Number.isInteger(rows) && rows > 0 ? rows : 1);
}

/**
 * GitHub's cache for an image whose cache fits its share, the registry for others; with the reason for a change.
 * An image that was never published is not judged: its first cache tells, and a guess would move a small one away.
 */
export function fitBudget(
  request: Pick<ImageRequest, 'name' | 'title' | 'cacheMode' | 'repository'>,
  inputs: Pick<BuildInputs, 'cacheBudget' | 'cacheRows'>,
  sizes: PublishedSizes,
): { readonly kind: CacheKind; readonly notice: string | undefined } {
  const share = shareOf(inputs);
  const published = sizes.get(request.name);
  const factor = request.cacheMode === 'max' ? MAX_MODE_FACTOR : 1;
  const estimate = published === undefined ? 0 : published * factor;
  if (estimate <= share) return { kind: 'gha', notice: undefined };
  const why = `the cache of "${request.title}" is likely to need ${formatBytes(estimate)}, more than its share of ${formatBytes(share)} of GitHub's cache`;
  if (request.repository === undefined)
    return { kind: 'gha', notice: `${why}; "repository" would let it go to the registry` };
  return { kind: 'registry', notice: `${why}: it is kept in ${request.repository}` };
}

/** Asks the registry for sizes where they decide; an answer that does not come decides nothing. */
export async function readPublishedSizes(inputs: BuildInputs, context: ActionContext): Promise<PublishedSizes> {
  const sizes = new Map<string, number>();
  if (inputs.cache !== 'gha' || hasOwnCaches(inputs) || shareOf(inputs) >= LARGE_CACHE) return sizes;
  for (const request of requestImages(inputs, context.event)) {
    const reference = publishedReference(request, inputs);
    if (reference === undefined) continue;
    try {
      const { login } = await chooseLogin(inputs, new Set([parseReference(reference).registry]), context);
      const client = createRegistryClient({
        credentials: (host) => (host === login?.registry ? login : undefined),
      });
      const images = await readPublishedImages(client, reference);
      if (images.length > 0)
        sizes.set(
          request.name,
          images.reduce((sum, { size }) => sum + size, 0),
        );
    } catch (error) {
      context.log.debug(`the size of ${reference} is not known: ${messagesOf(error).join(': ')}`);
    }
  }
  return sizes;
}
