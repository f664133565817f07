import { readLayerPaths } from './layer-paths.ts';
import { blobPath, type ImageLayer, readLayout } from './oci-layout.ts';

/** The layer that brought each of some paths into an image: the last that holds it. Paths are absolute in the image. */
export async function findLayerOrigins(
  layout: string,
  paths: readonly string[],
): Promise<ReadonlyMap<string, ImageLayer>> {
  const wanted = new Map(paths.map((path) => [path.replace(/^\/+/, ''), path]));
  const origins = new Map<string, ImageLayer>();
  const { images } = await readLayout(layout);
  for (const layer of images[0]?.layers ?? []) {
    await readLayerPaths(blobPath(layout, layer.digest), layer.mediaType, (path) => {
      const found = wanted.get(path.replace(/\/$/, ''));
      if (found !== undefined) origins.set(found, layer);
    });
  }
  return origins;
}
