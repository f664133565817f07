import { contentKind } from './content-type.ts';
import { type FileKind, kindOf } from './file-kind.ts';
import { findFingerprinted } from './fingerprint.ts';
import type { CacheRule, HeaderRule } from './header-rules.ts';
import type { PathTest } from './path-globs.ts';
import type { HashedFile, SiteFile } from './site-file.ts';

/** `public` lets a shared cache keep what a request with credentials got; `immutable` spares the reload (RFC 8246). */
const FOREVER = 'public, max-age=31536000, immutable';
/** Kept, but never used without asking: a deploy is seen at the next load. */
const REVALIDATE = 'no-cache';
/** Images and fonts with fixed names: a deploy is seen within minutes, and pages need not ask for each. */
const SHORT = 'public, max-age=300, must-revalidate';

const CACHE_CONTROL: Readonly<Record<FileKind, string>> = {
  fingerprinted: FOREVER,
  asset: SHORT,
  document: REVALIDATE,
  'start page': REVALIDATE,
  'service worker': REVALIDATE,
};

/**
 * Gives each file its kind and the headers it shall have in the bucket.
 *
 * The first of the user's cache rules that matches wins; else names with a fingerprint are kept for a year, documents
 * and service workers are revalidated at each use, and the rest after five minutes. Header rules come last and all
 * apply, a later one over an earlier. `isEncodedBeside` is false where `app.js.br` beside `app.js` is a file like any.
 */
export function applyHeaderRules(
  files: readonly HashedFile[],
  rules: {
    readonly cache: readonly CacheRule[];
    readonly headers: readonly HeaderRule[];
    readonly isEntryDocument: PathTest;
    readonly isEncodedBeside: boolean;
  },
): readonly SiteFile[] {
  const paths = files.map(({ path }) => path);
  const present = new Set(rules.isEncodedBeside ? paths : []);
  const fingerprinted = findFingerprinted(paths);
  const isFingerprinted: PathTest = (path) => fingerprinted.has(path);
  const share = shareEqualHeaders();
  return files.map(({ path, location, size, sha256, crc32, encoding }) => {
    const kind = kindOf(path, rules.isEntryDocument, isFingerprinted);
    const content = contentKind(path, (inner) => present.has(inner));
    const headers = new Map([
      ['content-type', content.type],
      ['cache-control', rules.cache.find(({ matches }) => matches(path))?.value ?? CACHE_CONTROL[kind]],
    ]);
    const coding = encoding ?? content.encoding;
    if (coding !== undefined) headers.set('content-encoding', coding);
    for (const { matches, name, value } of rules.headers) if (matches(path)) headers.set(name, value);
    return {
      path,
      size,
      sha256,
      kind,
      headers: share(headers),
      content: { kind: 'file', location, crc32 },
    };
  });
}

/** Thousands of files have a handful of different headers: each stands in memory once, in the order of the names. */
function shareEqualHeaders(): (headers: ReadonlyMap<string, string>) => Readonly<Record<string, string>> {
  const known = new Map<string, Readonly<Record<string, string>>>();
  return (headers) => {
    const sorted = [...headers].sort(([a], [b]) => (a < b ? -1 : 1));
    const text = JSON.stringify(sorted);
    const shared = known.get(text) ?? Object.fromEntries(sorted);
    known.set(text, shared);
    return shared;
  };
}
