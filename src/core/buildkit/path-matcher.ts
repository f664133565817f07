import type { GlobList } from '../runner/input-grammar.ts';

/** Tells whether a path, relative to a root and with or without slashes at its ends, is meant by globs. The last glob that matches decides, as in ignore files. */
export async function createPathMatcher(globs: GlobList): Promise<(path: string) => boolean> {
  const { default: picomatch } = await import('picomatch');
  const matchers = globs.map(({ glob, isExcluded }) => ({
    isMatch: picomatch(glob.replace(/^\//, ''), { dot: true }),
    isExcluded,
  }));
  return (path) => {
    const bare = path.replace(/^\/+|\/+$/g, '');
    return matchers.findLast(({ isMatch }) => isMatch(bare))?.isExcluded === false;
  };
}
