import compareSemver from 'semver/functions/compare.js';
import parseSemver from 'semver/functions/parse.js';
import type { TemplateView } from './expressions.ts';
import { comparePythonVersions, parsePythonVersion } from './pep440.ts';

/** A version of either scheme, as rules need it. */
export interface Version {
  /** The text it was read from. */
  readonly raw: string;
  /** In normal form, build metadata or local part included. */
  readonly text: string;
  /** False for pre-releases, and by PEP 440 also for post- and development releases: they are never shortened. */
  readonly isFinal: boolean;
  /** True for what comes before its own final release. */
  readonly isPrerelease: boolean;
  /** What a pattern can name. */
  readonly values: TemplateView['values'];
  /** Negative when this version is the older one. Versions of the other scheme are equal to it. */
  compare(other: Version): number;
}

export type VersionScheme = 'semver' | 'pep440';

/** Parses a version of one scheme; undefined when it is none. A `v` in front is allowed by both. */
export function parseVersion(text: string, scheme: VersionScheme): Version | undefined {
  return scheme === 'semver' ? parseSemverVersion(text) : parsePep440Version(text);
}

function parseSemverVersion(text: string): Version | undefined {
  const parsed = parseSemver(text);
  if (parsed === null) return undefined;
  const full = parsed.build.length === 0 ? parsed.version : `${parsed.version}+${parsed.build.join('.')}`;
  return {
    raw: text,
    text: full,
    isFinal: parsed.prerelease.length === 0,
    isPrerelease: parsed.prerelease.length > 0,
    values: new Map<string, string | number>([
      ['raw', text],
      ['version', full],
      ['major', parsed.major],
      ['minor', parsed.minor],
      ['patch', parsed.patch],
      ['prerelease', parsed.prerelease.join('.')],
      ['build', parsed.build.join('.')],
    ]),
    compare: (other) => {
      const theirs = parseSemver(other.raw);
      return theirs === null ? 0 : compareSemver(parsed, theirs);
    },
  };
}

function parsePep440Version(text: string): Version | undefined {
  const parsed = parsePythonVersion(text);
  if (parsed === undefined) return undefined;
  const { pre, post, dev, release } = parsed;
  return {
    raw: text,
    text: parsed.normalized,
    isFinal: pre === undefined && post === undefined && dev === undefined,
    isPrerelease: pre !== undefined || dev !== undefined,
    values: new Map<string, string | number>([
      ['raw', text],
      ['version', parsed.normalized],
      ['major', release[0] ?? 0],
      ['minor', release[1] ?? 0],
      ['patch', release[2] ?? 0],
    ]),
    compare: (other) => {
      const theirs = parsePythonVersion(other.raw);
      return theirs === undefined ? 0 : comparePythonVersions(parsed, theirs);
    },
  };
}

/** A git tag that ends with a version: `app-v1.2.3` is version 1.2.3 of the family `app-`. */
export interface TaggedVersion {
  readonly family: string;
  readonly scheme: VersionScheme;
  readonly version: Version;
}

/** Reads the version at the end of a git tag, semver before PEP 440; undefined when there is none. */
export function versionOfTag(tag: string): TaggedVersion | undefined {
  const split = /^(|.*?[^0-9.])(v?\d[^/]*)$/.exec(tag.slice(0, 256));
  if (split === null) return undefined;
  const [, family = '', text = ''] = split;
  for (const scheme of ['semver', 'pep440'] as const) {
    const version = parseVersion(text, scheme);
    if (version !== undefined) return { family, scheme, version };
  }
  return undefined;
}
