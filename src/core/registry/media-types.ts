/** Media types of the OCI image specification 1.1 and of Docker's image manifest version 2, schema 2. */
export const OCI_INDEX = 'application/vnd.oci.image.index.v1+json';
export const OCI_MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
export const DOCKER_INDEX = 'application/vnd.docker.distribution.manifest.list.v2+json';
export const DOCKER_MANIFEST = 'application/vnd.docker.distribution.manifest.v2+json';

export const MANIFEST_TYPES: readonly string[] = [OCI_INDEX, OCI_MANIFEST, DOCKER_INDEX, DOCKER_MANIFEST];

export function isIndexType(mediaType: string): boolean {
  return mediaType === OCI_INDEX || mediaType === DOCKER_INDEX;
}

export function isManifestType(mediaType: string): boolean {
  return mediaType === OCI_MANIFEST || mediaType === DOCKER_MANIFEST;
}

/** Layers that registries need not hold (base layers of Windows): they are fetched from their `urls`. */
export function isForeignLayer(mediaType: string): boolean {
  return mediaType.includes('nondistributable') || mediaType.includes('.foreign.');
}

export type LayerCompression = 'gzip' | 'zstd' | 'none';

/** How a layer is compressed, by its media type; undefined for what is no layer of a file system. */
export function layerCompression(mediaType: string): LayerCompression | undefined {
  if (!/^application\/vnd\.(?:oci\.image\.layer\.|docker\.image\.rootfs\.)[\w.+-]*tar/.test(mediaType))
    return undefined;
  if (/[.+]gzip$/.test(mediaType)) return 'gzip';
  if (/[.+]zstd$/.test(mediaType)) return 'zstd';
  return mediaType.endsWith('tar') ? 'none' : undefined;
}
