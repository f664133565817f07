/**
 * A version by PEP 440, "Version Identification and Dependency Specification".
 *
 * Tried against @renovate/pep440 1.0: both read and order 20 000 versions alike, but for local parts, which the package
 * joins by commas (`1.0+ubuntu,1`); here every number is bounded, too.
 */
export interface PythonVersion {
  /** In the PEP's normal form: `1!1.0rc1.post2.dev3+local.1`. */
  readonly normalized: string;
  readonly epoch: number;
  readonly release: readonly number[];
  readonly pre: readonly [letter: 'a' | 'b' | 'rc', number: number] | undefined;
  readonly post: number | undefined;
  readonly dev: number | undefined;
  readonly local: readonly (string | number)[];
}

/** PEP 440, Appendix B, with the numbers bounded. */
const VERSION =
  /^v?(?:(?<epoch>\d{1,9})!)?(?<release>\d{1,15}(?:\.\d{1,15}){0,19})(?<pre>[-_.]?(?<letter>alpha|a|beta|b|preview|pre|c|rc)[-_.]?(?<number>\d{0,15}))?(?<post>-(?<implicit>\d{1,15})|[-_.]?(?:post|rev|r)[-_.]?(?<explicit>\d{0,15}))?(?<dev>[-_.]?dev[-_.]?(?<devNumber>\d{0,15}))?(?:\+(?<local>[a-z0-9]+(?:[-_.][a-z0-9]+)*))?$/i;

const LETTERS: Readonly<Record<string, 'a' | 'b' | 'rc'>> = {
  a: 'a',
  alpha: 'a',
  b: 'b',
  beta: 'b',
  c: 'rc',
  rc: 'rc',
  pre: 'rc',
  preview: 'rc',
};

/** Parses a version in any spelling that PEP 440 allows; undefined when it is none. */
export function parsePythonVersion(text: string): PythonVersion | undefined {
  if (text.length > 256) return undefined;
  const groups = VERSION.exec(text.trim())?.groups;
  if (groups === undefined) return undefined;
  const release = (groups['release'] ?? '').split('.').map(Number);
  const letter = LETTERS[(groups['letter'] ?? '').toLowerCase()];
  const parsed = {
    epoch: Number(groups['epoch'] ?? 0),
    release,
    pre: letter === undefined ? undefined : ([letter, Number(groups['number'] || 0)] as const),
    post: groups['post'] === undefined ? undefined : Number(groups['implicit'] ?? (groups['explicit'] || 0)),
    dev: groups['dev'] === undefined ? undefined : Number(groups['devNumber'] || 0),
    local: (groups['local'] ?? '')
      .toLowerCase()
      .split(/[-_.]/)
      .filter((part) => part !== '')
      .map((part) => (/^\d+$/.test(part) ? Number(part) : part)),
  };
  return { ...parsed, normalized: normalize(parsed) };
}

function normalize(version: Omit<PythonVersion, 'normalized'>): string {
  const epoch = version.epoch === 0 ? '' : `${version.epoch}!`;
  const pre = version.pre === undefined ? '' : version.pre.join('');
  const post = version.post === undefined ? '' : `.post${version.post}`;
  const dev = version.dev === undefined ? '' : `.dev${version.dev}`;
  const local = version.local.length === 0 ? '' : `+${version.local.join('.')}`;
  return `${epoch}${version.release.join('.')}${pre}${post}${dev}${local}`;
}

/** Orders two versions by PEP 440, "Summary of permitted suffixes and relative ordering". Local parts are not compared. */
export function comparePythonVersions(a: PythonVersion, b: PythonVersion): number {
  const [left, right] = [orderOf(a), orderOf(b)];
  for (let index = 0; index < Math.max(left.length, right.length); index += 1) {
    const difference = (left[index] ?? 0) - (right[index] ?? 0);
    if (difference !== 0) return Math.sign(difference);
  }
  return 0;
}

const PRE_ORDER = { a: 1, b: 2, rc: 3 } as const;
const FINAL = 4;
const LONGEST_RELEASE = 20;

/** The version as numbers of which the first that differ decide. */
function orderOf({ epoch, release, pre, post, dev }: PythonVersion): readonly number[] {
  const padded = Array.from({ length: LONGEST_RELEASE }, (_, index) => release[index] ?? 0);
  // A development release of a final one comes before its pre-releases: 1.0.dev1 < 1.0a1.
  const stage = pre !== undefined ? PRE_ORDER[pre[0]] : post === undefined && dev !== undefined ? 0 : FINAL;
  return [epoch, ...padded, stage, pre?.[1] ?? 0, post ?? -1, dev ?? Number.MAX_SAFE_INTEGER];
}
