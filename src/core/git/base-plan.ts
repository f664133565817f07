import { fieldOf, type RunnerEvent } from '../runner/event.ts';
import { isCommitId, isZeroId } from './git.ts';

/** What this event's rows are compared with. */
export type BasePlan =
  /** Nothing: everything is built. */
  | { readonly kind: 'everything'; readonly reason: string }
  /** A commit, as it is. */
  | { readonly kind: 'commit'; readonly commit: string; readonly reason: string }
  /** Where HEAD's history meets that of a commit or of a branch (`refs/heads/…`). */
  | { readonly kind: 'merge-base'; readonly of: string; readonly reason: string }
  /** Something a person wrote: a branch, a tag, a commit. */
  | { readonly kind: 'revision'; readonly revision: string; readonly reason: string };

export interface HeadCommit {
  readonly id: string;
  readonly parents: readonly string[];
}

export type ChangedOnly = 'auto' | 'true' | 'false';

/**
 * Decides what a run is compared with, from the event alone.
 *
 * - Pull requests: the merge commit's first parent when that is what is checked out (it is the base as it was merged,
 *   and needs no history), else the merge base with the base branch.
 * - Merge groups: the merge base with the branch merged into. `merge_group.base_sha` may be a group before this one,
 *   which may yet fail (iotaledger/iota#12491).
 * - Pushes: the commit before, also when it was forced: that is what was built last. A new branch: its merge base
 *   with the default branch. The default branch's first push: everything.
 * - Tags, releases, schedules, dispatches and all else: everything, unless `changed-only: true` asks for less.
 */
export function planBase(
  event: RunnerEvent,
  head: HeadCommit,
  changedOnly: ChangedOnly,
  override: string | undefined,
): BasePlan {
  if (changedOnly === 'false') return { kind: 'everything', reason: '"changed-only" is false' };
  if (override !== undefined) return { kind: 'revision', revision: override, reason: `"base" is ${override}` };
  const { name } = event;
  if (name === 'pull_request' || name === 'pull_request_target') return planPullRequest(event, head);
  if (name === 'merge_group') return planMergeGroup(event);
  if (name === 'push' && !isTag(event)) return planPush(event);
  return changedOnly === 'true' ? planWithoutBase(event, head) : { kind: 'everything', reason: whyEverything(event) };
}

function planPullRequest({ payload }: RunnerEvent, { parents }: HeadCommit): BasePlan {
  const [first, second] = parents;
  const pullRequestHead = fieldOf(payload, 'pull_request', 'head', 'sha');
  if (first !== undefined && second !== undefined && second === pullRequestHead) {
    return { kind: 'commit', commit: first, reason: 'the base branch as the pull request was merged with it' };
  }
  const base = fieldOf(payload, 'pull_request', 'base', 'sha');
  if (isCommitId(base))
    return { kind: 'merge-base', of: base, reason: "the merge base with the pull request's base branch" };
  return { kind: 'everything', reason: 'the event names no base commit' };
}

function planMergeGroup({ payload }: RunnerEvent): BasePlan {
  const branch = fieldOf(payload, 'merge_group', 'base_ref');
  if (typeof branch === 'string' && branch.startsWith('refs/heads/')) {
    return { kind: 'merge-base', of: branch, reason: `the merge base with ${branch.slice('refs/heads/'.length)}` };
  }
  return { kind: 'everything', reason: 'the event names no branch that the group is merged into' };
}

function planPush(event: RunnerEvent): BasePlan {
  const before = fieldOf(event.payload, 'before');
  if (isCommitId(before)) {
    const isForced = fieldOf(event.payload, 'forced') === true;
    return {
      kind: 'commit',
      commit: before,
      reason: isForced ? 'the commit before the forced push' : 'the commit before the push',
    };
  }
  if (!isZeroId(before)) return { kind: 'everything', reason: 'the event names no commit before the push' };
  return sinceDefaultBranch(event) ?? { kind: 'everything', reason: 'the first push of the default branch' };
}

function planWithoutBase(event: RunnerEvent, { parents }: HeadCommit): BasePlan {
  const since = isTag(event) ? undefined : sinceDefaultBranch(event);
  if (since !== undefined) return since;
  const [parent] = parents;
  if (parent === undefined) return { kind: 'everything', reason: 'the commit has no parent' };
  return { kind: 'commit', commit: parent, reason: "the commit's first parent, as this event names no other" };
}

function sinceDefaultBranch({ ref, payload }: RunnerEvent): BasePlan | undefined {
  const branch = fieldOf(payload, 'repository', 'default_branch');
  if (typeof branch !== 'string' || branch === '' || !ref.startsWith('refs/heads/') || ref === `refs/heads/${branch}`)
    return undefined;
  return { kind: 'merge-base', of: `refs/heads/${branch}`, reason: `the merge base with ${branch}` };
}

function isTag({ ref, refType }: RunnerEvent): boolean {
  return refType === 'tag' || ref.startsWith('refs/tags/');
}

function whyEverything(event: RunnerEvent): string {
  if (event.name === 'push') return 'a tag was pushed';
  return event.name === '' ? 'no event is known' : `the event is ${event.name}`;
}
