import { ConfigurationError } from '../runner/errors.ts';
import type { BasePlan, HeadCommit } from './base-plan.ts';
import { type Git, isCommitId } from './git.ts';

/** The commit that rows are compared with; `commit` is undefined when everything is built. */
export interface Base {
  readonly commit: string | undefined;
  readonly reason: string;
}

/** The first step back into history, doubled with every further one: 32 … 2^17 commits. */
const FIRST_DEEPENING = 32;
const DEEPENINGS = 13;

/** Reads HEAD and its parents; the commit's own record, so that a shallow clone tells them too. */
export async function readHead(git: Git): Promise<HeadCommit> {
  const { exitCode, stdout: id } = await git.run(['rev-parse', '--verify', '--quiet', 'HEAD^{commit}'], {
    allowFailure: true,
  });
  if (exitCode !== 0) {
    throw new ConfigurationError(
      'the workspace is no git checkout with a commit; run actions/checkout before this action',
    );
  }
  const { stdout: record } = await git.run(['cat-file', 'commit', id.trim()]);
  const [header = ''] = record.split('\n\n', 1);
  return { id: id.trim(), parents: [...header.matchAll(/^parent ([0-9a-f]+)$/gm)].map(([, parent = '']) => parent) };
}

/**
 * Finds the commit that a plan speaks of, fetching what the checkout lacks and no more: a single commit without its
 * history, or, for a merge base, history in doubling steps until it is found.
 *
 * What cannot be found makes everything be built, with the reason. Only a revision that a person wrote and that is
 * not there is an error: throws ConfigurationError.
 */
export async function resolveBase(git: Git, plan: BasePlan): Promise<Base> {
  switch (plan.kind) {
    case 'everything':
      return { commit: undefined, reason: plan.reason };
    case 'commit':
      return (await isPresent(git, plan.commit)) || (await fetchCommit(git, plan.commit))
        ? { commit: plan.commit, reason: plan.reason }
        : { commit: undefined, reason: `${plan.reason} (${plan.commit.slice(0, 12)}) could not be fetched` };
    case 'merge-base': {
      const commit = await findMergeBase(git, plan.of);
      return commit === undefined
        ? { commit, reason: `${plan.reason} was not found` }
        : { commit, reason: plan.reason };
    }
    case 'revision':
      return { commit: await resolveRevision(git, plan.revision), reason: plan.reason };
  }
}

async function resolveRevision(git: Git, revision: string): Promise<string> {
  // A leading dash would be an option to git; `rev-parse --verify` takes one object and nothing else.
  if (revision.startsWith('-')) throw new ConfigurationError(`"base" is "${revision}", which is no revision`);
  for (const candidate of [revision, `origin/${revision}`]) {
    const found = await verify(git, candidate);
    if (found !== undefined) return found;
  }
  if (await fetchCommit(git, revision)) {
    const found = await verify(git, 'FETCH_HEAD');
    if (found !== undefined) return found;
  }
  throw new ConfigurationError(`"base" is "${revision}", which is neither in this checkout nor at its origin`);
}

async function verify(git: Git, revision: string): Promise<string | undefined> {
  const args = ['rev-parse', '--verify', '--quiet', '--end-of-options', `${revision}^{commit}`];
  const { exitCode, stdout } = await git.run(args, { allowFailure: true });
  return exitCode === 0 ? stdout.trim() : undefined;
}

async function isPresent(git: Git, commit: string): Promise<boolean> {
  const { exitCode } = await git.run(['cat-file', '-e', `${commit}^{commit}`], { allowFailure: true });
  return exitCode === 0;
}

async function isShallow(git: Git): Promise<boolean> {
  const { stdout } = await git.run(['rev-parse', '--is-shallow-repository']);
  return stdout.trim() === 'true';
}

/** Fetches one commit; without its history where the clone is shallow, as a depth would make a whole clone shallow. */
async function fetchCommit(git: Git, revision: string): Promise<boolean> {
  return fetch(git, [...((await isShallow(git)) ? ['--depth=1'] : []), 'origin', revision]);
}

async function fetch(git: Git, args: readonly string[]): Promise<boolean> {
  const { exitCode } = await git.run(
    ['fetch', '--quiet', '--no-tags', '--no-recurse-submodules', '--no-auto-gc', ...args],
    {
      allowFailure: true,
    },
  );
  return exitCode === 0;
}

async function findMergeBase(git: Git, of: string): Promise<string | undefined> {
  const other = isCommitId(of) ? await presentOrFetched(git, of) : await fetchBranch(git, of);
  if (other === undefined) return undefined;
  const { id: head } = await readHead(git);
  for (let step = 0; step <= DEEPENINGS; step += 1) {
    const { exitCode, stdout } = await git.run(['merge-base', head, other], { allowFailure: true });
    if (exitCode === 0) return stdout.trim();
    if (!(await isShallow(git))) return undefined;
    const deepening = `--deepen=${FIRST_DEEPENING * 2 ** step}`;
    if (!(await fetch(git, [deepening, 'origin', head, other]))) return undefined;
  }
  return undefined;
}

async function presentOrFetched(git: Git, commit: string): Promise<string | undefined> {
  return (await isPresent(git, commit)) || (await fetchCommit(git, commit)) ? commit : undefined;
}

/** The tip of a branch as the origin has it now; what a checkout knows of it may be old. */
async function fetchBranch(git: Git, branch: string): Promise<string | undefined> {
  const { exitCode } = await git.run(['check-ref-format', branch], { allowFailure: true });
  if (exitCode !== 0) return undefined;
  const known = branch.replace(/^refs\/heads\//, 'refs/remotes/origin/');
  return verify(git, (await fetchCommit(git, branch)) ? 'FETCH_HEAD' : known);
}
