import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runCommand } from '../../src/core/runner/command.ts';

export interface TestRepository extends AsyncDisposable {
  readonly folder: string;
  readonly git: (...args: readonly string[]) => Promise<string>;
}

/** A real repository of one commit on `main`, removed at the end of the test. */
export async function createRepository(): Promise<TestRepository> {
  const folder = await mkdtemp(join(tmpdir(), 'metadata-tags-git-'));
  const identity = ['-c', 'user.name=Test', '-c', 'user.email=test@example.com', '-c', 'commit.gpgsign=false'];
  const git = async (...args: readonly string[]): Promise<string> =>
    (
      await runCommand('git', ['-C', folder, ...identity, ...args], {
        env: { ...process.env, GIT_COMMITTER_DATE: '2026-02-03T04:05:06Z' },
      })
    ).stdout.trim();
  await git('init', '--quiet', '--initial-branch=main');
  await git('commit', '--quiet', '--allow-empty', '--message=first');
  return { folder, git, [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }) };
}

export async function repositoryWithTags(tags: readonly string[]): Promise<TestRepository> {
  const repository = await createRepository();
  for (const tag of tags) await repository.git('tag', tag);
  return repository;
}
