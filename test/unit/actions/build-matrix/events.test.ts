import { describe, expect, it } from 'vitest';
import { type Files, TemporaryRepository } from '../../core/git/temporary-repository.ts';
import { runPlan, runPush } from './plan-step.ts';

const TWO_IMAGES: Files = {
  '.github/images.yml': 'images:\n  a: { context: a }\n  b: { context: b }\n',
  'a/Dockerfile': 'FROM scratch\nCOPY . /\n',
  'a/f': '1',
  'b/Dockerfile': 'FROM scratch\nCOPY . /\n',
  'b/f': '1',
};

const A = 'a-linux-amd64';
const B = 'b-linux-amd64';
const ZERO = '0'.repeat(40);

describe('what an event builds', () => {
  it('a pull request, in a clone of depth 1 at its merge commit: what it changes, whatever the base has seen since', async () => {
    await using repository = await TemporaryRepository.create(TWO_IMAGES);
    await repository.git.run(['checkout', '--quiet', '-b', 'topic']);
    const topic = await repository.commit({ 'a/f': '2' });
    await repository.git.run(['checkout', '--quiet', 'main']);
    await repository.commit({ 'b/f': '2' });
    await repository.git.run(['merge', '--quiet', '--no-ff', '--message=merge', 'topic']);
    await using clone = await repository.clone('--depth=1');
    const payload = { pull_request: { base: { sha: await repository.id('main~1') }, head: { sha: topic } } };
    const { reasons, skipped } = await runPlan(clone, { event: 'pull_request', ref: 'refs/pull/1/merge', payload });
    expect(reasons).toEqual({ [A]: 'a/f changed' });
    expect(skipped[B]).toMatch(
      /^nothing it reads changed since [0-9a-f]{12} \(the base branch as the pull request was merged with it\)$/,
    );
  });

  it('a pull request at its own head: since the merge base', async () => {
    await using repository = await TemporaryRepository.create(TWO_IMAGES);
    await repository.git.run(['checkout', '--quiet', '-b', 'topic']);
    const topic = await repository.commit({ 'a/f': '2' });
    await repository.git.run(['checkout', '--quiet', 'main']);
    const main = await repository.commit({ 'b/f': '2' });
    await using clone = await repository.clone('--depth=1', '--branch=topic');
    const payload = { pull_request: { base: { sha: main }, head: { sha: topic } } };
    expect((await runPlan(clone, { event: 'pull_request', payload })).reasons).toEqual({ [A]: 'a/f changed' });
  });

  it('a merge group: all that it adds to its branch, also what groups before it bring', async () => {
    await using repository = await TemporaryRepository.create(TWO_IMAGES);
    await repository.git.run(['checkout', '--quiet', '-b', 'queue']);
    const before = await repository.commit({ 'a/f': '2' });
    await repository.commit({ 'b/f': '2' });
    await using clone = await repository.clone('--depth=1', '--branch=queue');
    const payload = { merge_group: { base_ref: 'refs/heads/main', base_sha: before } };
    expect(Object.keys((await runPlan(clone, { event: 'merge_group', payload })).reasons)).toEqual([A, B]);
  });

  it('a push of several commits: what any of them changes', async () => {
    await using repository = await TemporaryRepository.create(TWO_IMAGES);
    const before = await repository.id('HEAD');
    await repository.commit({ 'a/f': '2' });
    await repository.commit({ 'README.md': 'x' });
    await using clone = await repository.clone('--depth=1');
    expect((await runPush(clone, before)).reasons).toEqual({ [A]: 'a/f changed' });
  });

  it('a forced push: what differs from what was there, if that can still be had', async () => {
    await using repository = await TemporaryRepository.create(TWO_IMAGES);
    const before = await repository.commit({ 'a/f': '2' });
    await repository.git.run(['reset', '--quiet', '--hard', 'HEAD~1']);
    await repository.commit({ 'b/f': '2' });
    const pushed = { event: 'push', payload: { before, forced: true } };
    expect((await runPlan(repository, pushed)).reasons).toEqual({ [A]: 'a/f changed', [B]: 'b/f changed' });
    const lost = { event: 'push', payload: { before: 'e'.repeat(40), forced: true } };
    expect((await runPlan(repository, lost)).reasons[A]).toBe(
      'everything is built: the commit before the forced push (eeeeeeeeeeee) could not be fetched',
    );
  });

  it('a new branch: what it adds to the default branch', async () => {
    await using repository = await TemporaryRepository.create(TWO_IMAGES);
    await repository.git.run(['checkout', '--quiet', '-b', 'topic']);
    await repository.commit({ 'b/f': '2' });
    await using clone = await repository.clone('--depth=1', '--branch=topic');
    const step = { event: 'push', ref: 'refs/heads/topic', payload: { before: ZERO } };
    expect((await runPlan(clone, step)).reasons).toEqual({ [B]: 'b/f changed' });
  });

  it.each([
    ['the first push', 'push', 'refs/heads/main', { before: ZERO }],
    ['a tag', 'push', 'refs/tags/v1', { before: ZERO }],
    ['a release', 'release', 'refs/tags/v1', {}],
    ['a schedule', 'schedule', 'refs/heads/main', {}],
    ['a dispatch', 'workflow_dispatch', 'refs/heads/main', {}],
  ])('%s: everything', async (_, event, ref, payload) => {
    await using repository = await TemporaryRepository.create(TWO_IMAGES);
    const { reasons } = await runPlan(repository, { event, ref, payload });
    expect(Object.values(reasons)).toEqual([
      expect.stringMatching(/^everything is built: /),
      expect.stringMatching(/^everything is built: /),
    ]);
  });

  it('everything, with the reason, where the definitions at the base cannot be read', async () => {
    await using repository = await TemporaryRepository.create({ ...TWO_IMAGES, '.github/images.yml': 'image: {}\n' });
    const before = await repository.id('HEAD');
    await repository.commit({ '.github/images.yml': String(TWO_IMAGES['.github/images.yml']) });
    expect((await runPush(repository, before)).reasons[A]).toMatch(
      /^everything is built: the images of .* cannot be read \("image" is no key/,
    );
  });

  it('an image that was broken at the base is new', async () => {
    await using repository = await TemporaryRepository.create({ ...TWO_IMAGES, 'b/Dockerfile': '' });
    const before = await repository.id('HEAD');
    await repository.commit({ 'b/Dockerfile': 'FROM scratch\n' });
    expect((await runPush(repository, before)).reasons).toEqual({ [B]: 'it is new' });
  });

  it('what "base" names, and nothing when "changed-only" is false', async () => {
    await using repository = await TemporaryRepository.create(TWO_IMAGES);
    await repository.git.run(['tag', 'v1']);
    await repository.commit({ 'a/f': '2' });
    expect((await runPlan(repository, { inputs: { base: 'v1' } })).reasons).toEqual({ [A]: 'a/f changed' });
    const all = await runPlan(repository, { inputs: { base: 'v1', 'changed-only': 'false' } });
    expect(Object.keys(all.reasons)).toEqual([A, B]);
  });

  it('asks for a checkout in an empty workspace', async () => {
    await using folder = new TemporaryRepository();
    await expect(runPlan(folder)).rejects.toThrow(/run actions\/checkout/);
  });
});
