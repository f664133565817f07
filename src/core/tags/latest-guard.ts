import type { Fired, Judgement } from './judge-rule.ts';
import { renderVersion, versionIn } from './version-names.ts';
import { compareVersions, parseVersion, type Version, versionOfTag } from './versions.ts';

/**
 * Why the run may not take `latest`; undefined when it may.
 *
 * A run that is for a version takes it only when no newer final version of the same family stands in the repository,
 * and never for a pre-release (docker/metadata-action #80, #326, #407 give it to either).
 */
export function latestRefusal(fired: readonly Fired[], judgement: Judgement): string | undefined {
  const versioned = fired.find((verdict) => verdict.version !== undefined);
  const own = versioned?.version ?? versionOfTag(judgement.facts.ref.tag ?? '')?.version;
  if (judgement.facts.isPrerelease) return 'the release is marked as a pre-release';
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
  const tagged = versionOfTag(judgement.facts.ref.tag ?? '');
  const own = rule.pattern.exec(judgement.facts.ref.tag ?? '')?.[rule.group];
  if (tagged === undefined || own === undefined) return undefined;
  const newer = newerVersions(undefined, tagged.version, judgement).find(
    ({ raw }) => rule.pattern.exec(`${tagged.family}${raw}`)?.[rule.group] === own,
  );
  return newer === undefined ? undefined : `${tagged.family}${newer.raw} is newer and has this name`;
}

/** Final versions among the repository's tags that are newer than `own`, the newest first. */
function newerVersions(verdict: Fired | undefined, own: Version, { facts }: Judgement): readonly Version[] {
  const read = readerFor(verdict, facts.ref.tag ?? '');
  return (facts.gitTags ?? [])
    .map(read)
    .filter((version) => version !== undefined)
    .filter((version) => version.isFinal && compareVersions(version, own) > 0)
    .sort((a, b) => compareVersions(b, a));
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
  const own = versionOfTag(ownTag);
  if (own === undefined) return () => undefined;
  return (tag) => (tag.startsWith(own.family) ? parseVersion(tag.slice(own.family.length), own.scheme) : undefined);
}
