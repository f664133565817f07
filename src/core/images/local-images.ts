import { ConfigurationError } from '../runner/errors.ts';
import type { Candidate } from './candidate.ts';
import { nameOf, normaliseReference } from './definition.ts';

/** What links a row to the rows it is built from. */
export interface Links {
  /** Ids of the rows that must be built before. */
  readonly parents: readonly string[];
  /** Named contexts to give the build: name → `row:<id>`, `docker-image://…`, a folder or a URL. */
  readonly contexts: Readonly<Record<string, string>>;
}

/**
 * Links candidates that are built from each other: a base image, `--from` or mount that names an image of the
 * repository (by compose `image:` or `tags:`), a named context of one, or `needs`.
 *
 * A parent is taken in the child's platform, and in its variant where it has that one. Throws ConfigurationError for a
 * name that is no image, and for a parent that is not built for the child's platform or in several other variants.
 */
export function linkCandidates(candidates: readonly Candidate[]): ReadonlyMap<string, Links> {
  const byImage = group(candidates, ({ definition }) => [definition.image]);
  const byName = group(candidates, ({ definition }) => definition.names);
  return new Map(candidates.map((candidate) => [candidate.id, linksOf(candidate, byImage, byName)]));
}

type Index = ReadonlyMap<string, readonly Candidate[]>;

function linksOf(candidate: Candidate, byImage: Index, byName: Index): Links {
  const { definition, build } = candidate;
  const contexts = new Map<string, string>();
  const parents = new Set<string>();
  const link = (name: string, parent: Candidate): void => {
    parents.add(parent.id);
    contexts.set(name, `row:${parent.id}`);
  };
  for (const [name, source] of definition.contexts) {
    if (source.kind === 'local') link(name, chooseParent(candidate, source.image, byImage));
    else if (source.kind === 'folder') contexts.set(name, source.path);
    else contexts.set(name, source.kind === 'image' ? `docker-image://${source.reference}` : source.address);
  }
  const needed = definition.needs.map((image) => chooseParent(candidate, image, byImage));
  for (const parent of needed) parents.add(parent.id);
  for (const reference of build.images) {
    const normalised = normaliseReference(reference);
    const named = (byName.get(normalised) ?? []).filter((other) => other.definition.image !== definition.image);
    // A reference to the repository's own registry is one of its images only where `needs` says so.
    const parent =
      named[0] === undefined
        ? needed.find((other) => repositoryName(normalised) === other.definition.image)
        : chooseAmong(candidate, named, reference);
    if (parent !== undefined) link(reference, parent);
  }
  return {
    parents: [...parents].sort(),
    contexts: Object.fromEntries([...contexts].sort(([a], [b]) => (a < b ? -1 : 1))),
  };
}

function chooseParent(candidate: Candidate, image: string, byImage: Index): Candidate {
  const named = byImage.get(image);
  if (named !== undefined) return chooseAmong(candidate, named, image);
  throw new ConfigurationError(
    `"${nameOf(candidate.definition)}" needs the image "${image}", which is not defined`,
    candidate.definition.place,
  );
}

function chooseAmong(candidate: Candidate, parents: readonly Candidate[], name: string): Candidate {
  const { definition, platform } = candidate;
  const samePlatform = parents.filter((parent) => parent.platform === platform);
  const [only, ...others] = samePlatform;
  const chosen =
    samePlatform.find((parent) => parent.definition.variant === definition.variant) ??
    samePlatform.find((parent) => parent.definition.variant === '') ??
    (others.length === 0 ? only : undefined);
  if (chosen !== undefined) return chosen;
  const why =
    only === undefined
      ? `is not built for ${platform}`
      : `has the variants ${samePlatform.map((parent) => parent.definition.variant).join(', ')} and none of them is this one's`;
  throw new ConfigurationError(`"${nameOf(definition)}" is built from "${name}", which ${why}`, definition.place);
}

/** The last component of a reference's repository: `api` of `ghcr.io/o/api:1`. */
function repositoryName(reference: string): string {
  return (reference.split('/').at(-1) ?? '').replace(/[:@].*$/, '');
}

function group(candidates: readonly Candidate[], keysOf: (candidate: Candidate) => readonly string[]): Index {
  const groups = new Map<string, Candidate[]>();
  for (const candidate of candidates) {
    for (const key of new Set(keysOf(candidate))) groups.set(key, [...(groups.get(key) ?? []), candidate]);
  }
  return groups;
}

/** Ids in an order in which every row comes after those it is built from, with its wave. Throws ConfigurationError for a circle. */
export function orderByWaves(links: ReadonlyMap<string, Links>): ReadonlyMap<string, number> {
  const waves = new Map<string, number>();
  let waiting = [...links.keys()];
  while (waiting.length > 0) {
    const ready = waiting.filter((id) => links.get(id)?.parents.every((parent) => waves.has(parent)) === true);
    if (ready.length === 0)
      throw new ConfigurationError(
        `these images are built from each other in a circle: ${waiting.slice(0, 10).join(', ')}`,
      );
    for (const id of ready) {
      const above = links.get(id)?.parents.map((parent) => waves.get(parent) ?? 0) ?? [];
      waves.set(id, above.length === 0 ? 0 : Math.max(...above) + 1);
    }
    waiting = waiting.filter((id) => !waves.has(id));
  }
  return waves;
}
