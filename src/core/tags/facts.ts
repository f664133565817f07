import { fieldOf, type RunnerEvent } from '../runner/event.ts';

/** What a run is about: a branch, a git tag, a pull request (also while it waits in a merge queue), or nothing of these. */
export interface RefFacts {
  /** The whole ref, such as `refs/heads/main`; `''` when the run has none. */
  readonly fullName: string;
  readonly branch: string | undefined;
  readonly tag: string | undefined;
  readonly pullRequest: string | undefined;
  readonly isMergeQueue: boolean;
}

/** What the world says of a repository; undefined where nothing could be learned. */
export interface RepositoryFacts {
  readonly name: string | undefined;
  /** `''` when the repository has none. */
  readonly description: string | undefined;
  readonly url: string | undefined;
  /** SPDX identifier; `''` when the repository has none. */
  readonly license: string | undefined;
  readonly defaultBranch: string | undefined;
}

/** All that decides over tags, labels and annotations, gathered before anything is decided. */
export interface TagFacts {
  readonly eventName: string;
  readonly ref: RefFacts;
  /** The commit in full; `''` when the run has none. */
  readonly sha: string;
  readonly shortShaLength: number;
  /** True for a release that its owner marked as a pre-release, whatever its tag says. */
  readonly isPrerelease: boolean;
  /** The branch that a tag was pushed from, or that a pull request or merge group goes into; `''` when unknown. */
  readonly baseRef: string;
  readonly repository: RepositoryFacts;
  readonly now: Date;
  readonly commitDate: Date;
  /** The git tags of the repository that are known, without `refs/tags/`; undefined when nothing asked for them. */
  readonly gitTags: readonly string[] | undefined;
  /** Other refs, in full, whose tags must not be taken. */
  readonly knownRefs: readonly string[];
}

const MERGE_QUEUE = /^refs\/heads\/gh-readonly-queue\/(.+)\/pr-(\d+)-[0-9a-f]{40,64}$/;

/** Reads a full ref's name. A merge queue's branch names its pull request (docker/metadata-action #529). */
export function refFactsOf(fullName: string): RefFacts {
  const after = (prefix: string): string | undefined =>
    fullName.startsWith(prefix) ? fullName.slice(prefix.length) : undefined;
  const queued = MERGE_QUEUE.exec(fullName);
  return {
    fullName,
    branch: after('refs/heads/'),
    tag: after('refs/tags/'),
    pullRequest: queued?.[2] ?? after('refs/pull/')?.replace(/\/(?:merge|head)$/, ''),
    isMergeQueue: queued !== null,
  };
}

/** The ref and commit of a run by its event, as docker/metadata-action's `context: workflow`. */
export function refOfEvent(
  event: RunnerEvent,
  options: { readonly usePullRequestHead: boolean },
): { readonly ref: RefFacts; readonly sha: string } {
  const head = fieldOf(event.payload, 'pull_request', 'head', 'sha');
  return {
    ref: refFactsOf(fullRefOf(event)),
    sha: options.usePullRequestHead && typeof head === 'string' ? head : event.sha,
  };
}

function fullRefOf(event: RunnerEvent): string {
  const number = fieldOf(event.payload, 'pull_request', 'number') ?? fieldOf(event.payload, 'number');
  // A pull_request_target run has the base branch as its ref: its images would take that branch's tags.
  if (event.name === 'pull_request_target' && Number.isSafeInteger(number)) return `refs/pull/${String(number)}/merge`;
  const released = fieldOf(event.payload, 'release', 'tag_name');
  if (event.name === 'release' && !event.ref.startsWith('refs/tags/') && typeof released === 'string')
    return `refs/tags/${released}`;
  return event.ref;
}

/** The branch a run came from or goes into: `{{base_ref}}`. */
export function baseRefOf(event: RunnerEvent, ref: RefFacts): string {
  const candidate = ref.isMergeQueue
    ? (fieldOf(event.payload, 'merge_group', 'base_ref') ?? MERGE_QUEUE.exec(ref.fullName)?.[1])
    : ref.tag !== undefined
      ? fieldOf(event.payload, 'base_ref')
      : ref.pullRequest !== undefined
        ? fieldOf(event.payload, 'pull_request', 'base', 'ref')
        : undefined;
  return typeof candidate === 'string' ? candidate.replace(/^refs\/heads\//, '') : '';
}

/** Whether a run belongs to the repository's default branch. */
export function isOnDefaultBranch(facts: Pick<TagFacts, 'eventName' | 'ref' | 'repository'>): boolean {
  const { defaultBranch } = facts.repository;
  if (facts.ref.branch !== undefined && defaultBranch !== undefined) return facts.ref.branch === defaultBranch;
  // These events always run on the default branch's last commit (docker/metadata-action #192).
  return (
    facts.ref.tag === undefined &&
    facts.ref.pullRequest === undefined &&
    /discussion|issues|schedule/.test(facts.eventName)
  );
}
