import {
  formatReference,
  formatRepository,
  isSameRepository,
  isTag,
  parseReference,
  parseRepository,
  type Repository,
} from '../../core/registry/reference.ts';
import { ConfigurationError } from '../../core/runner/errors.ts';
import { isRecord } from '../../core/runner/event.ts';
import { nameOf, type ReleaseName } from './releases.ts';

/** The input `tags`: names for everything, or by image and variant. */
export type WantedTags =
  | { readonly kind: 'list'; readonly entries: readonly string[] }
  | { readonly kind: 'by-variant'; readonly references: ReadonlyMap<string, ReadonlyMap<string, readonly string[]>> };

export type Tagged = Repository & { readonly tag: string };

const MAX_TAGS = 10_000;

/**
 * Reads `tags`: lines of references or bare tags, the JSON of metadata-tags (`{"tags":[…]}`), or its `matrix-tags`
 * (`{"worker":{"gpu":[…]}}`). Throws ConfigurationError.
 */
export function parseWantedTags(given: readonly string[]): WantedTags {
  const text = given.join('\n').trim();
  if (!text.startsWith('{')) return { kind: 'list', entries: entriesOf(given) };
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch (cause) {
    throw new ConfigurationError('input "tags" starts like JSON and is none', { cause });
  }
  if (!isRecord(document)) throw new ConfigurationError('input "tags" is no JSON object');
  const list: unknown = Object.hasOwn(document, 'tags') ? document['tags'] : undefined;
  if (Array.isArray(list)) return { kind: 'list', entries: textsOf(list, 'tags') };
  const images = new Map<string, ReadonlyMap<string, readonly string[]>>();
  for (const [image, variants] of Object.entries(document)) {
    if (!isRecord(variants))
      throw new ConfigurationError(`"${image}" in the JSON of input "tags" is no object of variants`);
    const lists = Object.entries(variants).map(([variant, tags]) => [variant, textsOf(tags, image)] as const);
    images.set(image, new Map(lists));
  }
  return { kind: 'by-variant', references: images };
}

/** Entries on lines of their own or between commas, without blanks and `#` comments. */
function entriesOf(given: readonly string[]): readonly string[] {
  return given
    .flatMap((line) => (line.trimStart().startsWith('#') ? [] : line.split(',')))
    .map((entry) => entry.trim())
    .filter((entry) => entry !== '');
}

function textsOf(value: unknown, where: string): readonly string[] {
  if (!Array.isArray(value) || value.length > MAX_TAGS) {
    throw new ConfigurationError(`"${where}" in the JSON of input "tags" is no list of tags`);
  }
  return value.map((entry: unknown) => {
    if (typeof entry === 'string') return entry;
    throw new ConfigurationError(`"${where}" in the JSON of input "tags" holds what is no text`);
  });
}

/**
 * Each release's references, in the releases' order.
 *
 * A list is dealt out by names: to the image whose name ends the repository's, and to the variant whose ending (`-gpu`)
 * ends the tag, the longest first; a single release takes all. Throws ConfigurationError for a reference that belongs to
 * none, and for a release that gets none.
 */
export function assignTags(
  wanted: WantedTags,
  releases: readonly ReleaseName[],
  options: { readonly images: readonly string[]; readonly registry: string },
): readonly (readonly Tagged[])[] {
  const candidates = releases.map((release) => {
    const texts =
      wanted.kind === 'list'
        ? expandEntries(wanted.entries, release, options.images)
        : (wanted.references.get(release.image)?.get(release.variant) ?? []);
    return texts.map((text) => toTagged(text, options.registry));
  });
  const assigned = wanted.kind === 'list' && releases.length > 1 ? dealOut(candidates, releases) : candidates;
  for (const [index, release] of releases.entries()) {
    if ((assigned[index] ?? []).length > 0) continue;
    throw new ConfigurationError(
      `input "tags" has no tag for ${nameOf(release)}; give the output "matrix-tags" of metadata-tags, or add one`,
    );
  }
  return assigned;
}

/** Bare tags stand in each repository of `images`; `{image}` is filled in. */
function expandEntries(
  entries: readonly string[],
  { image }: ReleaseName,
  images: readonly string[],
): readonly string[] {
  const repositories = entriesOf(images).map((name) => name.replaceAll('{image}', image));
  return entries.flatMap((entry) => {
    if (!isTag(entry)) return [entry.replaceAll('{image}', image)];
    if (repositories.length > 0) return repositories.map((repository) => `${repository}:${entry}`);
    throw new ConfigurationError(
      `"${entry}" in input "tags" has no repository; write ghcr.io/owner/name:${entry}, or give "images"`,
    );
  });
}

function toTagged(text: string, registry: string): Tagged {
  const { tag, digest, ...repository } = parseReference(text, registry);
  if (tag === undefined || digest !== undefined) {
    throw new ConfigurationError(`"${text}" in input "tags" must name a tag, and no digest`);
  }
  return { ...repository, tag };
}

function dealOut(
  candidates: readonly (readonly Tagged[])[],
  releases: readonly ReleaseName[],
): readonly (readonly Tagged[])[] {
  const isOneImage = new Set(releases.map(({ image }) => image)).size === 1;
  const isOwner = (release: ReleaseName, { name, tag }: Tagged): boolean => {
    const owners = releases
      .filter(({ image }) => isOneImage || name.split('/').at(-1) === image)
      .filter(({ suffix }) => tag.endsWith(suffix))
      .sort((one, other) => other.suffix.length - one.suffix.length);
    return owners[0] === release;
  };
  const dealt = releases.map((release, index) =>
    (candidates[index] ?? []).filter((tagged) => isOwner(release, tagged)),
  );
  const taken = new Set(dealt.flat().map(formatReference));
  const left = candidates.flat().find((tagged) => !taken.has(formatReference(tagged)));
  if (left === undefined) return dealt;
  throw new ConfigurationError(
    `"${formatReference(left)}" in input "tags" belongs to none of ${releases.map(nameOf).join(', ')}; give the output "matrix-tags" of metadata-tags`,
  );
}

/**
 * The one repository that all entries name, with `{image}` filled in: where a digest without a name stands. Throws
 * ConfigurationError.
 */
export function homeRepository(
  wanted: WantedTags,
  image: string,
  options: { readonly images: readonly string[]; readonly registry: string },
): Repository {
  const texts = wanted.kind === 'list' ? wanted.entries : [...(wanted.references.get(image)?.values() ?? [])].flat();
  const filled = (text: string): string => text.replaceAll('{image}', image);
  const references = texts.filter((text) => !isTag(text)).map((text) => toTagged(filled(text), options.registry));
  const own = references.filter(({ name }) => image !== '' && name.split('/').at(-1) === image);
  // A list of several images' references: those that the image's name ends are its own.
  const named = own.length > 0 ? own : references;
  const listed = entriesOf(options.images).map((text) => parseRepository(filled(text), options.registry));
  const [first, ...others] = [...named, ...listed];
  if (first === undefined || others.some((other) => !isSameRepository(first, other))) {
    throw new ConfigurationError(
      'a digest alone does not say in which repository it is; write ghcr.io/owner/name@sha256:…',
    );
  }
  return { registry: first.registry, name: first.name };
}

/** All repositories that tags stand in, and those of `images` that hold no `{image}`. Throws ConfigurationError. */
export function repositoriesOf(
  tags: readonly Tagged[],
  options: { readonly images: readonly string[]; readonly registry: string },
): readonly Repository[] {
  const listed = entriesOf(options.images)
    .filter((name) => !name.includes('{image}'))
    .map((name) => parseRepository(name, options.registry));
  const all = [...tags.map(({ registry, name }) => ({ registry, name })), ...listed];
  return [...new Map(all.map((repository) => [formatRepository(repository), repository])).values()];
}
