import { buffer } from 'node:stream/consumers';
import { ConfigurationError } from '../runner/errors.ts';
import { isRecord } from '../runner/event.ts';
import { type Descriptor, formatPlatform, parseManifest, UNKNOWN_PLATFORM } from './manifest.ts';
import { formatReference, type Reference, type Repository } from './reference.ts';
import type { ImageReader } from './registry-client.ts';

export interface PlatformImage {
  /** Of the image manifest. */
  readonly digest: string;
  readonly config: Descriptor;
  readonly layers: readonly Descriptor[];
}

const MAX_CONFIG = 8 * 1024 * 1024;

/**
 * The image manifest of one platform that a reference names, directly or through an index.
 *
 * A platform without a variant (`linux/arm`) takes the only one of its architecture. `shown` is the image's name in
 * messages. Throws ConfigurationError when there
 * is no such reference, or no such platform: it then lists those there are.
 */
export async function resolveImage(
  client: ImageReader,
  reference: Reference,
  platform: string,
  shown = formatReference(reference),
): Promise<PlatformImage> {
  const root = await client.findManifest(reference, reference.digest ?? reference.tag ?? 'latest');
  if (root === undefined) throw new ConfigurationError(`there is no image ${shown} in the registry`);
  const content = parseManifest(root.bytes, root.mediaType);
  if (content.kind === 'image') {
    const own = await readPlatform(client, reference, content.config);
    if (own !== undefined && !matches(own, platform))
      throw new ConfigurationError(`${shown} is an image for ${own}, not for ${platform}`);
    return { digest: root.digest, config: content.config, layers: content.layers };
  }
  const images = content.manifests.filter(
    (entry) => entry.platform !== undefined && entry.platform !== UNKNOWN_PLATFORM,
  );
  const exact = images.filter((entry) => entry.platform === platform);
  const [found, second] = exact.length > 0 ? exact : images.filter((entry) => matches(entry.platform ?? '', platform));
  if (found === undefined || (second !== undefined && exact.length === 0)) {
    const there = images.map((entry) => entry.platform).join(', ') || 'none';
    throw new ConfigurationError(`${shown} has no single image for ${platform}; its platforms are ${there}`);
  }
  const child = await client.findManifest(reference, found.digest);
  if (child === undefined) throw new Error(`${shown} refers to ${found.digest}, which is not there`);
  const image = parseManifest(child.bytes, child.mediaType);
  if (image.kind !== 'image') throw new Error(`${shown} has an index where the image for ${platform} should be`);
  return { digest: child.digest, config: image.config, layers: image.layers };
}

/** The platform that an image's configuration tells; undefined for what is no image's configuration. */
export async function readPlatform(
  client: ImageReader,
  repository: Repository,
  config: Descriptor,
): Promise<string | undefined> {
  const document = await readConfig(client, repository, config);
  return document === undefined ? undefined : formatPlatform(document);
}

/** An image's configuration (OCI image specification 1.1, "Image Configuration"); undefined for other artifacts. */
export async function readConfig(
  client: ImageReader,
  repository: Repository,
  config: Descriptor,
): Promise<Readonly<Record<string, unknown>> | undefined> {
  if (!/^application\/vnd\.(?:oci\.image\.config|docker\.container\.image)\.v1\+json$/.test(config.mediaType)) {
    return undefined;
  }
  if (config.size > MAX_CONFIG) {
    throw new Error(`the image's configuration ${config.digest} is larger than ${MAX_CONFIG} bytes`);
  }
  const document: unknown = JSON.parse((await buffer(client.readBlob(repository, config))).toString('utf8'));
  return isRecord(document) ? document : undefined;
}

function matches(platform: string, wanted: string): boolean {
  return platform === wanted || platform.startsWith(`${wanted}/`);
}
