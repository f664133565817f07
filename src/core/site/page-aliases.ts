import { ConfigurationError } from '../runner/errors.ts';
import type { SiteFile } from './site-file.ts';

export interface AliasRules {
  /** `about.html` also answers at `/about`, and `docs/index.html` at `/docs/`. */
  readonly hasCleanUrls: boolean;
  /** Keys under which the start page is put as well. */
  readonly spaFallback: readonly string[];
}

/**
 * Adds the objects by which pages answer under further URLs: S3 itself knows no rewriting, and a distribution without a
 * function asks for exactly the key that stands in the URL.
 *
 * A file of the source that has the name already wins over a clean URL; for a fallback it is an error, as is a source
 * without a start page. Throws ConfigurationError.
 */
export function addAliases(files: readonly SiteFile[], rules: AliasRules): readonly SiteFile[] {
  const byPath = new Map(files.map((file) => [file.path, file]));
  const aliases: SiteFile[] = [];
  for (const file of rules.hasCleanUrls ? files : []) {
    const clean = cleanUrlOf(file.path);
    if (clean !== undefined && !byPath.has(clean)) aliases.push({ ...file, path: clean, kind: 'document' });
  }
  const start = byPath.get('index.html');
  for (const given of rules.spaFallback) {
    const path = given.replace(/^\/+/, '');
    if (start === undefined) throw new ConfigurationError('input "spa-fallback": the source has no index.html');
    if (path === '' || path.split('/').some((segment) => segment === '.' || segment === '..')) {
      throw new ConfigurationError(`input "spa-fallback": ${JSON.stringify(given)} is no path below the site`);
    }
    if (byPath.has(path))
      throw new ConfigurationError(`input "spa-fallback": the source has a file ${path} of its own`);
    aliases.push({ ...start, path, kind: 'document' });
  }
  // A route may be named twice, or be a page's clean URL: one object is enough.
  return [...files, ...new Map(aliases.map((alias) => [alias.path, alias])).values()];
}

function cleanUrlOf(path: string): string | undefined {
  const [, folder] = /^(.+\/)index\.html$/.exec(path) ?? [];
  if (folder !== undefined) return folder;
  const [, page] = /^(.+)\.html$/.exec(path) ?? [];
  return page === 'index' || page === undefined || page.endsWith('/index') ? undefined : page;
}
