import { copyEntries, copyImage } from '../../core/registry/copy-image.ts';
import {
  type AssembledIndex,
  assembleIndex,
  hasAnnotations,
  type IndexAnnotations,
  type IndexSource,
} from '../../core/registry/image-index.ts';
import { type ImageOrigin, originOf, readOrigin } from '../../core/registry/image-origin.ts';
import { inputsTag, nameByInputs } from '../../core/registry/inputs-tag.ts';
import { type Annotations, parseManifest } from '../../core/registry/manifest.ts';
import { readPlatform } from '../../core/registry/platform-image.ts';
import { formatReference, formatRepository, type Repository } from '../../core/registry/reference.ts';
import type { RegistryClient } from '../../core/registry/registry-client.ts';
import { ConfigurationError } from '../../core/runner/errors.ts';
import type { Log } from '../../core/runner/log.ts';
import type { Release, ReleaseSource } from './releases.ts';

interface LoadedSource extends IndexSource {
  readonly repository: Repository;
  /** What the row was built from; undefined for what is no row. */
  readonly inputs: string | undefined;
}

/** A release whose manifests have been read and put together. */
export interface LoadedRelease extends Release {
  readonly loaded: readonly LoadedSource[];
  readonly index: AssembledIndex;
  readonly platforms: readonly string[];
  readonly hasUnknownPlatforms: boolean;
  readonly origin: ImageOrigin;
}

/**
 * Reads a release's sources from their registries and puts them together. `annotations` are the user's, `defaults` are
 * added only where an index is made anyway, so that one image keeps its digest.
 * Throws ConfigurationError for a source that does not exist.
 */
export async function loadRelease(
  client: RegistryClient,
  release: Release,
  options: { readonly annotations: IndexAnnotations; readonly defaults: Annotations },
): Promise<LoadedRelease> {
  const loaded = await Promise.all(release.sources.map((source) => loadSource(client, source)));
  const { annotations, defaults } = options;
  const isPlain = loaded.length === 1 && !hasAnnotations(annotations);
  const index = assembleIndex(
    loaded,
    isPlain ? annotations : { ...annotations, index: { ...defaults, ...annotations.index } },
  );
  const [first] = loaded;
  const told = first === undefined ? {} : await readOrigin(client, first.repository, first.content);
  // An image that was found by its inputs is what this commit would build, whichever commit it was built from.
  const origin = { ...told, ...originOf(defaults), ...originOf(annotations.index) };
  return {
    ...release,
    loaded,
    index,
    platforms: index.platforms,
    hasUnknownPlatforms: index.hasUnknownPlatforms,
    origin,
  };
}

async function loadSource(client: RegistryClient, { reference, inputs }: ReleaseSource): Promise<LoadedSource> {
  const name = formatReference(reference);
  const manifest = await client.findManifest(reference, reference.digest ?? reference.tag ?? 'latest');
  if (manifest === undefined) throw new ConfigurationError(`there is no image ${name} in the registry`);
  const content = parseManifest(manifest.bytes, manifest.mediaType);
  const platform = content.kind === 'image' ? await readPlatform(client, reference, content.config) : undefined;
  const repository = { registry: reference.registry, name: reference.name };
  return { name, manifest, content, platform, repository, inputs };
}

/**
 * Puts all that a release is made of into a repository, by digest: after this its tags can be written. With `recordInputs`
 * each row's own image gets the tag of its inputs. True when anything was not there yet.
 */
export async function placeRelease(
  client: RegistryClient,
  release: LoadedRelease,
  to: Repository,
  options: { readonly recordInputs: boolean; readonly log: Log },
): Promise<boolean> {
  const { loaded, index } = release;
  const { log } = options;
  let isChanged = false;
  client.willPush(to);
  for (const { repository, manifest, name, inputs } of loaded) {
    const isRecorded = options.recordInputs && inputs !== undefined;
    const copy = index.isNew && !isRecorded ? copyEntries : copyImage;
    const { mounted, uploaded, bytes } = await copy(client, repository, to, manifest);
    isChanged ||= mounted + uploaded > 0;
    if (mounted + uploaded > 0) {
      log.info(
        `copied ${name} to ${to.registry}/${to.name}: ${mounted} blobs mounted, ${uploaded} sent (${bytes} bytes)`,
      );
    }
    if (isRecorded && (await nameByInputs(client, to, inputs, manifest)))
      log.info(`${formatRepository(to)}:${inputsTag(inputs)} names ${manifest.digest}`);
  }
  if (!index.isNew) return isChanged;
  if ((await client.findDigest(to, index.manifest.digest)) === index.manifest.digest) return isChanged;
  await client.putManifest(to, index.manifest.digest, index.manifest);
  return isChanged;
}
