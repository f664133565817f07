import { ConfigurationError } from '../../core/runner/errors.ts';
import { parsePrefix } from '../../core/site/prefix.ts';
import type { ReleasePlace } from '../../core/site/restore-release.ts';

/** Reads `rollback-to`: a release's id, or `previous`. Throws ConfigurationError. */
export function parseRelease(text: string): string {
  if (/^[\w-]{1,100}$/.test(text)) return text;
  throw new ConfigurationError(
    `${JSON.stringify(text)} is no release; write an id such as 20261120T101500Z-1a2b3c4-9f3e, or previous`,
  );
}

/** Reads `promote`: `FOLDER/RELEASE`, or `/RELEASE` for the site at the bucket's root. Throws ConfigurationError. */
export function parsePromotion(text: string): ReleasePlace {
  const end = text.lastIndexOf('/');
  if (end === -1) {
    throw new ConfigurationError(
      `${JSON.stringify(text)} names no site; write FOLDER/RELEASE, such as staging/live, or use "rollback-to" for a release of this site`,
    );
  }
  return { prefix: parsePrefix(text.slice(0, end)), release: parseRelease(text.slice(end + 1)) };
}
