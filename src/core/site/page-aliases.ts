import { ConfigurationError } from '../runner/errors.ts';
import type { SiteFile } from './site-file.ts';
import { whyUnservable } from './source-checks.ts';

export interface AliasRules {
  /** `about.html` also answers at `/about`, and `docs/index.html` at `/docs/`. */
  readonly hasCleanUrls: boolean;
  /** Keys under which the start page is put as well. */
  readonly spaFallback: readonly string[];
  /** Of the site in its bucket: empty, or with a slash at its end. */
  readonly prefix: string;
}

/** A further path of a page. */
export interface Alias {
  readonly path: string;
  /** The path of the file that answers there. */
  readonly target: string;
}

/**
 * Decides on the objects by which pages answer under further URLs: S3 itself knows no rewriting, and a distribution
 * without a function asks for exactly the key that stands in the URL.
 *
 * A file of the source that has the name already wins over a clean URL; for a fallback it is an error, as is a source
 * without a start page. Throws ConfigurationError.
 */
export function planAliases(
  paths: readonly string[],
  { hasCleanUrls, spaFallback, prefix }: AliasRules,
): readonly Alias[] {
  const present = new Set(paths);
  // A route may be named twice, or be a page's clean URL: one object is enough.
  const aliases = new Map<string, string>();
  for (const target of hasCleanUrls ? paths : []) {
    const clean = cleanUrlOf(target);
    if (clean !== undefined && !present.has(clean)) aliases.set(clean, target);
  }
  for (const given of spaFallback) {
    const path = given.replace(/^\/+/, '');
    const problem = path === '' ? 'it is no path below the site' : whyUnservable(path, prefix);
    if (!present.has('index.html')) throw fallbackError('the source has no index.html');
    if (problem !== undefined) throw fallbackError(`${JSON.stringify(given)}: ${problem}`);
    if (present.has(path)) throw fallbackError(`the source has a file ${path} of its own`);
    aliases.set(path, 'index.html');
  }
  return [...aliases].map(([path, target]) => ({ path, target }));
}

/** The files, and those that stand at further paths. */
export function addAliases(files: readonly SiteFile[], aliases: readonly Alias[]): readonly SiteFile[] {
  if (aliases.length === 0) return files;
  const byPath = new Map(files.map((file) => [file.path, file]));
  const added = aliases.flatMap(({ path, target }) => {
    const file = byPath.get(target);
    return file === undefined ? [] : [{ ...file, path, kind: 'document' as const }];
  });
  return [...files, ...added];
}

function fallbackError(problem: string): ConfigurationError {
  return new ConfigurationError(`input "spa-fallback": ${problem}`);
}

function cleanUrlOf(path: string): string | undefined {
  const [, folder] = /^(.+\/)index\.html$/.exec(path) ?? [];
  if (folder !== undefined) return folder;
  const [, page] = /^(.+)\.html$/.exec(path) ?? [];
  return page === 'index' || page === undefined || page.endsWith('/index') ? undefined : page;
}
