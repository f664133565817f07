import type { Annotations } from '../../core/registry/manifest.ts';
import { ConfigurationError } from '../../core/runner/errors.ts';

const LEVELS: readonly string[] = ['manifest', 'index', 'manifest-descriptor', 'index-descriptor'];

/**
 * The annotations of an index: `key=value` lines, with buildx's levels in front (`index:`, `index,manifest:`). Lines of
 * other levels belong to the build. Throws ConfigurationError that names the line.
 */
export function parseIndexAnnotations(given: readonly string[]): Annotations {
  const annotations = new Map<string, string>();
  for (const [index, text] of given.entries()) {
    const line = text.trim();
    if (line === '' || line.startsWith('#')) continue;
    const split = line.indexOf('=');
    const { levels, key } = splitLevels(line.slice(0, Math.max(0, split)).trim());
    if (key === '') throw new ConfigurationError(`input "annotations", line ${index + 1}: "${line}" is no key=value`);
    if (levels.length === 0 || levels.includes('index')) annotations.set(key, line.slice(split + 1).trim());
  }
  return Object.fromEntries(annotations);
}

function splitLevels(text: string): { readonly levels: readonly string[]; readonly key: string } {
  const colon = text.indexOf(':');
  const levels = text
    .slice(0, Math.max(0, colon))
    .split(',')
    .map((level) => level.replace(/\[.*\]$/, ''));
  return colon > 0 && levels.every((level) => LEVELS.includes(level))
    ? { levels, key: text.slice(colon + 1) }
    : { levels: [], key: text };
}
