import type { WrittenTag } from '../../core/registry/publish.ts';
import { formatReference, formatRepository, type Repository } from '../../core/registry/reference.ts';
import type { OutputsOf } from '../../core/runner/contract.ts';
import type { RunnerEvent } from '../../core/runner/event.ts';
import type { contract } from './contract.ts';
import type { LoadedRelease } from './load-release.ts';
import type { Published } from './publish-releases.ts';
import type { Retired } from './retain.ts';

/** What the run has done so far. */
export interface Outcome extends Published {
  readonly retired: Retired[];
}

/** The step's outputs. `tags` are those that name what was published, whether this run wrote them or an earlier one. */
export function toOutputs(
  releases: readonly LoadedRelease[],
  { tags, attestations, retired }: Outcome,
  event: Pick<RunnerEvent, 'serverUrl' | 'repository'>,
  dockerConfig: string | undefined,
): OutputsOf<typeof contract> {
  const named = tags.filter(({ outcome }) => outcome === 'written' || outcome === 'unchanged');
  const skipped = tags.filter(({ outcome }) => outcome === 'skipped' || outcome === 'superseded');
  const [only, ...others] = releases;
  const [first] = tags;
  const images = new Map<string, [string, string][]>();
  for (const { image, variant, index } of releases) {
    images.set(image, [...(images.get(image) ?? []), [variant, index.manifest.digest]]);
  }
  const nameOfTag = ({ repository, tag }: WrittenTag): string => formatReference({ ...repository, tag });
  return {
    ...(only !== undefined && others.length === 0 ? { digest: only.index.manifest.digest } : {}),
    digests: Object.fromEntries([...images].map(([image, variants]) => [image, Object.fromEntries(variants)])),
    tags: named.map(nameOfTag).join('\n'),
    published: releases.map(({ image, variant, platforms, index }) => ({
      image,
      variant,
      platforms,
      digest: index.manifest.digest,
      tags: named.filter((tag) => tag.image === image && tag.variant === variant).map(nameOfTag),
    })),
    skipped: skipped.map((tag) => ({
      tag: nameOfTag(tag),
      reason: tag.reason === '' ? 'another run moved it at the same time' : tag.reason,
      digest: tag.current ?? '',
    })),
    ...(first === undefined ? {} : { url: packageUrl(first.repository, event) }),
    attestations: attestations.join('\n'),
    deleted: retired.map(({ repository, digest, tags, reason }) => ({
      image: `${formatRepository(repository)}@${digest}`,
      tags,
      reason,
    })),
    ...(dockerConfig === undefined ? {} : { dockerConfig }),
  };
}

/** The package's page at GitHub, or the repository's address at another registry. */
export function packageUrl(
  { registry, name }: Repository,
  { serverUrl, repository }: Pick<RunnerEvent, 'serverUrl' | 'repository'>,
): string {
  const [owner = '', ...rest] = name.split('/');
  if (registry !== 'ghcr.io') return `https://${registry}/${name}`;
  const isOwn = repository.split('/')[0]?.toLowerCase() === owner;
  const home = isOwn ? `${serverUrl}/${repository}/pkgs/container` : `${serverUrl}/${owner}?tab=packages&q=`;
  return isOwn ? `${home}/${encodeURIComponent(rest.join('/'))}` : `${home}${encodeURIComponent(rest.join('/'))}`;
}
