import picomatch from 'picomatch';
import { eachAtMost } from '../../core/net/bounded-parallel.ts';
import { orderWishes, planTags, type TagStep, type TagWish } from '../../core/registry/publish-plan.ts';
import type { RegistryClient } from '../../core/registry/registry-client.ts';
import type { GlobList } from '../../core/runner/input-grammar.ts';
import { type AskAncestry, judgeMoves, type Move, moveKey } from './guard.ts';
import type { LoadedRelease } from './load-release.ts';
import type { Tagged } from './wanted-tags.ts';

/** Requests at once while nothing is written. */
const PARALLEL = 8;

/** Reads what every tag names now, and decides what is written. `tags` are in the releases' order. */
export async function planPublication(
  client: RegistryClient,
  releases: readonly LoadedRelease[],
  tags: readonly (readonly Tagged[])[],
  rules: { readonly immutableTags: GlobList; readonly askAncestry: AskAncestry; readonly latestGuard: boolean },
): Promise<readonly TagStep[]> {
  const wishes = orderWishes(
    releases.flatMap(({ image, variant, index }, position) =>
      (tags[position] ?? []).map(({ tag, registry, name }): TagWish => {
        return { image, variant, repository: { registry, name }, tag, digest: index.manifest.digest };
      }),
    ),
  );
  const current = new Map<string, string>();
  await eachAtMost(PARALLEL, wishes, async (wish) => {
    const digest = await client.findDigest(wish.repository, wish.tag);
    if (digest !== undefined) current.set(moveKey(wish), digest);
  });
  const isImmutable = tagMatcher(rules.immutableTags);
  const moves = wishes.flatMap((wish): Move[] => {
    const names = current.get(moveKey(wish));
    const release = releases.find(({ image, variant }) => image === wish.image && variant === wish.variant);
    if (names === undefined || names === wish.digest || isImmutable(wish.tag) || release === undefined) return [];
    return [{ wish, current: names, origin: release.origin }];
  });
  const reasons = rules.latestGuard ? await judgeMoves(client, moves, rules.askAncestry) : new Map<string, string>();
  return planTags(wishes, (wish) => current.get(moveKey(wish)), {
    isImmutable,
    guard: (wish) => reasons.get(moveKey(wish)),
  });
}

/** True for tags that the last glob which matches them includes. */
export function tagMatcher(globs: GlobList): (tag: string) => boolean {
  const rules = globs.map(({ glob, isExcluded }) => ({ matches: picomatch(glob, { dot: true }), isExcluded }));
  return (tag) => rules.findLast(({ matches }) => matches(tag))?.isExcluded === false;
}
