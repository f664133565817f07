import { describe, expect, it } from 'vitest';
import { readHead, resolveBase } from '../../../../src/core/git/base-commit.ts';
import type { BasePlan } from '../../../../src/core/git/base-plan.ts';
import { TemporaryRepository } from './temporary-repository.ts';

const mergeBase = (of: string): BasePlan => ({ kind: 'merge-base', of, reason: 'the merge base' });

/** Fifty commits, from which `topic` goes on for 60 and `later` for 50. */
async function longHistory() {
  const repository = await TemporaryRepository.create();
  const commit = (branch: string, index: number, from = '') =>
    `commit refs/heads/${branch}\ncommitter a <a@example.com> ${index} +0000\ndata 1\n${branch.charAt(0)}\n${from}`;
  const stream = [
    ...Array.from({ length: 50 }, (_, index) => commit('trunk', index)),
    ...Array.from({ length: 60 }, (_, index) => commit('topic', index, index === 0 ? 'from refs/heads/trunk\n' : '')),
    ...Array.from({ length: 50 }, (_, index) => commit('later', index, index === 0 ? 'from refs/heads/trunk\n' : '')),
  ];
  await repository.git.run(['fast-import', '--quiet'], { input: stream.join('') });
  await repository.git.run(['checkout', '--quiet', 'topic']);
  return { repository, fork: await repository.id('trunk'), main: await repository.id('later') };
}

describe('the base commit in a real checkout', () => {
  it('is read from a shallow merge commit without any history', async () => {
    await using repository = await TemporaryRepository.create({ a: '1' });
    await repository.git.run(['checkout', '--quiet', '-b', 'topic']);
    const topic = await repository.commit({ b: '1' });
    await repository.git.run(['checkout', '--quiet', 'main']);
    const main = await repository.commit({ a: '2' });
    await repository.git.run(['merge', '--quiet', '--no-ff', '--message=merge', 'topic']);
    await using clone = await repository.clone('--depth=1');

    const head = await readHead(clone.git);
    expect(head.parents).toEqual([main, topic]);
    expect(await resolveBase(clone.git, { kind: 'commit', commit: main, reason: 'r' })).toEqual({
      commit: main,
      reason: 'r',
    });
    expect((await clone.git.run(['rev-list', '--count', main])).stdout.trim()).toBe('1');
  });

  it('deepens a shallow clone until the merge base is there, and no further', async () => {
    const { repository, fork } = await longHistory();
    await using _ = repository;
    await using clone = await repository.clone('--depth=1', '--branch=topic');
    expect(await resolveBase(clone.git, mergeBase('refs/heads/later'))).toEqual({
      commit: fork,
      reason: 'the merge base',
    });
    const known = Number((await clone.git.run(['rev-list', '--count', 'HEAD'])).stdout);
    expect(known).toBeGreaterThan(60);
    expect(known).toBeLessThan(111);
  });

  it('finds a merge base in a whole clone without fetching history', async () => {
    const { repository, fork, main } = await longHistory();
    await using _ = repository;
    expect(await resolveBase(repository.git, mergeBase(main))).toMatchObject({ commit: fork });
  });

  it('does not make a whole clone shallow', async () => {
    await using repository = await TemporaryRepository.create({ a: '1' });
    await using clone = await repository.clone();
    const pushed = await repository.commit({ a: '2' });
    expect(await resolveBase(clone.git, { kind: 'commit', commit: pushed, reason: 'r' })).toMatchObject({
      commit: pushed,
    });
    expect((await clone.git.run(['rev-parse', '--is-shallow-repository'])).stdout.trim()).toBe('false');
  });

  it('is nothing, with the reason, for a commit that a forced push has removed', async () => {
    await using repository = await TemporaryRepository.create({ a: '1' });
    await using clone = await repository.clone('--depth=1');
    const base = await resolveBase(clone.git, {
      kind: 'commit',
      commit: 'e'.repeat(40),
      reason: 'the commit before the push',
    });
    expect(base).toEqual({
      commit: undefined,
      reason: 'the commit before the push (eeeeeeeeeeee) could not be fetched',
    });
  });

  it.each([
    ['unrelated histories', 'refs/heads/other'],
    ['a branch that is not there', 'refs/heads/gone'],
    ['a branch name that is none', 'refs/heads/a..b'],
  ])('is nothing for %s', async (_, branch) => {
    await using repository = await TemporaryRepository.create({ a: '1' });
    await repository.git.run(['checkout', '--quiet', '--orphan', 'other']);
    await repository.commit({ b: '1' });
    await repository.git.run(['checkout', '--quiet', 'main']);
    await using clone = await repository.clone('--depth=1', '--branch=main');
    expect(await resolveBase(clone.git, mergeBase(branch))).toMatchObject({
      commit: undefined,
      reason: /not found/.exec('the merge base was not found')?.input,
    });
  });

  it.each(['v1', 'main~1', 'topic'])('may be a revision that a person gives: %s', async (revision) => {
    await using repository = await TemporaryRepository.create({ a: '1' });
    const first = await repository.id('HEAD');
    await repository.git.run(['tag', 'v1']);
    await repository.git.run(['branch', 'topic']);
    await repository.commit({ a: '2' });
    await using clone = await repository.clone(...(revision === 'main~1' ? [] : ['--depth=1', '--branch=main']));
    expect(await resolveBase(clone.git, { kind: 'revision', revision, reason: 'r' })).toMatchObject({ commit: first });
  });

  it.each(['nowhere', '--upload-pack=touch x'])('refuses a revision that is not there: %s', async (revision) => {
    await using repository = await TemporaryRepository.create({ a: '1' });
    await expect(resolveBase(repository.git, { kind: 'revision', revision, reason: 'r' })).rejects.toThrow(/"base" is/);
  });

  it('asks for a checkout where there is none', async () => {
    await using folder = new TemporaryRepository();
    await expect(readHead(folder.git)).rejects.toThrow(/actions\/checkout/);
  });
});
