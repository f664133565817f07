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
  /** Semver: a pre-release. PEP 440: a pre-, post- or development release. Such a version is never shortened. */
  readonly isUnstable: boolean;
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
    isUnstable: parsed.prerelease.length > 0,
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
    isUnstable: pre !== undefined || post !== undefined || dev !== undefined,
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
