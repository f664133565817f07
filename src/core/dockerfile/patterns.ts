/**
 * True when `name` (a path segment, without `/`) matches one segment of a pattern of Go's path/filepath.Match:
 * `*`, `?`, `[a-z]`, `[^a-z]` and `\x`. Go's grammar has no `**` and no `{}`.
 *
 * Backtracks to the last star only, so a hostile pattern costs at most pattern × name steps. A malformed pattern
 * (`[` without an end) matches nothing, as the build itself refuses it.
 */
export function matchSegment(pattern: readonly PatternPart[], name: string): boolean {
  const characters = [...name];
  let part = 0;
  let position = 0;
  let star = -1;
  let resume = 0;
  while (position < characters.length) {
    const current = pattern[part];
    const character = characters[position] ?? '';
    if (current?.kind === 'star') {
      star = part;
      resume = position;
      part += 1;
    } else if (current !== undefined && matchesCharacter(current, character)) {
      part += 1;
      position += 1;
    } else if (star !== -1) {
      resume += 1;
      position = resume;
      part = star + 1;
    } else {
      return false;
    }
  }
  return pattern.slice(part).every(({ kind }) => kind === 'star');
}

export type PatternPart =
  | { readonly kind: 'star' }
  | { readonly kind: 'any' }
  | { readonly kind: 'character'; readonly character: string }
  | { readonly kind: 'class'; readonly isNegated: boolean; readonly ranges: readonly (readonly [string, string])[] };

/** A pattern's segments; `'**'` where a segment stands for any number of folders. Undefined for a malformed pattern. */
export type PatternSegments = readonly (readonly PatternPart[] | '**')[];

/** Parses a pattern with `/` between its segments. `**` is special only where `allowsFolders` (COPY --parents). */
export function parsePattern(pattern: string, allowsFolders: boolean): PatternSegments | undefined {
  const segments: (readonly PatternPart[] | '**')[] = [];
  for (const segment of splitSegments(pattern)) {
    if (segment === '**' && allowsFolders) {
      segments.push('**');
      continue;
    }
    const parts = parseSegment([...segment]);
    if (parts === undefined) return undefined;
    segments.push(parts);
  }
  return segments;
}

/**
 * How a path relates to a pattern: `match` when it, or a folder above it, matches; `above` when it is a folder above
 * what the pattern can match; `none` otherwise.
 */
export function matchPath(segments: PatternSegments, path: readonly string[]): 'match' | 'above' | 'none' {
  // Positions in the pattern that are possible after the segments read so far.
  let positions = closure(segments, new Set([0]));
  for (const name of path) {
    if (positions.has(segments.length)) return 'match';
    const following = new Set<number>();
    for (const position of positions) {
      const segment = segments[position];
      if (segment === '**') following.add(position);
      else if (segment !== undefined && matchSegment(segment, name)) following.add(position + 1);
    }
    if (following.size === 0) return 'none';
    positions = closure(segments, following);
  }
  return positions.has(segments.length) ? 'match' : 'above';
}

/** `**` may stand for no folder at all. */
function closure(segments: PatternSegments, positions: Set<number>): Set<number> {
  for (const position of positions) if (segments[position] === '**') positions.add(position + 1);
  return positions;
}

function splitSegments(pattern: string): readonly string[] {
  return pattern.split('/').filter((segment) => segment !== '');
}

function parseSegment(characters: readonly string[]): readonly PatternPart[] | undefined {
  const parts: PatternPart[] = [];
  for (let position = 0; position < characters.length; position += 1) {
    const read = parsePart(characters, position);
    if (read === undefined) return undefined;
    position = read.end;
    // Two stars in a row match what one does.
    if (read.part.kind !== 'star' || parts.at(-1)?.kind !== 'star') parts.push(read.part);
  }
  return parts;
}

/** Reads one part; `end` is the position of its last character. */
function parsePart(characters: readonly string[], position: number): { part: PatternPart; end: number } | undefined {
  const character = characters[position];
  if (character === '*') return { part: { kind: 'star' }, end: position };
  if (character === '?') return { part: { kind: 'any' }, end: position };
  if (character === '[') return parseClass(characters, position + 1);
  const end = character === '\\' ? position + 1 : position;
  const literal = characters[end];
  return literal === undefined ? undefined : { part: { kind: 'character', character: literal }, end };
}

function parseClass(characters: readonly string[], start: number): { part: PatternPart; end: number } | undefined {
  const isNegated = characters[start] === '^';
  const ranges: [string, string][] = [];
  let position = isNegated ? start + 1 : start;
  const readOne = (): string | undefined => {
    if (characters[position] === '\\') position += 1;
    const character = characters[position];
    position += 1;
    return character;
  };
  while (position < characters.length && (characters[position] !== ']' || ranges.length === 0)) {
    const low = readOne();
    const isRange = characters[position] === '-';
    if (isRange) position += 1;
    const high = isRange ? readOne() : low;
    if (low === undefined || high === undefined) return undefined;
    ranges.push([low, high]);
  }
  if (characters[position] !== ']') return undefined;
  return { part: { kind: 'class', isNegated, ranges }, end: position };
}

function matchesCharacter(part: PatternPart, character: string): boolean {
  if (part.kind === 'character') return part.character === character;
  if (part.kind !== 'class') return part.kind === 'any';
  return part.ranges.some(([low, high]) => low <= character && character <= high) !== part.isNegated;
}
