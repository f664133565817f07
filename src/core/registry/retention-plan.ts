import picomatch from 'picomatch';
import type { RetentionRule } from './retention-rules.ts';

/** One version of a package: a manifest or index by its digest. */
export interface PackageVersion {
  readonly id: number;
  readonly digest: string;
  readonly tags: readonly string[];
  /** Milliseconds since the epoch. */
  readonly created: number;
}

/** What a manifest refers to: an index its images, an attestation the image it is about. */
export interface Links {
  readonly children: readonly string[];
  /** OCI image specification 1.1, `subject`; undefined for what speaks of nothing else. */
  readonly subject: string | undefined;
}

export interface Deletion extends PackageVersion {
  readonly reason: string;
}

export interface RetentionFacts {
  readonly now: number;
  /** Numbers of pull requests that are closed. */
  readonly closed: ReadonlySet<number>;
}

/** Numbers of the pull requests that tags speak of, by the rules. */
export function pullRequestsOf(
  versions: readonly PackageVersion[],
  rules: readonly RetentionRule[],
): ReadonlySet<number> {
  const numbers = rules
    .filter((rule) => rule.kind === 'closed-pull-requests')
    .flatMap(({ pattern }) => versions.flatMap(({ tags }) => tags.map((tag) => pullRequestOf(tag, pattern))));
  return new Set(numbers.filter((number) => number !== undefined));
}

/** What one rule says of one tag: why it may go, or undefined for it stays. */
interface Verdict {
  readonly version: PackageVersion;
  readonly tag: string;
  readonly reason: string | undefined;
}

/**
 * The tagged versions that may go. Deleting one takes all its tags: it goes only when every one of them may, and a tag
 * that no rule speaks of keeps it. Newest first is by the time that the version was made.
 */
export function expiredVersions(
  versions: readonly PackageVersion[],
  rules: readonly RetentionRule[],
  facts: RetentionFacts,
): readonly Deletion[] {
  const tagged = versions.filter(({ tags }) => tags.length > 0);
  const verdicts = rules.flatMap((rule): readonly Verdict[] => {
    if (rule.kind === 'tags') return judgeTags(tagged, rule, facts.now);
    return rule.kind === 'closed-pull-requests' ? judgePullRequests(tagged, rule.pattern, facts.closed) : [];
  });
  return tagged.flatMap((version): readonly Deletion[] => {
    const own = verdicts.filter((verdict) => verdict.version === version);
    const mayGo = (tag: string): boolean => {
      const ofTag = own.filter((verdict) => verdict.tag === tag);
      return ofTag.length > 0 && ofTag.every(({ reason }) => reason !== undefined);
    };
    if (!version.tags.every(mayGo)) return [];
    return [{ ...version, reason: [...new Set(own.map(({ reason }) => reason))].join('; ') }];
  });
}

function judgePullRequests(
  tagged: readonly PackageVersion[],
  pattern: string,
  closed: ReadonlySet<number>,
): readonly Verdict[] {
  return tagged.flatMap((version) =>
    version.tags.flatMap((tag): readonly Verdict[] => {
      const number = pullRequestOf(tag, pattern);
      if (number === undefined) return [];
      return [{ version, tag, reason: closed.has(number) ? `pull request ${number} is closed` : undefined }];
    }),
  );
}

function judgeTags(
  tagged: readonly PackageVersion[],
  rule: Extract<RetentionRule, { kind: 'tags' }>,
  now: number,
): readonly Verdict[] {
  const matches = picomatch(rule.pattern, { dot: true });
  return tagged
    .filter(({ tags }) => tags.some((tag) => matches(tag)))
    .sort((one, other) => other.created - one.created || other.id - one.id)
    .flatMap((version, position) => {
      const isKept = position < rule.newest || now - version.created < rule.age;
      const days = Math.floor((now - version.created) / 86_400_000);
      const reason = isKept ? undefined : `number ${position + 1} of ${rule.pattern}, ${days} days old`;
      return version.tags.filter((tag) => matches(tag)).map((tag) => ({ version, tag, reason }));
    });
}

function pullRequestOf(tag: string, pattern: string): number | undefined {
  const [before = '', after = ''] = pattern.split('{number}');
  if (!tag.startsWith(before) || !tag.endsWith(after)) return undefined;
  const number = tag.slice(before.length, tag.length - after.length);
  return /^[1-9]\d{0,9}$/.test(number) ? Number(number) : undefined;
}

/**
 * What is deleted: the `expired` versions, and with a rule for it the untagged ones that are old enough, except what
 * anything that stays is reached from.
 *
 * What stays are all other versions; with them all that they refer to, and what speaks of any of these (attestations with a
 * `subject`). A digest of which nothing is known (`links` has no entry) stays.
 */
export function planDeletions(
  versions: readonly PackageVersion[],
  expired: readonly Deletion[],
  rules: readonly RetentionRule[],
  links: ReadonlyMap<string, Links>,
  now: number,
): readonly Deletion[] {
  const age = Math.min(...rules.filter((rule) => rule.kind === 'untagged').map((rule) => rule.age));
  const untagged = versions
    .filter(({ tags, created }) => tags.length === 0 && now - created >= age)
    .map((version): Deletion => ({ ...version, reason: 'has no tag, and nothing that stays refers to it' }));
  const candidates = [...expired, ...untagged].filter(({ digest }) => links.has(digest));
  const mayGo = new Set(candidates.map(({ digest }) => digest));
  const stays = new Set<string>();
  const keep = (digest: string): void => {
    if (stays.has(digest)) return;
    stays.add(digest);
    for (const child of links.get(digest)?.children ?? []) keep(child);
  };
  for (const { digest } of versions) if (!mayGo.has(digest)) keep(digest);
  for (let size = -1; size !== stays.size; ) {
    size = stays.size;
    for (const [digest, { subject }] of links) if (subject !== undefined && stays.has(subject)) keep(digest);
  }
  return candidates.filter(({ digest }) => !stays.has(digest));
}
