import type { SemVer } from 'semver';
import compareSemver from 'semver/functions/compare.js';
import parseSemver from 'semver/functions/parse.js';
import type { TemplateView } from './expressions.ts';
import { comparePythonVersions, type PythonVersion, parsePythonVersion } from './pep440.ts';

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
  /** What versions are compared by. */
  readonly parsed:
    | { readonly scheme: 'semver'; readonly semver: SemVer }
    | { readonly scheme: 'pep440'; readonly python: PythonVersion };
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
    parsed: { scheme: 'semver', semver: parsed },
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
    parsed: { scheme: 'pep440', python: parsed },
  };
}

/** Negative when `a` is the older one. Versions of different schemes are equal. */
export function compareVersions({ parsed: a }: Version, { parsed: b }: Version): number {
  if (a.scheme === 'semver' && b.scheme === 'semver') return compareSemver(a.semver, b.semver);
  if (a.scheme === 'pep440' && b.scheme === 'pep440') return comparePythonVersions(a.python, b.python);
  return 0;
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
