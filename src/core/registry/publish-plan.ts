import { ConfigurationError } from '../runner/errors.ts';
import { formatReference, type Repository } from './reference.ts';

/** A tag that a release asks for. */
export interface TagWish {
  readonly image: string;
  readonly variant: string;
  readonly repository: Repository;
  readonly tag: string;
  readonly digest: string;
}

export interface TagStep extends TagWish {
  readonly action: 'write' | 'unchanged' | 'skip';
  /** What the tag names now; undefined when it does not exist. */
  readonly current: string | undefined;
  /** Why it is not written; empty for `write`. */
  readonly reason: string;
}

export interface TagRules {
  /** True for tags that never name another digest once they name one. */
  readonly isImmutable: (tag: string) => boolean;
  /** Why a moving tag stays with what it names now; undefined when it may move. */
  readonly guard: (wish: TagWish, current: string) => string | undefined;
}

/**
 * Which tags are written, in which order, and which are not and why.
 *
 * The most specific come first and `latest` last, over all images: a run that is cut off in between has named new
 * versions, and left what people pull by moving tags where it was. Throws ConfigurationError when one tag is asked for
 * two digests.
 */
export function planTags(
  wishes: readonly TagWish[],
  currentOf: (wish: TagWish) => string | undefined,
  rules: TagRules,
): readonly TagStep[] {
  return orderWishes(wishes).map((wish): TagStep => {
    const current = currentOf(wish);
    if (current === undefined) return { ...wish, action: 'write', current, reason: '' };
    if (current === wish.digest) return { ...wish, action: 'unchanged', current, reason: 'names this digest already' };
    if (rules.isImmutable(wish.tag)) {
      return { ...wish, action: 'skip', current, reason: `names ${current} and is immutable ("immutable-tags")` };
    }
    const reason = rules.guard(wish, current);
    return reason === undefined
      ? { ...wish, action: 'write', current, reason: '' }
      : { ...wish, action: 'skip', current, reason };
  });
}

/** The wishes without repetitions, the most specific tags first; within a rank as they were given. */
export function orderWishes(wishes: readonly TagWish[]): readonly TagWish[] {
  const unique = new Map<string, TagWish>();
  for (const wish of wishes) {
    const name = formatReference({ ...wish.repository, tag: wish.tag });
    const known = unique.get(name);
    if (known !== undefined && known.digest !== wish.digest) {
      const of = ({ image, variant }: TagWish): string =>
        [image, variant].filter((part) => part !== '').join(' ') || 'an image';
      throw new ConfigurationError(
        `${name} would name two things: ${of(known)} (${known.digest}) and ${of(wish)} (${wish.digest})`,
      );
    }
    unique.set(name, wish);
  }
  return [...unique.values()].sort((one, other) => tagRank(one.tag) - tagRank(other.tag));
}

/** How far a tag moves: 0 for a full version or a commit, up to 4 for `latest` and its variants. */
export function tagRank(tag: string): 0 | 1 | 2 | 3 | 4 {
  if (/^latest(?:[-_.]|$)/i.test(tag)) return 4;
  if (/^v?\d+\.\d+\.\d/.test(tag) || /^(?:sha-|[a-z]+-)?[0-9a-f]{7,64}(?:-|$)/.test(tag)) return 0;
  if (/^v?\d+\.\d+(?:[-_]|$)/.test(tag)) return 1;
  return /^v?\d+(?:[-_]|$)/.test(tag) ? 2 : 3;
}

/** True for tags that name another image from time to time: all but full versions and commits. */
export function isMoving(tag: string): boolean {
  return tagRank(tag) > 0;
}
