import { posix } from 'node:path';
import picomatch from 'picomatch';
import type { Snapshot } from './snapshot.ts';

const LICENCE = /(?:^|\/)(?:LICEN[CS]E|COPYING)(?:[._-][^/]*)?$/i;

/**
 * Why a file belongs to somebody else's code that was copied into the repository; undefined for the repository's own.
 *
 * Two marks are trusted: `linguist-vendored` in `.gitattributes`, and a folder with a licence file of other contents
 * than the repository's own (packages of a monorepo repeat the root's licence).
 */
export async function createVendoredTest(snapshot: Snapshot): Promise<(path: string) => string | undefined> {
  await snapshot.load(['.gitattributes']);
  const isMarked = readVendoredPatterns(snapshot.text('.gitattributes') ?? '');
  const licences = new Map<string, readonly string[]>();
  for (const { path, id } of snapshot.entries) {
    // Nearly no file has such a name: one character tells before the pattern is tried.
    if (!'LlCc'.includes(path.charAt(path.lastIndexOf('/') + 1)) || !LICENCE.test(path)) continue;
    const folder = posix.dirname(path);
    licences.set(folder, [...(licences.get(folder) ?? []), id]);
  }
  const own = new Set(licences.get('.') ?? []);
  return (path) => {
    if (isMarked(path)) return 'linguist-vendored in .gitattributes';
    if (own.size === 0) return undefined;
    for (let folder = posix.dirname(path); folder !== '.'; folder = posix.dirname(folder)) {
      if (licences.get(folder)?.every((id) => !own.has(id)) === true) return `"${folder}" has a licence of its own`;
    }
    return undefined;
  };
}

/** Patterns of `.gitattributes`: without a slash they match in every folder. The last line that matches decides. */
function readVendoredPatterns(text: string): (path: string) => boolean {
  const rules = text.split(/\r?\n/).flatMap((line) => {
    const [pattern = '', ...attributes] = line.trim().split(/\s+/);
    const attribute = attributes.findLast((word) => /^[-!]?linguist-vendored(?:=|$)/.test(word));
    if (attribute === undefined || pattern === '' || pattern.startsWith('#')) return [];
    const anchored = pattern.replace(/^\/|\/+$/g, '');
    const globs = pattern.slice(0, -1).includes('/') ? [anchored] : [anchored, `**/${anchored}`];
    const matches = picomatch([...globs, ...globs.map((glob) => `${glob}/**`)], { dot: true });
    return [{ matches, isVendored: !/^[-!]|=false$/.test(attribute) }];
  });
  return (path) => rules.findLast(({ matches }) => matches(path))?.isVendored === true;
}
