import { type Git, isCommitId } from '../git/git.ts';
import { CommandError } from '../runner/command.ts';
import { ConfigurationError } from '../runner/errors.ts';
import { type RefFacts, refFactsOf } from './facts.ts';
import { dateOf } from './repository-facts.ts';

/** Reads a checked-out repository. No method throws where there is none, but `head`. */
export interface GitRepository {
  /** The commit that is checked out and the ref it stands for. Throws ConfigurationError where there is no commit. */
  head(preferredRef: string): Promise<{ readonly ref: RefFacts; readonly sha: string }>;
  tags(): Promise<GitTags>;
  /** Branches and tags, in full, those of the remote as if they were local. */
  refs(): Promise<readonly string[]>;
  commitDate(sha: string): Promise<Date | undefined>;
  defaultBranch(): Promise<string | undefined>;
}

export interface GitTags {
  /** Without `refs/tags/`. */
  readonly names: readonly string[];
  /** False for a shallow clone, which has the tags it was asked for, and where there is no clone. */
  readonly isWhole: boolean;
}

/** The repository that `git` runs in. */
export function openRepository(git: Git): GitRepository {
  const read = async (...args: readonly string[]): Promise<string | undefined> => {
    try {
      const { exitCode, stdout } = await git.run(args, { allowFailure: true });
      return exitCode === 0 ? stdout.trim() : undefined;
    } catch (error) {
      // No git, or one that hangs: what it would have told is then asked elsewhere, or not known.
      if (error instanceof CommandError) return undefined;
      throw error;
    }
  };
  const listRefs = async (...more: readonly string[]): Promise<readonly string[]> => {
    const listed = await read('for-each-ref', '--format=%(refname)', ...more);
    return (listed ?? '').split('\n').filter((name) => name !== '');
  };
  // Tags and refs are one question to git: a process costs 5 ms and more.
  let named: Promise<readonly string[]> | undefined;
  const namedRefs = (): Promise<readonly string[]> => {
    named ??= listRefs('refs/heads', 'refs/remotes', 'refs/tags');
    return named;
  };
  return {
    async head(preferredRef) {
      const sha = await read('rev-parse', '--verify', 'HEAD');
      if (sha === undefined) {
        const isRepository = (await read('rev-parse', '--git-dir')) !== undefined;
        throw new ConfigurationError(
          `input "context": "git" needs a commit that is checked out, and ${
            isRepository ? 'the repository has none yet' : 'the workspace is no repository; run actions/checkout before'
          }`,
        );
      }
      const branch = await read('symbolic-ref', '--quiet', 'HEAD');
      const fullName =
        branch ?? refOfDetached(await listRefs('--points-at=HEAD', '--sort=-version:refname'), preferredRef);
      return { ref: refFactsOf(fullName), sha };
    },
    async tags() {
      const [isShallow, found] = await Promise.all([read('rev-parse', '--is-shallow-repository'), namedRefs()]);
      const tags = found.filter((name) => name.startsWith('refs/tags/'));
      return { names: tags.map((name) => name.slice('refs/tags/'.length)), isWhole: isShallow === 'false' };
    },
    async refs() {
      const found = (await namedRefs()).map(localNameOf);
      return [...new Set(found)].filter((name) => name !== 'refs/heads/HEAD' && name.startsWith('refs/'));
    },
    async commitDate(sha) {
      return isCommitId(sha) ? dateOf(await read('show', '--no-patch', '--format=%cI', sha)) : undefined;
    },
    async defaultBranch() {
      return (await read('symbolic-ref', '--quiet', 'refs/remotes/origin/HEAD'))?.slice('refs/remotes/origin/'.length);
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
