import type { GlobList } from '../runner/input-grammar.ts';
import { type CheckResult, checkImage, checkPaths, type ForbiddenPaths, type ImageRules } from './image-checks.ts';
import { readLayerPaths } from './layer-paths.ts';
import { blobPath, type LayoutImage } from './oci-layout.ts';

const SHOWN_PATHS = 5;

/** Runs all checks on one image of a layout folder. Layers are read only when paths are forbidden. */
export async function checkLayoutImage(
  folder: string,
  image: LayoutImage,
  rules: ImageRules,
  formatBytes: (bytes: number) => string,
): Promise<readonly CheckResult[]> {
  const results = checkImage(image, rules, formatBytes);
  if (rules.forbidPaths.length === 0) return results;
  return [...results, checkPaths(await findForbiddenPaths(folder, image, rules.forbidPaths))];
}

async function findForbiddenPaths(
  folder: string,
  image: LayoutImage,
  globs: GlobList,
): Promise<readonly ForbiddenPaths[]> {
  const { default: picomatch } = await import('picomatch');
  const matchers = globs.map(({ glob, isExcluded }) => ({
    isMatch: picomatch(glob.replace(/^\//, ''), { dot: true }),
    isExcluded,
  }));
  // As in ignore files, the last glob that matches decides.
  const isForbidden = (path: string): boolean =>
    matchers.findLast(({ isMatch }) => isMatch(path))?.isExcluded === false;
  const found: ForbiddenPaths[] = [];
  for (const { digest, mediaType, instruction } of image.layers) {
    const paths: string[] = [];
    let count = 0;
    await readLayerPaths(blobPath(folder, digest), mediaType, (path) => {
      if (!isForbidden(path.replace(/\/$/, ''))) return;
      count += 1;
      if (paths.length < SHOWN_PATHS) paths.push(`/${path}`);
    });
    if (count > 0) found.push({ layer: digest, instruction, paths, count });
  }
  return found;
}
