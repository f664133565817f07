import { ConfigurationError } from '../runner/errors.ts';
import { contentKind } from './content-type.ts';
import { type FileKind, kindOf } from './file-kind.ts';
import { findFingerprinted } from './fingerprint.ts';
import { compileGlob, type PathTest } from './path-globs.ts';
import type { HashedFile, SiteFile } from './site-file.ts';

export interface CacheRule {
  readonly matches: PathTest;
  readonly value: string;
}

export interface HeaderRule {
  readonly matches: PathTest;
  /** In lower case. */
  readonly name: string;
  readonly value: string;
}

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

const SETTABLE =
  /^(cache-control|content-(type|disposition|encoding|language)|expires|x-amz-(meta-[\w-]{1,100}|acl|storage-class|tagging|website-redirect-location|server-side-encryption(-aws-kms-key-id|-bucket-key-enabled)?))$/;

/** Reads `cache-control`: lines of `GLOB: VALUE`. Throws ConfigurationError with the line. */
export function parseCacheRules(text: string): readonly CacheRule[] {
  return ruleLines(text).map(({ glob, rest, line }) => ({
    matches: compileGlob(glob),
    value: headerValue(rest, line),
  }));
}

/** Reads `headers`: lines of `GLOB: Name: value`. Throws ConfigurationError with the line. */
export function parseHeaderRules(text: string): readonly HeaderRule[] {
  return ruleLines(text).map(({ glob, rest, line }) => {
    const [, given = '', value = ''] = /^([\w-]+)\s*:\s*(.*)$/.exec(rest) ?? [];
    const name = given.toLowerCase();
    if (!SETTABLE.test(name)) {
      throw new ConfigurationError(
        `line ${line}: ${JSON.stringify(given === '' ? rest : given)} is no header that S3 keeps for an object; write GLOB: Name: value with Content-*, Cache-Control, Expires, x-amz-meta-*, x-amz-storage-class, x-amz-acl, x-amz-tagging, x-amz-website-redirect-location or x-amz-server-side-encryption`,
      );
    }
    return { matches: compileGlob(glob), name, value: headerValue(value, line) };
  });
}

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
      headers: Object.fromEntries([...headers].sort(([a], [b]) => (a < b ? -1 : 1))),
      content: { kind: 'file', location, crc32 },
    };
  });
}

function ruleLines(text: string): readonly { glob: string; rest: string; line: number }[] {
  return text.split(/\r?\n/).flatMap((source, index) => {
    const trimmed = source.trim();
    if (trimmed === '' || trimmed.startsWith('#')) return [];
    // A glob may hold a colon; the one that ends it has a blank after it.
    const [, glob, rest] = /^(.+?)\s*:\s+(.+)$/.exec(trimmed) ?? [];
    if (glob === undefined || rest === undefined) {
      throw new ConfigurationError(`line ${index + 1} (${JSON.stringify(trimmed)}) is no rule; write GLOB: VALUE`);
    }
    return [{ glob, rest, line: index + 1 }];
  });
}

/** Header values of S3 are sent as they are signed: visible ASCII, without line ends. */
function headerValue(text: string, line: number): string {
  const value = text.trim();
  if (value !== '' && /^[\t\u0020-\u007E]{1,2000}$/.test(value)) return value;
  throw new ConfigurationError(
    `line ${line}: a header's value is up to 2000 characters of ASCII; encode others with RFC 2047 or percent signs`,
  );
}
