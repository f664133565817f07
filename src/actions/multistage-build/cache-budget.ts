import type { CacheKind } from '../../core/buildkit/cache.ts';
import type { Row } from '../../core/images/row.ts';
import { formatBytes } from '../../core/report/markdown.ts';
import type { BuildInputs } from './contract.ts';
import type { ImageRequest } from './image-requests.ts';

/** Compressed bytes of the images that are published now, by the request's name. */
export type PublishedSizes = ReadonlyMap<string, number>;

/** `mode=max` keeps the layers of the stages before the last one too. */
const MAX_MODE_FACTOR = 1.5;

/**
 * Bytes of GitHub's cache that one image may fill, where a job builds so many.
 *
 * A row knows how many rows the repository has: a share by the matrix, which each push makes another size, would have
 * an image look for its cache now in one place and now in the other.
 */
export function shareOf(
  inputs: Pick<BuildInputs, 'cacheBudget' | 'cacheRows'>,
  row: Pick<Row, 'total-rows'> | undefined,
  images: number,
): number {
  const total = row?.['total-rows'] ?? 0;
  if (total > 0) return inputs.cacheBudget / total;
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
