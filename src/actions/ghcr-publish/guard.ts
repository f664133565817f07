import { request } from '../../core/net/request.ts';
import { type ImageOrigin, readOrigin } from '../../core/registry/image-origin.ts';
import { parseManifest } from '../../core/registry/manifest.ts';
import { type Ancestry, reasonToStay } from '../../core/registry/moving-tag-guard.ts';
import type { TagWish } from '../../core/registry/publish-plan.ts';
import { formatRepository } from '../../core/registry/reference.ts';
import type { RegistryClient } from '../../core/registry/registry-client.ts';
import { fieldOf, type RunnerEvent } from '../../core/runner/event.ts';
import type { Log } from '../../core/runner/log.ts';

/** A tag that would move: what it is to name, and what it names now. */
export interface Move {
  readonly wish: TagWish;
  readonly current: string;
  readonly origin: ImageOrigin;
}

export type AskAncestry = (published: string, current: string) => Promise<Ancestry>;

/** Why each of these moves must not be made, by `moveKey`; moves that may be made are not in it. */
export async function judgeMoves(
  client: RegistryClient,
  moves: readonly Move[],
  askAncestry: AskAncestry,
): Promise<ReadonlyMap<string, string>> {
  const reasons = new Map<string, string>();
  const origins = new Map<string, ImageOrigin>();
  for (const { wish, current, origin } of moves) {
    const where = `${formatRepository(wish.repository)}@${current}`;
    const theirs = origins.get(where) ?? (await originOf(client, wish, current));
    origins.set(where, theirs);
    const ancestry =
      origin.revision === undefined || theirs.revision === undefined
        ? 'unknown'
        : await askAncestry(origin.revision, theirs.revision);
    const reason = reasonToStay({ published: origin, current: theirs, ancestry });
    if (reason !== undefined) reasons.set(moveKey(wish), reason);
  }
  return reasons;
}

export function moveKey({ repository, tag }: Pick<TagWish, 'repository' | 'tag'>): string {
  return `${formatRepository(repository)}:${tag}`;
}

async function originOf(client: RegistryClient, { repository }: TagWish, digest: string): Promise<ImageOrigin> {
  const manifest = await client.findManifest(repository, digest);
  if (manifest === undefined) return {};
  return readOrigin(client, repository, parseManifest(manifest.bytes, manifest.mediaType));
}

/**
 * Asks GitHub how a commit stands to the published one (REST, "Compare two commits"), once for each pair.
 *
 * A commit that GitHub does not know, or may not show, is `unknown`: the guard then stops nothing, and says so.
 */
export function createAskAncestry(event: RunnerEvent, token: string, log: Log): AskAncestry {
  const known = new Map<string, Ancestry>();
  return async (published, current) => {
    if (published === current) return 'same';
    const pair = `${published}...${current}`;
    const answered = known.get(pair) ?? (await compare(event, token, pair, log));
    known.set(pair, answered);
    return answered;
  };
}

const ANCESTRY = new Map<unknown, Ancestry>([
  ['ahead', 'descendant'],
  ['behind', 'ancestor'],
  ['identical', 'same'],
  ['diverged', 'diverged'],
]);

async function compare(event: RunnerEvent, token: string, pair: string, log: Log): Promise<Ancestry> {
  const answer = await request({
    // One commit a page: only the verdict is wanted, and a long comparison would be megabytes.
    url: `${event.apiUrl}/repos/${event.repository}/compare/${pair}?per_page=1&page=2`,
    headers: {
      accept: 'application/vnd.github+json',
      'x-github-api-version': '2022-11-28',
      ...(token === '' ? {} : { authorization: `Bearer ${token}` }),
    },
    log,
  });
  const verdict =
    answer.status === 200 ? ANCESTRY.get(fieldOf(JSON.parse(answer.body.toString('utf8')), 'status')) : undefined;
  if (verdict === undefined) {
    log.info(`latest-guard: GitHub answered ${answer.status} to the comparison of ${pair}, so commits stop no tag`);
  }
  return verdict ?? 'unknown';
}
