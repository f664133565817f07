import type { GlobList } from '../runner/input-grammar.ts';
import { type CheckResult, checkGrowth, checkImage, checkPaths, type ForbiddenPaths } from './image-checks.ts';
import { BUILD_TOOLS, type ImageRules } from './image-rules.ts';
import { readLayerPaths } from './layer-paths.ts';
import { blobPath, type LayoutImage } from './oci-layout.ts';
import { createPathMatcher } from './path-matcher.ts';

const SHOWN_PATHS = 5;

/** Runs all checks on one image of a layout folder. Layers are read only where a check asks for paths. */
export async function checkLayoutImage(
  folder: string,
  image: LayoutImage,
  rules: ImageRules,
  published: LayoutImage | undefined,
  formatBytes: (bytes: number) => string,
): Promise<readonly CheckResult[]> {
  const results = [...checkImage(image, rules, formatBytes)];
  if (rules.maxGrowth !== undefined) results.push(checkGrowth(image, published, rules.maxGrowth, formatBytes));
  if (rules.require.includes('no-build-tools'))
    results.push(checkPaths('no-build-tools', await findPaths(folder, image, BUILD_TOOLS)));
  if (rules.forbidPaths.length > 0)
    results.push(checkPaths('forbid-paths', await findPaths(folder, image, rules.forbidPaths)));
  return results;
}

async function findPaths(folder: string, image: LayoutImage, globs: GlobList): Promise<readonly ForbiddenPaths[]> {
  const isForbidden = await createPathMatcher(globs);
  const found: ForbiddenPaths[] = [];
  for (const { digest, mediaType, instruction } of image.layers) {
    const paths: string[] = [];
    let count = 0;
    await readLayerPaths(blobPath(folder, digest), mediaType, (path) => {
      if (!isForbidden(path)) return;
      count += 1;
      if (paths.length < SHOWN_PATHS) paths.push(`/${path}`);
    });
    if (count > 0) found.push({ layer: digest, instruction, paths, count });
  }
  return found;
}
