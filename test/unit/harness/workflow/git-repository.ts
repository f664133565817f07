/** A real git repository in a temporary folder, made of the files a test names. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { git } from '../../../harness/workflow/git.ts';

export interface GitRepository extends AsyncDisposable {
  readonly folder: string;
  /** Writes files and commits them. @returns the commit. */
  commit(files: Readonly<Record<string, string>>, message?: string): Promise<string>;
  git(...args: string[]): Promise<string>;
}

const identity = ['-c', 'user.name=t', '-c', 'user.email=t@example.com', '-c', 'commit.gpgsign=false'];

export async function createRepository(): Promise<GitRepository> {
  const folder = await mkdtemp(join(tmpdir(), 'repository-'));
  const run = async (...args: string[]): Promise<string> => (await git(folder, [...identity, ...args])).trim();
  await run('init', '--quiet', '--initial-branch=main');
  return {
    folder,
    git: run,
    async commit(files, message = 'change') {
      for (const [path, text] of Object.entries(files)) {
        await mkdir(dirname(join(folder, path)), { recursive: true });
        await writeFile(join(folder, path), text);
      }
      await run('add', '--all', '--force');
      await run('commit', '--quiet', '--allow-empty', '-m', message);
      return run('rev-parse', 'HEAD');
    },
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  };
}
