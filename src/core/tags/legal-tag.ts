import { createHash } from 'node:crypto';

/** A tag by the OCI distribution specification 1.1, "Pulling manifests". */
const TAG = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$/;
const MAX_TAG = 128;
const HASH_LENGTH = 8;

/** True when a registry takes the text as a tag. */
export function isLegalTag(text: string): boolean {
  return TAG.test(text);
}

export interface LegalTag {
  readonly tag: string;
  /** Why the tag differs from the text, for a notice; empty when only `/` became `-`, or nothing changed. */
  readonly changes: readonly string[];
}

/**
 * Makes a text a legal tag, and says what it lost on the way.
 *
 * Runs of other characters become `-` (as in docker/metadata-action). A leading `-` or `.` is dropped. What is longer
 * than 128 characters, `ending` included, is cut and gets a hash of the whole text, so that two long names which
 * begin alike stay two. `ending` (a variant, `-gpu`) is never cut; it must be legal itself.
 */
export function toLegalTag(text: string, ending = ''): LegalTag {
  const changes: string[] = [];
  const foreign = text.replace(/[A-Za-z0-9._/-]+/g, '');
  if (foreign.includes('+')) changes.push('"+" became "-", which tags have not');
  if (/[^+]/.test(foreign)) changes.push(`characters that no tag may hold became "-"`);
  let tag = text.replace(/[^A-Za-z0-9._-]+/g, '-');
  if (/^[.-]/.test(tag)) {
    tag = tag.replace(/^[.-]+/, '');
    changes.push('a tag may not begin with "-" or "."');
  }
  const room = MAX_TAG - ending.length;
  if (tag.length > room) {
    tag = `${tag.slice(0, room - HASH_LENGTH - 1)}-${hashOf(text)}`;
    changes.push(
      `it was cut from ${text.length} characters to the ${MAX_TAG} of a tag, with a hash of the whole at its end`,
    );
  }
  return { tag: tag === '' ? '' : `${tag}${ending}`, changes };
}

/** A name for a ref in which nothing is legal, such as `日本`: `ref-` and a hash; other texts come back as they are. */
export function nameForForeign(text: string): string {
  return text === '' || /[A-Za-z0-9_]/.test(text) ? text : `ref-${hashOf(text)}`;
}

/** The first 8 hexadecimal digits of SHA-256. */
function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, HASH_LENGTH);
}
