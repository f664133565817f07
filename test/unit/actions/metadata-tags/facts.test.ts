import { describe, expect, test } from 'vitest';
import { createRepository, repositoryWithTags } from '../../../harness/small-repository.ts';
import { runMetadata, SHA } from './metadata-step.ts';

describe('git tags', () => {
  test('come from the API where the clone is shallow or none', async () => {
    const step = {
      ref: 'refs/tags/v1.0.0',
      inputs: { tags: 'type=semver,pattern={{version}}' },
      repository: { tags: { 'v2.0.0': SHA, 'v1.0.0': SHA } },
    };
    const { tags, requests } = await runMetadata(step);
    expect(tags).toEqual(['1.0.0']);
    expect(requests).toEqual(['GET /repos/acme/app/git/matching-refs/tags/']);
  });

  test('of a shallow clone are not taken for all of them', async () => {
    await using origin = await repositoryWithTags(['v1.0.0']);
    await using clone = await createRepository();
    await clone.git('clone', '--quiet', '--depth=1', `file://${origin.folder}`, 'shallow');
    const step = {
      ref: 'refs/tags/v1.0.0',
      inputs: { tags: 'type=semver,pattern={{version}}' },
      repository: { tags: { 'v2.0.0': SHA } },
    };
    const { tags, requests } = await runMetadata({ ...step, workspace: `${clone.folder}/shallow` });
    expect(tags).toEqual(['1.0.0']);
    expect(requests).toHaveLength(1);
  });

  test('of a clone without the tag of the run are not taken for all of them', async () => {
    await using repository = await repositoryWithTags([]);
    const step = { ref: 'refs/tags/v1.0.0', inputs: { tags: 'type=semver,pattern={{version}}' } };
    const { tags } = await runMetadata({
      ...step,
      workspace: repository.folder,
      repository: { tags: { 'v2.0.0': SHA } },
    });
    expect(tags).toEqual(['1.0.0']);
  });

  test('that the clone has are looked at when the API does not answer', async () => {
    await using repository = await repositoryWithTags(['v2.0.0']);
    const step = { ref: 'refs/tags/v1.0.0', inputs: { tags: 'type=semver,pattern={{version}}' } };
    const environment = { GITHUB_REPOSITORY: 'acme/hidden' };
    const { tags, log } = await runMetadata({ ...step, workspace: repository.folder, environment });
    expect(tags).toEqual(['1.0.0']);
    expect(log).toContain('the git tags of the repository are not all known');
  });

  test('are not looked at when the guard is off', async () => {
    const step = {
      ref: 'refs/tags/v1.0.0',
      inputs: { tags: 'type=semver,pattern={{version}}', 'latest-guard': 'false' },
      repository: { tags: { 'v2.0.0': SHA } },
    };
    const { tags, requests } = await runMetadata(step);
    expect(tags).toEqual(['1.0.0', 'latest']);
    expect(requests).toEqual([]);
  });

  test.each([
    ['app-v1.0.1', ['app-v1.0.1']],
    ['app-v1.1.0', ['app-v1.1.0', 'latest']],
    ['lib-v0.9.0', ['lib-v0.9.0', 'latest']],
  ])('%s is compared with the versions of its own family', async (tag, expected) => {
    const others = ['app-v1.0.0', 'app-v1.1.0', 'lib-v0.1.0', 'v7.0.0'];
    await using repository = await repositoryWithTags([...new Set([...others, tag])]);
    const { tags } = await runMetadata({
      ref: `refs/tags/${tag}`,
      workspace: repository.folder,
      inputs: { tags: 'type=ref,event=tag' },
    });
    expect(tags).toEqual(expected);
  });

  test('a match that reads every family compares within its own', async () => {
    await using repository = await repositoryWithTags(['app-v1.0.0', 'app-1.1.0', 'app-v1.2.0', 'lib-v9.0.0']);
    const inputs = { tags: 'type=semver,pattern={{version}},match=v?(\\d.*)' };
    const step = { workspace: repository.folder, inputs };
    expect((await runMetadata({ ...step, ref: 'refs/tags/app-v1.2.0' })).tags).toEqual(['1.2.0', 'latest']);
    expect((await runMetadata({ ...step, ref: 'refs/tags/app-v1.0.0' })).tags).toEqual(['1.0.0']);
  });

  test('a pattern with groups leaves its short names to newer versions too', async () => {
    await using repository = await repositoryWithTags(['v1.0.0', 'v1.1.0', 'v1.0.1']);
    const inputs = {
      tags: 'type=match,pattern=v(\\d+\\.\\d+\\.\\d+),group=1\ntype=match,pattern=v(\\d+\\.\\d+),group=1\ntype=match,pattern=v(\\d+),group=1',
    };
    expect((await runMetadata({ ref: 'refs/tags/v1.0.1', workspace: repository.folder, inputs })).tags).toEqual([
      '1.0.1',
      '1.0',
    ]);
  });

  test('latest by a hand-written rule is guarded as well', async () => {
    const inputs = { tags: 'type=sha\ntype=raw,value=latest', flavor: 'latest=false' };
    const step = { ref: 'refs/tags/v1.0.0', repository: { tags: { 'v2.0.0': SHA } } };
    const { tags, log } = await runMetadata({ ...step, inputs });
    expect(tags).toEqual(['sha-860c190']);
    expect(log).toContain('"latest" is left where it is: v2.0.0 is newer than v1.0.0');
    const surrounded = { tags: 'type=sha,suffix=\ntype=raw,value=latest', flavor: 'latest=false\nsuffix=-alpine' };
    expect((await runMetadata({ ...step, inputs: surrounded })).tags).toEqual(['sha-860c190']);
  });
});

test('context: git before the first commit is an error', async () => {
  await using repository = await createRepository();
  await repository.git('switch', '--quiet', '--orphan', 'empty');
  await expect(runMetadata({ inputs: { context: 'git' }, workspace: repository.folder })).rejects.toThrow(
    'the repository has none yet',
  );
});

test('the date of a commit comes from the clone, else from the API, else it is now with a warning', async () => {
  const inputs = { tags: `type=raw,value={{commit_date 'YYYYMMDD'}}` };
  await using repository = await createRepository();
  const sha = await repository.git('rev-parse', 'HEAD');
  expect((await runMetadata({ workspace: repository.folder, environment: { GITHUB_SHA: sha }, inputs })).tags).toEqual([
    '20260203',
  ]);
  expect(
    (await runMetadata({ repository: { commits: [{ sha: SHA, date: '2026-05-06T00:00:00Z' }] }, inputs })).tags,
  ).toEqual(['20260506']);
  const { tags, log } = await runMetadata({ inputs });
  expect(tags[0]).toMatch(/^20\d{6}$/);
  expect(log).toContain('the date of the commit is not known');
});

test.each([
  ['workflow_dispatch', 'refs/heads/dev', ['dev']],
  ['workflow_run', 'refs/heads/main', ['main', 'default']],
  ['discussion', '', ['default']],
  ['issues', 'refs/heads/main', ['main', 'default']],
  ['create', 'refs/heads/topic', ['topic']],
  ['create', 'refs/tags/topic', []],
  ['schedule', 'refs/heads/main', ['main', 'default']],
])('an event %s for %j knows whether it is on the default branch', async (event, ref, expected) => {
  const inputs = { tags: 'type=ref,event=branch\ntype=raw,value=default,enable={{is_default_branch}}' };
  expect((await runMetadata({ event, ref, inputs })).tags).toEqual(expected);
});
