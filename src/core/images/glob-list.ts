import picomatch from 'picomatch';
import type { GlobList } from '../runner/input-grammar.ts';

/**
 * A test of one or several texts against globs in order: the last glob that matches any of them decides, and `!`
 * excludes. A list that only excludes starts from everything; an empty list matches nothing.
 */
export function createMatcher(globs: GlobList): (...texts: readonly string[]) => boolean {
  const matchers = globs.map(({ glob, isExcluded }) => ({ matches: picomatch(glob, { dot: true }), isExcluded }));
  const start = globs.length > 0 && globs.every(({ isExcluded }) => isExcluded);
  return (...texts) => {
    const last = matchers.findLast(({ matches }) => texts.some((text) => text !== '' && matches(text)));
    return last === undefined ? start : !last.isExcluded;
  };
}
