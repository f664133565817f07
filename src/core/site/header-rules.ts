import { ConfigurationError } from '../runner/errors.ts';
import { compileGlob, type PathTest } from './path-globs.ts';

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

/** What S3 keeps with an object, and a request may say of it. */
const SETTABLE =
  /^(cache-control|content-(type|disposition|encoding|language)|expires|x-amz-(meta-[\w-]{1,100}|acl|storage-class|tagging|website-redirect-location|server-side-encryption(-aws-kms-key-id|-bucket-key-enabled)?))$/;

/** Whether a header, its name in lower case, is one that S3 keeps with an object. */
export function isObjectHeader(name: string): boolean {
  return SETTABLE.test(name);
}

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
    if (!isObjectHeader(name)) {
      throw new ConfigurationError(
        `line ${line}: ${JSON.stringify(given === '' ? rest : given)} is no header that S3 keeps for an object; write GLOB: Name: value with Content-*, Cache-Control, Expires, x-amz-meta-*, x-amz-storage-class, x-amz-acl, x-amz-tagging, x-amz-website-redirect-location or x-amz-server-side-encryption`,
      );
    }
    return { matches: compileGlob(glob), name, value: headerValue(value, line) };
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
