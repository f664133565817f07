import type { Row } from '../../core/images/row.ts';
import { ConfigurationError } from '../../core/runner/errors.ts';
import { nameOf, type Release } from './releases.ts';

export interface CheckedRelease extends Release {
  readonly platforms: readonly string[];
  readonly hasUnknownPlatforms: boolean;
}

/**
 * Stops a release that is not whole: every row of the matrix and every entry of `expect` must be there.
 *
 * Throws ConfigurationError that lists all that is missing.
 */
export function checkReleases(
  releases: readonly CheckedRelease[],
  wanted: {
    readonly rows: readonly Row[];
    readonly expect: readonly string[];
    readonly unknownPlatforms: 'allow' | 'reject';
  },
): void {
  const missing = [
    ...missingRows(releases, wanted.rows),
    ...missingSources(releases),
    ...wanted.expect.flatMap((entry) => missingExpected(releases, entry)),
  ];
  if (missing.length > 0) {
    throw new ConfigurationError(
      `the release is not whole, so nothing was named; missing: ${[...new Set(missing)].join(', ')}`,
    );
  }
  const unknown = releases.filter(({ hasUnknownPlatforms }) => hasUnknownPlatforms);
  if (wanted.unknownPlatforms === 'reject' && unknown.length > 0) {
    throw new ConfigurationError(
      `${unknown.map(nameOf).join(', ')} holds unknown/unknown entries, and "unknown-platforms" is "reject"; build without provenance and SBOM, or allow them`,
    );
  }
}

function missingRows(releases: readonly CheckedRelease[], rows: readonly Row[]): readonly string[] {
  return rows
    .filter(
      (row) =>
        !releases.some(
          (release) => release.image === row.image && release.variant === row.variant && holds(release, row.platform),
        ),
    )
    .map((row) => `${nameOf(row)} for ${row.platform}`);
}

function missingSources(releases: readonly CheckedRelease[]): readonly string[] {
  return releases.flatMap((release) =>
    release.sources
      .map(({ platform }) => platform)
      .filter((platform) => platform !== undefined)
      .filter((platform) => !holds(release, platform))
      .map((platform) => `${nameOf(release)} for ${platform}`),
  );
}

/** `platform` of every release, or `variant=platform` of one variant. */
function missingExpected(releases: readonly CheckedRelease[], entry: string): readonly string[] {
  const split = entry.indexOf('=');
  const platform = entry.slice(split + 1).trim();
  if (!/^[a-z0-9]+\/[a-z0-9_]+(?:\/[a-z0-9.]+)?$/.test(platform)) {
    throw new ConfigurationError(`input "expect": "${entry}" is no platform; write linux/arm64 or variant=linux/arm64`);
  }
  if (split === -1)
    return releases
      .filter((release) => !holds(release, platform))
      .map((release) => `${nameOf(release)} for ${platform}`);
  const variant = entry.slice(0, split).trim();
  const named = releases.filter((release) => release.variant === variant);
  if (named.length === 0) return [`variant ${variant} for ${platform}`];
  return named.filter((release) => !holds(release, platform)).map((release) => `${nameOf(release)} for ${platform}`);
}

function holds({ platforms }: CheckedRelease, platform: string): boolean {
  // Images write arm64 without its only variant.
  const plain = platform.replace(/^(\w+\/arm64)\/v8$/, '$1');
  return platforms.some((one) => one === plain || one.startsWith(`${plain}/`));
}
