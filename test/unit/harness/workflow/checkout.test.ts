import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runWorkflow } from '../../../harness/workflow/run-workflow.ts';
import { createRepository, type GitRepository } from './git-repository.ts';
import { oneJob } from './run-one-workflow.ts';

let repository: GitRepository;
let library: GitRepository;
let first: string;
let tip: string;
let merge: string;

beforeAll(async () => {
  library = await createRepository();
  await library.commit({ 'lib.txt': 'lib' });
  repository = await createRepository();
  first = await repository.commit({ 'a.txt': 'one' });
  await repository.git('tag', 'v1');
  await repository.git('-c', 'protocol.file.allow=always', 'submodule', '--quiet', 'add', library.folder, 'sub');
  tip = await repository.commit({ 'a.txt': 'two', 'deep/b.txt': 'b' });
  await repository.git('checkout', '--quiet', '-b', 'topic', first);
  await repository.commit({ 'c.txt': 'c' });
  await repository.git('merge', '--quiet', '--no-ff', '-m', 'merge', 'main');
  merge = await repository.git('rev-parse', 'HEAD');
  await repository.git('update-ref', 'refs/pull/7/merge', merge);
  await repository.git('checkout', '--quiet', 'main');
  await repository.git('branch', '--quiet', '-D', 'topic');
});
afterAll(async () => {
  await repository[Symbol.asyncDispose]();
  await library[Symbol.asyncDispose]();
});

const look =
  'git rev-parse HEAD; git rev-list --count HEAD; git symbolic-ref --quiet --short HEAD || echo detached; git tag | tr "\\n" " "; git status --porcelain';

async function checkout(inputs: string, event: { ref: string; sha: string }, script = look) {
  const { folder } = repository;
  const workflow = oneJob(
    `- { uses: actions/checkout@v5, with: { ${inputs} } }\n- run: '${script.replaceAll("'", "''")}'`,
  );
  const file = `${folder}/../ci-${Math.random().toString(36).slice(2)}.yml`;
  const { writeFile, rm } = await import('node:fs/promises');
  await writeFile(file, `on: [push, pull_request]\n${workflow}`);
  try {
    const result = await runWorkflow({
      repository: folder,
      file,
      event: { name: 'push', repository: 'o/r', ...event },
      repositories: { 'o/library': library.folder },
    });
    const [step, seen] = result.jobs[0]?.steps ?? [];
    return {
      error: step?.annotations[0]?.message,
      lines: seen?.log.trim().split(/\s*\n/) ?? [],
      outputs: step?.outputs,
    };
  } finally {
    await rm(file);
  }
}

describe('actions/checkout', () => {
  it('takes one commit of a branch', async () => {
    const { lines, outputs } = await checkout('', { ref: 'refs/heads/main', sha: tip });
    expect(lines).toEqual([tip, '1', 'main']);
    expect(outputs).toEqual({ commit: tip, ref: 'refs/heads/main' });
  });

  it('takes an older commit of a branch, as when a run starts late', async () => {
    expect((await checkout('', { ref: 'refs/heads/main', sha: first })).lines).toEqual([first, '1', 'main']);
  });

  it('takes the merge commit of a pull request, which no branch reaches', async () => {
    expect((await checkout('fetch-depth: 2', { ref: 'refs/pull/7/merge', sha: merge })).lines).toEqual([
      merge,
      '3',
      'detached',
    ]);
  });

  it('takes a tag', async () => {
    expect((await checkout('', { ref: 'refs/tags/v1', sha: first })).lines).toEqual([first, '1', 'detached', 'v1']);
  });

  it('takes all history and tags with fetch-depth 0', async () => {
    expect((await checkout('fetch-depth: 0', { ref: 'refs/heads/main', sha: tip })).lines).toEqual([
      tip,
      '2',
      'main',
      'v1',
    ]);
  });

  it.each([
    ['a branch', 'main', () => tip, 'main'],
    ['a tag', 'v1', () => first, 'detached'],
    ['a full ref', 'refs/pull/7/merge', () => merge, 'detached'],
  ])('takes %s that is asked for', async (_, ref, sha, head) => {
    expect((await checkout(`ref: ${ref}`, { ref: 'refs/heads/main', sha: tip })).lines.slice(0, 3)).toEqual([
      sha(),
      '1',
      head,
    ]);
  });

  it('takes a commit that is asked for', async () => {
    expect((await checkout(`ref: ${first}`, { ref: 'refs/heads/main', sha: tip })).lines.slice(0, 3)).toEqual([
      first,
      '1',
      'detached',
    ]);
  });

  it('leaves a clone from which an action can fetch more', async () => {
    const script = `git fetch --quiet --depth=1 origin ${first} && git cat-file -t ${first}; git config remote.origin.url; git fetch --quiet --unshallow && git rev-list --count HEAD`;
    expect((await checkout('', { ref: 'refs/heads/main', sha: tip }, script)).lines).toEqual([
      'commit',
      'https://github.com/o/r',
      '2',
    ]);
  });

  it('puts files into a folder, another repository and submodules', async () => {
    expect(
      (await checkout('path: src/x', { ref: 'refs/heads/main', sha: tip }, 'cat src/x/a.txt; ls src/x/sub')).lines,
    ).toEqual(['two']);
    expect((await checkout('submodules: true', { ref: 'refs/heads/main', sha: tip }, 'cat sub/lib.txt')).lines).toEqual(
      ['lib'],
    );
    expect(
      (await checkout('repository: o/library', { ref: 'refs/heads/main', sha: tip }, 'cat lib.txt')).lines,
    ).toEqual(['lib']);
  });

  it.each([
    ['ref: nowhere', "name 'nowhere' could not be found"],
    ['repository: o/other', "'o/other' is not mapped"],
    ['sparse-checkout: a', "'sparse-checkout' is not supported"],
    ['path: ../x', 'leaves its repository'],
    ['fetch-depth: many', "fetch-depth 'many'"],
  ])('fails on %s', async (inputs, message) => {
    expect((await checkout(inputs, { ref: 'refs/heads/main', sha: tip })).error).toContain(message);
  });
});
