import { copyEntries, copyImage } from '../../core/registry/copy-image.ts';
import { type AssembledIndex, assembleIndex, type IndexSource } from '../../core/registry/image-index.ts';
import { type ImageOrigin, originOf, readOrigin } from '../../core/registry/image-origin.ts';
import { type Annotations, parseManifest } from '../../core/registry/manifest.ts';
import { readPlatform } from '../../core/registry/platform-image.ts';
import { formatReference, type Repository } from '../../core/registry/reference.ts';
import type { RegistryClient } from '../../core/registry/registry-client.ts';
import { ConfigurationError } from '../../core/runner/errors.ts';
import type { Log } from '../../core/runner/log.ts';
import type { Release, ReleaseSource } from './releases.ts';

interface LoadedSource extends IndexSource {
  readonly repository: Repository;
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
  options: { readonly annotations: Annotations; readonly defaults: Annotations },
): Promise<LoadedRelease> {
  const loaded = await Promise.all(release.sources.map((source) => loadSource(client, source)));
  const isPlain = loaded.length === 1 && Object.keys(options.annotations).length === 0;
  const index = assembleIndex(loaded, isPlain ? {} : { ...options.defaults, ...options.annotations });
  const [first] = loaded;
  const told = first === undefined ? {} : await readOrigin(client, first.repository, first.content);
  const origin = { ...originOf(options.defaults), ...told, ...originOf(options.annotations) };
  return {
    ...release,
    loaded,
    index,
    platforms: index.platforms,
    hasUnknownPlatforms: index.hasUnknownPlatforms,
    origin,
  };
}

async function loadSource(client: RegistryClient, { reference }: ReleaseSource): Promise<LoadedSource> {
  const name = formatReference(reference);
  const manifest = await client.findManifest(reference, reference.digest ?? reference.tag ?? 'latest');
  if (manifest === undefined) throw new ConfigurationError(`there is no image ${name} in the registry`);
  const content = parseManifest(manifest.bytes, manifest.mediaType);
  const platform = content.kind === 'image' ? await readPlatform(client, reference, content.config) : undefined;
  return { name, manifest, content, platform, repository: { registry: reference.registry, name: reference.name } };
}

/** Puts all that a release is made of into a repository, by digest: after this its tags can be written. */
export async function placeRelease(
  client: RegistryClient,
  release: LoadedRelease,
  to: Repository,
  log: Log,
): Promise<void> {
  const { loaded, index } = release;
  client.willPush(to);
  for (const { repository, manifest, name } of loaded) {
    const copy = index.isNew ? copyEntries : copyImage;
    const { mounted, uploaded, bytes } = await copy(client, repository, to, manifest);
    if (mounted + uploaded > 0) {
      log.info(
        `copied ${name} to ${to.registry}/${to.name}: ${mounted} blobs mounted, ${uploaded} sent (${bytes} bytes)`,
      );
    }
  }
  if (!index.isNew) return;
  if ((await client.findDigest(to, index.manifest.digest)) === index.manifest.digest) return;
  await client.putManifest(to, index.manifest.digest, index.manifest);
}
