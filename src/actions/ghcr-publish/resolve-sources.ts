import { eachAtMost } from '../../core/net/bounded-parallel.ts';
import { findByInputs, readInputsDigest } from '../../core/registry/inputs-tag.ts';
import { formatRepository, type Repository } from '../../core/registry/reference.ts';
import type { RegistryClient } from '../../core/registry/registry-client.ts';
import { ConfigurationError } from '../../core/runner/errors.ts';
import type { Release, ReleaseSource, WantedRelease, WantedSource } from './releases.ts';
import { repositoriesOf, type Tagged } from './wanted-tags.ts';

/** Pushes an image of this machine's engine into a repository, by digest; that digest. */
export type PushLocal = (name: string, to: Repository) => Promise<string>;

/**
 * Finds where each source is: those that inputs name in the repositories of the release's tags, those of the engine by
 * pushing them there. Throws ConfigurationError that lists all rows whose image is nowhere.
 */
export async function resolveSources(
  client: RegistryClient,
  wanted: readonly WantedRelease[],
  tags: readonly (readonly Tagged[])[],
  pushLocal: PushLocal,
): Promise<readonly Release[]> {
  const searches = wanted.flatMap((release, index): Search[] => {
    const repositories = repositoriesOf(tags[index] ?? [], { images: [], registry: '' });
    return release.sources.map((source) => ({ source, repositories }));
  });
  const found = new Map<WantedSource, ReleaseSource>();
  const find = async (search: Search): Promise<void> => {
    const source = await resolve(client, search, pushLocal);
    if (source !== undefined) found.set(search.source, source);
  };
  // An image of the engine lies twice on this machine while it is pushed: one after the other.
  await eachAtMost(1, searches.filter(isOfEngine), find);
  await eachAtMost(
    PARALLEL,
    searches.filter((search) => !isOfEngine(search)),
    find,
  );
  const missing = searches.flatMap(({ source, repositories }) =>
    source.at === 'inputs' && !found.has(source)
      ? [`${source.row} in ${repositories.map(formatRepository).join(' and ')}`]
      : [],
  );
  if (missing.length > 0) {
    throw new ConfigurationError(
      `no image of these inputs exists, so nothing was named: ${missing.join(', ')}. Build them first, and publish them with "from: builds", which keeps their inputs`,
    );
  }
  return wanted.map((release) => ({
    ...release,
    sources: release.sources.flatMap((source) => found.get(source) ?? []),
  }));
}

const PARALLEL = 8;

interface Search {
  readonly source: WantedSource;
  /** Of the release's tags. */
  readonly repositories: readonly Repository[];
}

function isOfEngine({ source }: Search): boolean {
  return source.at === 'engine';
}

async function resolve(
  client: RegistryClient,
  { source, repositories }: Search,
  pushLocal: PushLocal,
): Promise<ReleaseSource | undefined> {
  const { platform, inputs } = source;
  if (source.at === 'registry') return { platform, inputs, reference: source.reference };
  if (source.at === 'engine') {
    const [to] = repositories;
    if (to === undefined) return undefined;
    return { platform, inputs, reference: { ...to, digest: await pushLocal(source.name, to) } };
  }
  for (const repository of repositories) {
    const digest = await findByInputs(client, repository, source.inputs);
    if (digest === undefined) continue;
    await checkInputs(client, repository, digest, source);
    return { platform, inputs, reference: { ...repository, digest } };
  }
  return undefined;
}

/** A tag can be moved by hand: what it names may not say itself that it was built from other inputs. */
async function checkInputs(
  client: RegistryClient,
  repository: Repository,
  digest: string,
  { row, inputs }: Extract<WantedSource, { at: 'inputs' }>,
): Promise<void> {
  const manifest = await client.findManifest(repository, digest);
  const told = manifest === undefined ? undefined : await readInputsDigest(client, repository, manifest);
  if (told === undefined || told === inputs) return;
  throw new ConfigurationError(
    `${formatRepository(repository)}@${digest} has the tag of the inputs of ${row}, and says that it was built from ${told.slice(0, 64)}: somebody moved the tag; delete it and build again`,
  );
}
