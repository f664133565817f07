import type { MadeIndex } from './oci-layout.ts';
import type { RegistryServer } from './registry-server.ts';

/** Puts an index with all it refers to into the registry, as if it had been pushed; its digest. */
export function storeIndex(registry: RegistryServer, name: string, index: MadeIndex, tag?: string): string {
  const { blobs, manifests, tags } = registry.repository(name);
  for (const { digest, bytes } of index.blobs) blobs.set(digest, bytes);
  for (const manifest of [index.manifest, ...index.manifests]) manifests.set(manifest.digest, manifest);
  if (tag !== undefined) tags.set(tag, index.manifest.digest);
  return index.manifest.digest;
}
