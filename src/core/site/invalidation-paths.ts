import type { DeployPlan } from './deploy-plan.ts';

/** Above this many paths they are folded: each is paid for beyond 1,000 a month, and counts against 3,000 in progress. */
const MAX_PATHS = 30;
/** CloudFront carries out 15 wildcard paths of a distribution at a time (CloudFront quotas). */
const MAX_WILDCARDS = 15;

/** Paths of a plan whose objects in an edge cache are no longer right: replaced, given new headers, or new documents. */
export function changedPaths(plan: DeployPlan): readonly string[] {
  return plan.groups
    .flat()
    .filter(({ isReplaced, phase }) => isReplaced || phase === 'documents' || phase === 'index')
    .map(({ path }) => path);
}

/**
 * The paths to invalidate in CloudFront for paths of the site: `/about/index.html` and, as visitors ask for it,
 * `/about/`; percent-encoded; folded into one wildcard a folder, or `/*`, when they are many.
 *
 * A prefix may be the distribution's origin path, which is not part of its URLs, or a folder of it: with a prefix both
 * forms are named, since telling them apart takes a permission more.
 */
export function invalidationPaths(paths: readonly string[], prefix: string): readonly string[] {
  const roots = prefix === '' ? [''] : ['', prefix];
  const wanted = paths.flatMap((path) => roots.flatMap((root) => urlsOf(root + path)));
  const distinct = [...new Set(wanted)];
  if (distinct.length <= MAX_PATHS) return distinct;
  const folded = [...new Set(distinct.map(foldToFolder))];
  const isWithinLimits =
    folded.length <= MAX_PATHS && folded.filter((path) => path.endsWith('*')).length <= MAX_WILDCARDS;
  return isWithinLimits ? folded : ['/*'];
}

function urlsOf(path: string): readonly string[] {
  const url = `/${path.split('/').map(encodeURIComponent).join('/')}`;
  return url.endsWith('/index.html') ? [url, url.slice(0, -'index.html'.length)] : [url];
}

/** `/docs/a/b.html` → `/docs/*`; what stands at the root stays as it is. */
function foldToFolder(url: string): string {
  const end = url.indexOf('/', 1);
  return end === -1 ? url : `${url.slice(0, end)}/*`;
}
