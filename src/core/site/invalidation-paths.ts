import type { DeployPlan } from './deploy-plan.ts';

/** Above this many paths they are folded: each is paid for beyond 1,000 a month, and counts against 3,000 in progress. */
const FOLDED_ABOVE = 30;
/** What CloudFront carries out of a distribution at a time (CloudFront quotas, "Invalidations"). */
export const MAX_PATHS = 3000;
export const MAX_WILDCARDS = 15;

/** Paths of a plan whose objects in an edge cache are no longer right: replaced, given new headers, or new documents. */
export function changedPaths(plan: DeployPlan): readonly string[] {
  return plan.groups
    .flat()
    .filter(({ isReplaced, file }) => isReplaced || file.kind === 'document' || file.kind === 'start page')
    .map(({ path }) => path);
}

/**
 * The paths to invalidate in CloudFront for paths of the site: `/about/index.html` and, as visitors ask for it,
 * `/about/`; percent-encoded; folded into one wildcard a folder, or one for the site, when they are many.
 *
 * `roots` are what may stand before the site's paths in the distribution's URLs, each empty or with a slash at its end
 * (`siteRoots`).
 */
export function invalidationPaths(paths: readonly string[], roots: readonly string[]): readonly string[] {
  const wanted = paths.flatMap((path) => roots.flatMap((root) => urlsOf(root + path)));
  const distinct = [...new Set(wanted)];
  if (distinct.length <= FOLDED_ABOVE) return distinct;
  const folded = [...new Set(distinct.map((url) => foldToFolder(url, roots)))];
  const isWithinLimits =
    folded.length <= FOLDED_ABOVE && folded.filter((path) => path.endsWith('*')).length <= MAX_WILDCARDS;
  return isWithinLimits ? folded : wholeSite(roots);
}

/** The wildcards for all of a site. */
export function wholeSite(roots: readonly string[]): readonly string[] {
  return roots.includes('') ? ['/*'] : roots.map((root) => `/${root}*`);
}

/**
 * What may stand before a site's paths in URLs. The prefix may be the distribution's origin path, which is no part of
 * its URLs, or a folder of it: `originPaths` (such as `/app`) tells which; where they are not known, both are named.
 */
export function siteRoots(prefix: string, originPaths: readonly string[] | undefined): readonly string[] {
  if (prefix === '') return [''];
  if (originPaths === undefined) return ['', prefix];
  const roots = originPaths.flatMap((path) => {
    const folder = path.replace(/^\/+|\/+$/g, '');
    const base = folder === '' ? '' : `${folder}/`;
    return prefix.startsWith(base) ? [prefix.slice(base.length)] : [];
  });
  return roots.length === 0 ? ['', prefix] : [...new Set(roots)];
}

function urlsOf(path: string): readonly string[] {
  // A `*` that is part of a name must not become a wildcard.
  const url = `/${path.split('/').map(encodeURIComponent).join('/').replaceAll('*', '%2A')}`;
  return url.endsWith('/index.html') ? [url, url.slice(0, -'index.html'.length)] : [url];
}

/** `/docs/a/b.html` → `/docs/*`; what stands at the site's root stays as it is. */
function foldToFolder(url: string, roots: readonly string[]): string {
  const lengths = roots.filter((root) => url.startsWith(`/${root}`)).map(({ length }) => length + 1);
  const end = url.indexOf('/', Math.max(1, ...lengths));
  return end === -1 ? url : `${url.slice(0, end)}/*`;
}
