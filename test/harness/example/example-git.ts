import { execFileSync } from 'node:child_process';
import type { Change } from './changes.ts';

export interface PullRequestCommits {
  readonly number: number;
  readonly base: string;
  readonly head: string;
  /** The merge of both that GitHub makes and checks out. */
  readonly merge: string;
}

/** The git side of an example: commits on its branch, pull requests, tags. */
export interface ExampleGit {
  head(): string;
  /** Commits the changes on the branch that is checked out, and returns the commit before. */
  commit(changes: readonly Change[]): string;
  /** Commits the changes on a branch of their own, and leaves the checkout where it was. */
  openPullRequest(number: number, changes: readonly Change[]): PullRequestCommits;
  tag(name: string): void;
  run(...args: string[]): string;
}

const IDENTITY = [
  '-c',
  'user.name=Developer',
  '-c',
  'user.email=developer@example.invalid',
  '-c',
  'commit.gpgsign=false',
];

export function createExampleGit(folder: string, branch: string): ExampleGit {
  const run = (...args: string[]): string =>
    execFileSync('git', ['-C', folder, ...IDENTITY, ...args], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    }).trim();
  const head = (): string => run('rev-parse', 'HEAD');
  const commit = (changes: readonly Change[]): string => {
    const before = head();
    for (const change of changes) change(folder);
    run('add', '--all');
    run('commit', '--quiet', '--allow-empty', '--message', 'Change what the test changes');
    return before;
  };
  return {
    head,
    commit,
    openPullRequest(number, changes) {
      run('checkout', '--quiet', '-b', `change-${number}`);
      const base = commit(changes);
      const tip = head();
      run('checkout', '--quiet', branch);
      const merge = run('commit-tree', `${tip}^{tree}`, '-p', base, '-p', tip, '-m', `Merge ${tip} into ${base}`);
      run('update-ref', `refs/pull/${number}/head`, tip);
      run('update-ref', `refs/pull/${number}/merge`, merge);
      return { number, base, head: tip, merge };
    },
    tag: (name) => {
      run('tag', name);
    },
    run,
  };
}
