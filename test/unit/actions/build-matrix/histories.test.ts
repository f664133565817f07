import { describe, expect, it } from 'vitest';
import { type Files, TemporaryRepository } from '../../core/git/temporary-repository.ts';
import { runPlan, runPush } from './plan-step.ts';

const IMAGES: Files = {
  '.github/images.yml': 'images:\n  a: { context: a }\n  b: { context: b }\n',
  'a/Dockerfile': 'FROM scratch\nCOPY src /src/\nCOPY ["dir with space", "ünïcode", "tool", "/d/"]\n',
  'a/src/f': '1\n',
  'a/src/g': '1\n',
  'a/dir with space/file name': '1',
  'a/ünïcode/日本語.txt': '1',
  'a/link': { link: 'src/f' },
  'a/tool': '#!/bin/sh\n',
  'a/module': { submodule: '1'.repeat(40) },
  'b/Dockerfile': 'FROM scratch\nCOPY . /\n',
  'b/f': '1\n',
  'b/module': { submodule: '1'.repeat(40) },
};
const A = 'a-linux-amd64';
const B = 'b-linux-amd64';

describe('a change of every kind that git knows', () => {
  it.each<[string, Files, Record<string, string>]>([
    ['contents', { 'a/src/f': '2\n' }, { [A]: 'a/src/f changed' }],
    ['a deletion', { 'a/src/g': null }, { [A]: 'a/src/g deleted' }],
    ['a rename', { 'a/src/g': null, 'a/src/h': '1\n' }, { [A]: 'a/src/g deleted, a/src/h added' }],
    ['a rename out of the image', { 'a/src/g': null, 'elsewhere/g': '1\n' }, { [A]: 'a/src/g deleted' }],
    ['a mode', { 'a/tool': { script: '#!/bin/sh\n' } }, { [A]: 'a/tool changed' }],
    ['a file that becomes a link', { 'b/f': { link: '../a/tool' } }, { [B]: 'b/f changed' }],
    ['a submodule', { 'b/module': { submodule: '2'.repeat(40) } }, { [B]: 'b/module changed' }],
    ['a submodule that nothing copies', { 'a/module': { submodule: '2'.repeat(40) } }, {}],
    ['line ends of a source', { 'a/src/f': '1\r\n' }, { [A]: 'a/src/f changed' }],
    ['line ends of the Dockerfile', { 'a/Dockerfile': String(IMAGES['a/Dockerfile']).replaceAll('\n', '\r\n') }, {}],
    ['a name with spaces', { 'a/dir with space/file name': '2' }, { [A]: 'a/dir with space/file name changed' }],
    ['a name beyond ASCII', { 'a/ünïcode/日本語.txt': '2' }, { [A]: 'a/ünïcode/日本語.txt changed' }],
    ['a name with a line end', { 'b/new\nline': '1' }, { [B]: 'b/new\nline added' }],
    ['a folder that becomes a file', { 'a/src': null }, { [A]: 'a/src/f deleted, a/src/g deleted' }],
    ['nothing', {}, {}],
  ])('%s', async (_, files, expected) => {
    await using repository = await TemporaryRepository.create(IMAGES);
    const before = await repository.id('HEAD');
    await repository.commit(files);
    expect((await runPush(repository, before)).reasons).toEqual(expected);
  });

  it('a link that is copied may lead anywhere: then everything counts, and the reason is said', async () => {
    await using repository = await TemporaryRepository.create({
      ...IMAGES,
      'a/Dockerfile': 'FROM scratch\nCOPY link /\n',
    });
    const before = await repository.id('HEAD');
    await repository.commit({ 'a/src/f': '2\n' });
    const { reasons, log } = await runPush(repository, before);
    expect(reasons).toEqual({ [A]: 'a/src/f changed' });
    expect(log).toMatch(/all \d+ files of "a" are inputs: "link" is a symbolic link/);
  });

  it('the same inputs have the same digest wherever the checkout lies and whatever was before', async () => {
    await using one = await TemporaryRepository.create(IMAGES);
    await using other = await TemporaryRepository.create({ 'README.md': 'another history\n' });
    await other.commit(IMAGES);
    const inputs = async (repository: TemporaryRepository) =>
      (await runPlan(repository)).rows.map((row) => [row.id, row.inputs]);
    expect(await inputs(other)).toEqual(await inputs(one));
  });
});

describe('a shallow clone', () => {
  /** A topic that left main 60 commits ago; main went on for 60, too. */
  async function longHistory(): Promise<{ origin: TemporaryRepository; topic: string; main: string }> {
    const origin = await TemporaryRepository.create(IMAGES);
    await origin.git.run(['checkout', '--quiet', '-b', 'topic']);
    for (let step = 0; step < 60; step += 1)
      await origin.git.run(['commit', '--quiet', '--allow-empty', '--message=x']);
    const topic = await origin.commit({ 'b/f': '2\n' });
    await origin.git.run(['checkout', '--quiet', 'main']);
    for (let step = 0; step < 60; step += 1)
      await origin.git.run(['commit', '--quiet', '--allow-empty', '--message=x']);
    return { origin, topic, main: await origin.commit({ 'a/src/f': '2\n' }) };
  }

  it.each([1, 2, 50])('of depth %i is deepened until the merge base is there', async (depth) => {
    const { origin, topic, main } = await longHistory();
    await using _origin = origin;
    await using clone = await origin.clone(`--depth=${depth}`, '--branch=topic');
    const payload = { pull_request: { base: { sha: main }, head: { sha: topic } } };
    const { reasons } = await runPlan(clone, { event: 'pull_request', payload });
    expect(reasons).toEqual({ [B]: 'b/f changed' });
    const { stdout } = await clone.git.run(['rev-list', '--count', '--all']);
    expect(Number(stdout)).toBeLessThan(200);
  });

  it.each([1, 2, 50])('of depth %i needs one more commit for a push', async (depth) => {
    await using origin = await TemporaryRepository.create(IMAGES);
    const before = await origin.commit({ 'b/f': '2\n' });
    for (let step = 0; step < 3; step += 1) await origin.commit({ 'a/src/f': `${step}\n` });
    await using clone = await origin.clone(`--depth=${depth}`);
    expect((await runPush(clone, before)).reasons).toEqual({ [A]: 'a/src/f changed' });
    await origin.commit({ 'b/f': '3\n' });
    await using later = await origin.clone(`--depth=${depth}`);
    expect(Object.keys((await runPush(later, before)).reasons)).toEqual([A, B]);
  });

  it('without an origin builds everything, and says why', async () => {
    const { origin, topic, main } = await longHistory();
    await using _origin = origin;
    await using clone = await origin.clone('--depth=1', '--branch=topic');
    await clone.git.run(['remote', 'remove', 'origin']);
    const payload = { pull_request: { base: { sha: main }, head: { sha: topic } } };
    const { reasons, outputs } = await runPlan(clone, { event: 'pull_request', payload });
    expect(outputs['count']).toBe(2);
    expect(reasons[A]).toBe("everything is built: the merge base with the pull request's base branch was not found");
  });
});
