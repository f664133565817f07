/** GitHub's patterns for branches, tags and paths ("Filter pattern cheat sheet" of its workflow syntax reference). */
import { WorkflowError } from './workflow-error.ts';

/** `*` stops at a slash, `**` does not, `?` and `+` repeat the character before, `[ ]` is a set, `\` escapes. */
export function patternToRegExp(pattern: string): RegExp {
  let source = '';
  for (let index = 0; index < pattern.length; index++) {
    const character = pattern.charAt(index);
    if (pattern.startsWith('**/', index) && (index === 0 || pattern[index - 1] === '/')) {
      source += '(?:.*/)?';
      index += 2;
    } else if (pattern.startsWith('**', index)) {
      source += '.*';
      index += 1;
    } else if (character === '*') source += '[^/]*';
    else if ((character === '?' || character === '+') && index > 0) source += character;
    else if (character === '[' && pattern.includes(']', index)) {
      const end = pattern.indexOf(']', index);
      source += pattern.slice(index, end + 1);
      index = end;
    } else if (character === '\\' && index + 1 < pattern.length) {
      index += 1;
      source += escapeRegExp(pattern.charAt(index));
    } else source += escapeRegExp(character);
  }
  return new RegExp(`^${source}$`, 's');
}

function escapeRegExp(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&');
}

/** The last pattern that matches decides; a pattern with `!` before it takes away. */
export function matchesPatterns(text: string, patterns: readonly string[]): boolean {
  let isMatch = false;
  for (const pattern of patterns) {
    const isNegative = pattern.startsWith('!');
    if (patternToRegExp(isNegative ? pattern.slice(1) : pattern).test(text)) isMatch = !isNegative;
  }
  return isMatch;
}

export interface Filter {
  readonly include: readonly string[] | undefined;
  readonly ignore: readonly string[] | undefined;
}

/** @throws WorkflowError when both forms are used, or a filter holds only `!` patterns. */
export function parseFilter(include: unknown, ignore: unknown, name: string): Filter {
  if (include !== undefined && ignore !== undefined) {
    throw new WorkflowError(`you may only define one of '${name}' and '${name}-ignore' for a single event`);
  }
  const list = (value: unknown): readonly string[] | undefined => {
    if (value === undefined || value === null) return undefined;
    return (Array.isArray(value) ? value : [value]).map(String);
  };
  const filter = { include: list(include), ignore: list(ignore) };
  if (filter.include?.every((pattern) => pattern.startsWith('!')) === true) {
    throw new WorkflowError(`'${name}' needs at least one pattern without '!'`);
  }
  return filter;
}

export function passesFilter(text: string, { include, ignore }: Filter): boolean {
  if (include !== undefined) return matchesPatterns(text, include);
  return ignore === undefined || !matchesPatterns(text, ignore);
}
