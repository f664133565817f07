/** Runs git for the runner itself, apart from the settings of the machine that tests run on. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const execute = promisify(execFile);

/** @returns standard output. @throws Error with git's own words. */
export async function git(folder: string, args: readonly string[]): Promise<string> {
  const env = {
    PATH: process.env['PATH'],
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_TERMINAL_PROMPT: '0',
    LC_ALL: 'C.UTF-8',
  };
  try {
    const { stdout } = await execute('git', args, { cwd: folder, env, maxBuffer: 64 * 1024 * 1024 });
    return stdout;
  } catch (cause) {
    const detail = cause instanceof Error && 'stderr' in cause ? String(cause.stderr).trim() : String(cause);
    throw new Error(`git ${args[0] ?? ''} failed: ${detail}`, { cause });
  }
}

/** A file at a commit. @throws Error when there is none. */
export async function readAtCommit(repository: string, sha: string, path: string): Promise<string> {
  return git(repository, ['show', `${sha}:${path.replace(/^\.\//, '')}`]);
}

/** Paths between two commits, or undefined where they cannot be compared (a new branch, a commit that is gone). */
export async function changedPaths(
  repository: string,
  range: readonly string[],
): Promise<readonly string[] | undefined> {
  const known = range.every((revision) => revision !== '' && !/^0+$/.test(revision));
  if (!known) return undefined;
  try {
    const output = await git(repository, ['diff', '--name-only', '-z', '--no-renames', ...range, '--']);
    return output.split('\0').filter((path) => path !== '');
  } catch {
    return undefined; // GitHub too lets path filters pass when there is no diff
  }
}
