import { isAttestation, parseManifest } from '../registry/manifest.ts';
import { readConfig } from '../registry/platform-image.ts';
import { parseReference, type Repository } from '../registry/reference.ts';
import type { RegistryClient } from '../registry/registry-client.ts';
import { type LayoutImage, toImage } from './oci-layout.ts';

/**
 * What a registry holds under a reference, one entry a platform; none when it holds nothing there.
 * Throws ConfigurationError for a reference that is none, and for a registry's refusal.
 */
export async function readPublishedImages(client: RegistryClient, text: string): Promise<readonly LayoutImage[]> {
  const reference = parseReference(text);
  return readImages(client, reference, reference.digest ?? reference.tag ?? 'latest');
}

async function readImages(
  client: RegistryClient,
  repository: Repository,
  name: string,
): Promise<readonly LayoutImage[]> {
  const stored = await client.findManifest(repository, name);
  if (stored === undefined) return [];
  const content = parseManifest(stored.bytes, stored.mediaType);
  if (content.kind === 'image')
    return [toImage(await readConfig(client, repository, content.config), content.layers, content.config)];
  const images = content.manifests.filter((entry) => !isAttestation(entry));
  return (await Promise.all(images.map(({ digest }) => readImages(client, repository, digest)))).flat();
}
