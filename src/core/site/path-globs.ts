import picomatch from 'picomatch';
import { ConfigurationError } from '../runner/errors.ts';
import type { GlobList } from '../runner/input-grammar.ts';

export type PathTest = (path: string) => boolean;

const MAX_GLOB = 1000;

/**
 * A test of paths for one glob. `*` stays inside a folder, `**` does not; names that begin with a dot are matched like
 * any other; a glob without a slash matches the name in every folder, as in a `.gitignore`.
 *
 * Throws ConfigurationError for a glob that is too long or no glob.
 */
export function compileGlob(glob: string): PathTest {
  if (glob.length > MAX_GLOB) throw new ConfigurationError(`a glob of ${glob.length} characters; at most ${MAX_GLOB}`);
  const rooted = glob.replace(/^\.?\/+/, '');
  const isName = rooted === glob && !glob.includes('/');
  const whole = isName ? `**/${rooted}` : rooted.endsWith('/') ? `${rooted}**` : rooted;
  try {
    return picomatch(whole, { dot: true, nonegate: true, strictSlashes: true });
  } catch (cause) {
    throw new ConfigurationError(`${JSON.stringify(glob)} is no glob`, { cause });
  }
}

/** A test for a list of globs: the last that matches decides. */
export function compileGlobs(globs: GlobList): PathTest {
  const tests = globs.map(({ glob, isExcluded }) => ({ matches: compileGlob(glob), isExcluded }));
  return (path) => tests.findLast(({ matches }) => matches(path))?.isExcluded === false;
}

/**
 * Which files take part: all but those that `exclude` matches and `include` does not, as `aws s3 sync` reads
 * `--exclude` followed by `--include`.
 */
export function compileSelection(exclude: GlobList, include: GlobList): PathTest {
  const isExcluded = compileGlobs(exclude);
  const isIncluded = compileGlobs(include);
  return (path) => !isExcluded(path) || isIncluded(path);
}
