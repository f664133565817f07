import { describe, expect, test } from 'vitest';
import {
  expiredVersions,
  type Links,
  type PackageVersion,
  planDeletions,
  pullRequestsOf,
} from '../../../../src/core/registry/retention-plan.ts';
import { parseRetention } from '../../../../src/core/registry/retention-rules.ts';

const NOW = Date.parse('2026-06-01T00:00:00Z');
const DAY = 86_400_000;

/** A version that is so many days old; its digest is its name's. */
function version(name: string, days: number, tags: readonly string[] = []): PackageVersion {
  return { id: 1000 - days, digest: name, tags, created: NOW - days * DAY };
}

function expired(versions: readonly PackageVersion[], rules: readonly string[], closed: readonly number[] = []) {
  const facts = { now: NOW, closed: new Set(closed) };
  return expiredVersions(versions, parseRetention(rules), facts).map(({ digest }) => digest);
}

function deleted(
  versions: readonly PackageVersion[],
  rules: readonly string[],
  links: Readonly<Record<string, Partial<Links>>>,
): readonly string[] {
  const parsed = parseRetention(rules);
  const known = new Map(
    Object.entries(links).map(([digest, { children = [], subject }]) => [digest, { children, subject }]),
  );
  const gone = expiredVersions(versions, parsed, { now: NOW, closed: new Set() });
  return planDeletions(versions, gone, parsed, known, NOW).map(({ digest }) => digest);
}

describe('rules about tags', () => {
  const versions = [
    version('a', 1, ['sha-a']),
    version('b', 2, ['sha-b', 'latest']),
    version('c', 3, ['sha-c']),
    version('d', 40, ['sha-d']),
    version('e', 50, ['1.0.0']),
  ];

  test.each<[string, readonly string[], readonly string[]]>([
    ['the newest of a pattern stay', ['pattern=sha-*,newest=2'], ['c', 'd']],
    ['a tag that no rule speaks of keeps its version', ['pattern=sha-*,newest=1'], ['c', 'd']],
    ['what is young stays', ['pattern=sha-*,age=30d'], ['d']],
    ['either reason keeps', ['pattern=sha-*,newest=1,age=2d'], ['c', 'd']],
    ['no rule, no deletion', [], []],
    ['other patterns are left alone', ['pattern=edge-*,newest=1'], []],
    ['of two rules for one tag, both must let it go', ['pattern=sha-*,newest=1', 'pattern=sha-c,age=10d'], ['d']],
    ['all tags of a version are judged', ['pattern=sha-*,newest=1', 'pattern=latest,age=1d'], ['b', 'c', 'd']],
  ])('%s', (_what, rules, gone) => {
    expect(expired(versions, rules)).toEqual(gone);
  });

  test('tags of closed pull requests go, those of open ones stay', () => {
    const requests = [
      version('a', 1, ['pr-1']),
      version('b', 1, ['pr-2']),
      version('c', 1, ['pr-1', 'main']),
      version('d', 1, ['pr-x', 'pr-01']),
    ];
    expect(expired(requests, ['closed=pr-{number}'], [1])).toEqual(['a']);
    expect([...pullRequestsOf(requests, parseRetention(['closed=pr-{number}']))]).toEqual([1, 2]);
    expect(expired([version('a', 1, ['pr-7-gpu'])], ['closed=pr-{number}-gpu'], [7])).toEqual(['a']);
  });
});

describe('what has no tag', () => {
  test('goes when it is old and nothing refers to it', () => {
    const versions = [version('old', 8), version('young', 6), version('tagged', 90, ['1.0.0'])];
    const links = { old: {}, young: {}, tagged: {} };
    expect(deleted(versions, ['untagged=7d'], links)).toEqual(['old']);
    expect(deleted(versions, [], links)).toEqual([]);
  });

  test('stays as part of an index that stays, also when that one has no tag and is young', () => {
    const versions = [
      version('index', 90, ['1.0.0']),
      version('amd64', 90),
      version('attestation', 90),
      version('young', 1),
      version('arm64', 90),
      version('orphan', 90),
    ];
    const links = {
      index: { children: ['amd64', 'attestation'] },
      young: { children: ['arm64'] },
      amd64: {},
      attestation: {},
      arm64: {},
      orphan: {},
    };
    expect(deleted(versions, ['untagged=7d'], links)).toEqual(['orphan']);
  });

  test('goes with the index that goes, unless another one has it too', () => {
    const versions = [
      version('old', 90, ['sha-1']),
      version('new', 1, ['sha-2']),
      version('only-old', 90),
      version('both', 90),
    ];
    const links = { old: { children: ['only-old', 'both'] }, new: { children: ['both'] }, 'only-old': {}, both: {} };
    expect(deleted(versions, ['pattern=sha-*,newest=1', 'untagged=7d'], links)).toEqual(['old', 'only-old']);
  });

  test('stays when it speaks of what stays (attestations by subject), and goes with what it speaks of', () => {
    const versions = [version('image', 90, ['1']), version('old', 90), version('of-image', 90), version('of-old', 90)];
    const links = { image: {}, old: {}, 'of-image': { subject: 'image' }, 'of-old': { subject: 'old' } };
    expect(deleted(versions, ['untagged=7d'], links)).toEqual(['old', 'of-old']);
  });

  test('stays when the registry did not say what it is', () => {
    expect(deleted([version('unknown', 90)], ['untagged=7d'], {})).toEqual([]);
  });
});

test('a tagged image that an index refers to stays, whatever the rules say of its tag', () => {
  const versions = [version('index', 1, ['1.0.0']), version('amd64', 90, ['sha-1-amd64'])];
  const links = { index: { children: ['amd64'] }, amd64: {} };
  expect(deleted(versions, ['pattern=sha-*,age=30d'], links)).toEqual([]);
});

test.each([
  ['pattern=sha-*', 'says not what is kept'],
  ['pattern=sha-*,newest=0', 'is no number of 1 or more'],
  ['newest=3', 'is no rule'],
  ['closed=pr', 'must hold {number}'],
  ['untagged=10m', 'is under an hour'],
  ['untagged=7d,newest=2', 'is no rule'],
  ['keep=3', '"keep=3" is none of'],
  ['pattern=a,pattern=b,newest=1', 'each once'],
  ['pattern=a,age=soon', '"soon" is no time'],
])('the rule %s is refused: %s', (rule, message) => {
  expect(() => parseRetention(['# kept', rule])).toThrow(`input "retain", line 2: `);
  expect(() => parseRetention([rule])).toThrow(message);
});
