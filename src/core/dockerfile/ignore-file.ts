import dockerignore from '@balena/dockerignore';

/** Decides whether a path, relative to the context's root, is left out of the context. */
export type IsIgnored = (path: string) => boolean;

export const NOTHING_IGNORED: IsIgnored = () => false;

const MAX_BYTES = 1024 * 1024;
const MAX_PATTERNS = 10_000;
/** The matcher compiles patterns to regular expressions, whose cost grows with the power of their stars. */
const MAX_STARS = 8;

/**
 * Reads a `.dockerignore` in the semantics of moby's patternmatcher: the last matching line wins, a pattern matches
 * from the context's root, and what lies below a match is matched.
 *
 * A file that is too large, or holds a pattern that could take forever, ignores nothing: the build then reads more,
 * never less, than it does.
 */
export function readIgnoreFile(text: string): IsIgnored {
  if (text.length > MAX_BYTES) return NOTHING_IGNORED;
  const patterns = text
    .replace(/^\uFEFF/, '')
    .split(/\r?\n/)
    .filter((line) => !line.startsWith('#') && line.trim() !== '');
  if (patterns.length === 0 || patterns.length > MAX_PATTERNS || patterns.some(isCostly)) return NOTHING_IGNORED;
  return matcher(patterns);
}

/** What `COPY --exclude` leaves out; patterns are those of an ignore file. */
export function readExcludes(patterns: readonly string[]): IsIgnored {
  return patterns.length === 0 || patterns.some(isCostly) ? NOTHING_IGNORED : matcher(patterns);
}

/** The ignore file of a build: `<Dockerfile>.dockerignore` wins over the context's own. Docker reference, "Filename and location". */
export function ignoreFileCandidates(dockerfile: string, context: string): readonly string[] {
  return [`${dockerfile}.dockerignore`, context === '.' ? '.dockerignore' : `${context}/.dockerignore`];
}

function matcher(patterns: readonly string[]): IsIgnored {
  const ignore = dockerignore.default({ ignorecase: false });
  for (const pattern of patterns) ignore.add(escapeForMatcher(pattern));
  return (path) => ignore.ignores(path);
}

function isCostly(pattern: string): boolean {
  return (pattern.match(/\*+/g)?.length ?? 0) > MAX_STARS;
}

/** @balena/dockerignore 1.0.2 puts these characters into its regular expression as they are: `(group)/+page.ts`. */
function escapeForMatcher(pattern: string): string {
  let isInClass = false;
  return pattern.replace(/\\.|[[\]+(){}|^]/g, (text) => {
    if (text === '[') isInClass = true;
    else if (text === ']') isInClass = false;
    else if (text.length === 1 && !isInClass) return `\\${text}`;
    return text;
  });
}
