import { type Fired, type Judgement, renderVersion, versionIn } from './evaluate.ts';
import { parseVersion, type Version, type VersionScheme } from './versions.ts';

/**
 * Why the run may not take `latest`; undefined when it may.
 *
 * A run that is for a version takes it only when no newer final version of the same family stands in the repository,
 * and never for a pre-release (docker/metadata-action #80, #326, #407 give it to either).
 */
export function latestRefusal(fired: readonly Fired[], judgement: Judgement): string | undefined {
  const versioned = fired.find((verdict) => verdict.version !== undefined);
  const own = versioned?.version ?? familyOf(judgement.facts.ref.tag ?? '')?.version;
  if (own === undefined) return undefined;
  if (own.isPrerelease) return `${own.text} is a pre-release`;
  const newest = newerVersions(versioned, own, judgement).at(0);
  return newest === undefined ? undefined : `${newest.raw} is newer than ${own.raw}`;
}

/**
 * Why a name that more than one version can have (`1`, `1.2`) belongs to a newer version; undefined when it does not.
 *
 * The rule is asked for the name of each newer final version: what both would write is the newer one's. So any pattern
 * is understood, not only `{{major}}` and `{{major}}.{{minor}}`.
 */
export function movingTagRefusal(verdict: Fired, judgement: Judgement): string | undefined {
  const { rule, version } = verdict;
  if (rule.type === 'semver' || rule.type === 'pep440') {
    if (version === undefined || verdict.isImmutable) return undefined;
    const own = renderVersion(rule, version, judgement);
    const newer = newerVersions(verdict, version, judgement).find(
      (other) => renderVersion(rule, other, judgement) === own,
    );
    return newer === undefined ? undefined : `${newer.raw} is newer and has this name`;
  }
  if (rule.type !== 'match' || rule.value !== '') return undefined;
  const family = familyOf(judgement.facts.ref.tag ?? '');
  const own = rule.pattern.exec(judgement.facts.ref.tag ?? '')?.[rule.group];
  if (family === undefined || own === undefined) return undefined;
  const newer = newerVersions(undefined, family.version, judgement).find(
    ({ raw }) => rule.pattern.exec(`${family.name}${raw}`)?.[rule.group] === own,
  );
  return newer === undefined ? undefined : `${family.name}${newer.raw} is newer and has this name`;
}

/** Final versions among the repository's tags that are newer than `own`, the newest first. */
function newerVersions(verdict: Fired | undefined, own: Version, { facts }: Judgement): readonly Version[] {
  const read = readerFor(verdict, facts.ref.tag ?? '');
  return (facts.gitTags ?? [])
    .map(read)
    .filter((version) => version !== undefined)
    .filter((version) => !version.isUnstable && version.compare(own) > 0)
    .sort((a, b) => b.compare(a));
}

function readerFor(verdict: Fired | undefined, ownTag: string): (tag: string) => Version | undefined {
  const rule = verdict?.rule;
  if (rule?.type === 'semver' || rule?.type === 'pep440') {
    const read = (tag: string): { readonly family: string; readonly version: Version } | undefined => {
      const source = tag.replaceAll('/', '-');
      const version = versionIn(rule, source);
      if (typeof version === 'string') return undefined;
      return { family: source.slice(0, source.indexOf(version.raw)).replace(/v$/, ''), version };
    };
    // A `match` such as `v(.*)` reads the versions of every part of a monorepo; the part's own ones count.
    const own = rule.value === '' ? read(ownTag) : undefined;
    return (tag) => {
      const other = read(tag);
      return own === undefined || other?.family === own.family ? other?.version : undefined;
    };
  }
  const own = familyOf(ownTag);
  if (own === undefined) return () => undefined;
  return (tag) => (tag.startsWith(own.name) ? parseVersion(tag.slice(own.name.length), own.scheme) : undefined);
}

interface Family {
  readonly name: string;
  readonly scheme: VersionScheme;
  readonly version: Version;
}

/** A git tag's family (`app-` of `app-v1.2.3`), so that the versions of one part of a monorepo are compared alone. */
function familyOf(tag: string): Family | undefined {
  const split = /^(|.*?[^0-9.])(v?\d[^/]*)$/.exec(tag.slice(0, 256));
  if (split === null) return undefined;
  const [, name = '', text = ''] = split;
  for (const scheme of ['semver', 'pep440'] as const) {
    const version = parseVersion(text, scheme);
    if (version !== undefined) return { name, scheme, version };
  }
  return undefined;
}
