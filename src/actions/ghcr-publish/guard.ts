import { request } from '../../core/net/request.ts';
import { type ImageOrigin, readOrigin } from '../../core/registry/image-origin.ts';
import { parseManifest } from '../../core/registry/manifest.ts';
import { type Ancestry, reasonToStay } from '../../core/registry/moving-tag-guard.ts';
import type { JudgeOrder } from '../../core/registry/publish.ts';
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
    const ancestry = await ancestryOf(origin, theirs, askAncestry);
    const reason = reasonToStay({ published: origin, current: theirs, ancestry });
    if (reason !== undefined) reasons.set(moveKey(wish), reason);
  }
  return reasons;
}

/** Of two images that were written to one tag at the same time, says which it is to name in the end. */
export function createJudgeOrder(
  client: RegistryClient,
  originOfDigest: (digest: string) => ImageOrigin,
  askAncestry: AskAncestry,
): JudgeOrder {
  return async (step, other) => {
    const ours = originOfDigest(step.digest);
    const theirs = await originOf(client, step, other);
    const ancestry = await ancestryOf(ours, theirs, askAncestry);
    if (reasonToStay({ published: ours, current: theirs, ancestry }) !== undefined) return 'theirs';
    const reversed = reasonToStay({ published: theirs, current: ours, ancestry: REVERSED[ancestry] });
    return reversed === undefined ? 'unordered' : 'ours';
  };
}

const REVERSED: Readonly<Record<Ancestry, Ancestry>> = {
  descendant: 'ancestor',
  ancestor: 'descendant',
  same: 'same',
  diverged: 'diverged',
  unknown: 'unknown',
};

async function ancestryOf(published: ImageOrigin, current: ImageOrigin, askAncestry: AskAncestry): Promise<Ancestry> {
  return published.revision === undefined || current.revision === undefined
    ? 'unknown'
    : askAncestry(published.revision, current.revision);
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
  const isAnswer = answer.status < 500 && answer.status !== 429;
  // A guard that stands aside while GitHub is out of order is none.
  if (!isAnswer)
    throw new Error(
      `GitHub answered ${answer.status} to the comparison of ${pair}, without which "latest-guard" does not know whether a tag would go back`,
    );
  const body: unknown = answer.status === 200 ? JSON.parse(answer.body.toString('utf8')) : undefined;
  const verdict = ANCESTRY.get(fieldOf(body, 'status'));
  if (verdict === undefined) {
    log.info(`latest-guard: GitHub answered ${answer.status} to the comparison of ${pair}, so commits stop no tag`);
  }
  return verdict ?? 'unknown';
}
