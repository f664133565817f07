import { CommandError, type RunCommand } from '../runner/command.ts';
import { ConfigurationError } from '../runner/errors.ts';
import { type RefFacts, refFactsOf } from './facts.ts';
import { dateOf } from './repository-facts.ts';

/** Reads a checked-out repository. No method throws where there is none, but `head`. */
export interface GitRepository {
  /** The commit that is checked out and the ref it stands for. Throws ConfigurationError outside of a repository. */
  head(preferredRef: string): Promise<{ readonly ref: RefFacts; readonly sha: string }>;
  /** Names of all tags; undefined where the clone has no whole list of them. */
  tags(): Promise<readonly string[] | undefined>;
  /** Branches and tags, in full, those of the remote as if they were local. */
  refs(): Promise<readonly string[]>;
  commitDate(sha: string): Promise<Date | undefined>;
  defaultBranch(): Promise<string | undefined>;
}

const DEADLINE = 30_000;

/** Opens the repository in `folder`, which may belong to another user, as in a container job. */
export function openRepository(folder: string, runCommand: RunCommand): GitRepository {
  const git = async (...args: readonly string[]): Promise<string | undefined> => {
    try {
      const { exitCode, stdout } = await runCommand('git', ['-C', folder, '-c', `safe.directory=${folder}`, ...args], {
        deadline: DEADLINE,
        allowFailure: true,
      });
      return exitCode === 0 ? stdout.trim() : undefined;
    } catch (error) {
      // No git, or one that hangs: what it would have told is then asked elsewhere, or not known.
      if (error instanceof CommandError) return undefined;
      throw error;
    }
  };
  const refs = async (...more: readonly string[]): Promise<readonly string[]> => {
    const listed = await git('for-each-ref', '--format=%(refname)', ...more);
    return (listed ?? '').split('\n').filter((name) => name !== '');
  };
  return {
    async head(preferredRef) {
      const sha = await git('rev-parse', '--verify', 'HEAD');
      if (sha === undefined)
        throw new ConfigurationError(
          `"context: git" needs a checked-out repository, and "${folder}" is none; run actions/checkout before`,
        );
      const branch = await git('symbolic-ref', '--quiet', 'HEAD');
      const fullName = branch ?? refOfDetached(await refs('--points-at=HEAD', '--sort=-version:refname'), preferredRef);
      return { ref: refFactsOf(fullName), sha };
    },
    async tags() {
      // A shallow clone has the tags it was asked for, which need not be all.
      if ((await git('rev-parse', '--is-shallow-repository')) !== 'false') return undefined;
      return (await refs('refs/tags')).map((name) => name.slice('refs/tags/'.length));
    },
    async refs() {
      const found = (await refs('refs/heads', 'refs/remotes', 'refs/tags')).map(localNameOf);
      return [...new Set(found)].filter((name) => name !== 'refs/heads/HEAD' && name.startsWith('refs/'));
    },
    async commitDate(sha) {
      return /^[0-9a-f]{40,64}$/.test(sha) ? dateOf(await git('show', '--no-patch', '--format=%cI', sha)) : undefined;
    },
    async defaultBranch() {
      return (await git('symbolic-ref', '--quiet', 'refs/remotes/origin/HEAD'))?.slice('refs/remotes/origin/'.length);
    },
  };
}

/** The ref a detached HEAD stands for: the run's own if it points there, else a tag, a pull request, a branch. */
function refOfDetached(pointing: readonly string[], preferred: string): string {
  const names = pointing.map(localNameOf).filter((name) => name !== 'refs/heads/HEAD');
  const orders = [preferred, 'refs/tags/', 'refs/pull/', 'refs/heads/'];
  for (const order of orders) {
    const found = names.find((name) => (order.endsWith('/') ? name.startsWith(order) : name === order));
    if (found !== undefined) return found;
  }
  return '';
}

/** `refs/remotes/origin/main` → `refs/heads/main`; actions/checkout keeps pull requests as `refs/remotes/pull/2/merge`. */
function localNameOf(name: string): string {
  if (name.startsWith('refs/remotes/pull/')) return name.replace('refs/remotes/', 'refs/');
  return name.replace(/^refs\/remotes\/[^/]+\//, 'refs/heads/');
}
