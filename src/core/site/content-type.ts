import { lookup } from 'mime-types';

export interface ContentKind {
  /** Such as `text/html; charset=utf-8`. */
  readonly type: string;
  /** `br` or `gzip` for a file that was compressed beforehand. */
  readonly encoding: string | undefined;
}

/** Types that are text whatever they are called: browsers guess an encoding for those that name none. */
const IS_TEXT =
  /^text\/|^application\/(javascript|json|xml|manifest\+json|ld\+json|rtf|xhtml\+xml|rss\+xml|atom\+xml)$|\+(xml|json)$/;

/** What mime-db lacks, or names otherwise than browsers want it (HTML Standard, RFC 9239; Apple's and Android's docs). */
const OWN_TYPES = new Map([
  ['apple-app-site-association', 'application/json'],
  ['.js', 'text/javascript'],
  ['.cjs', 'text/javascript'],
  ['.mjs', 'text/javascript'],
  ['.map', 'application/json'],
  ['.ico', 'image/x-icon'],
  ['.webmanifest', 'application/manifest+json'],
]);

const ENCODINGS = new Map([
  ['.br', 'br'],
  ['.gz', 'gzip'],
]);

/**
 * The content type and encoding of a file by its name.
 *
 * `app.js.br` is JavaScript in brotli when `app.js` stands beside it (`isBeside`); alone, it is a download of its own,
 * as `data.tar.gz` is. A name without a known extension is `application/octet-stream`.
 */
export function contentKind(path: string, isBeside: (path: string) => boolean): ContentKind {
  const extension = extensionOf(path);
  const encoding = ENCODINGS.get(extension);
  const inner = path.slice(0, path.length - extension.length);
  if (encoding !== undefined && isBeside(inner)) return { type: typeOf(inner), encoding };
  return { type: typeOf(path), encoding: undefined };
}

function typeOf(path: string): string {
  const name = path.slice(path.lastIndexOf('/') + 1);
  const type = OWN_TYPES.get(name) ?? OWN_TYPES.get(extensionOf(path)) ?? (lookup(name) || 'application/octet-stream');
  return IS_TEXT.test(type) ? `${type}; charset=utf-8` : type;
}

/** With its dot, in lower case; empty when the name has none. */
export function extensionOf(path: string): string {
  return (/\.[^./]+$/.exec(path)?.[0] ?? '').toLowerCase();
}
