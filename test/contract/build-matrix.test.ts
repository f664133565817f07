import { mkdtemp, readFile, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { parseRows } from '../../src/core/images/row.ts';
import { type ActionResult, runAction } from '../harness/runner/run-action.ts';
import { type Files, TemporaryRepository } from '../unit/core/git/temporary-repository.ts';

const root = path.resolve(import.meta.dirname, '../..');
const D = 'FROM scratch\nCOPY f /\n';
const FILES: Files = {
  'compose.yml': 'services:\n  a: { image: a:1, build: ./a }\n  b: { build: ./b }\n',
  'a/Dockerfile': D,
  'a/f': '1',
  'b/Dockerfile': 'FROM a:1\nCOPY f /\n',
  'b/f': '1',
};

let tools: string;
beforeEach(async () => {
  tools = await mkdtemp(path.join(tmpdir(), 'slipway-tools-'));
});
afterEach(() => rm(tools, { recursive: true, force: true }));

/** Runs the bundle as GitHub's runner does, on a push of what came after `before`. */
async function run(
  repository: TemporaryRepository,
  before: string,
  inputs: Readonly<Record<string, string>> = {},
  env: Readonly<Record<string, string>> = {},
): Promise<ActionResult> {
  return runAction({
    action: path.join(root, 'actions/build-matrix'),
    inputs,
    workspace: repository.folder,
    event: {
      name: 'push',
      ref: 'refs/heads/main',
      sha: await repository.id('HEAD'),
      repository: 'Acme/App',
      token: 'ghs_secret',
      payload: { before, repository: { default_branch: 'main' } },
    },
    env,
  });
}

const json = (result: ActionResult, name: string): unknown => JSON.parse(result.outputs[name] ?? '');

describe('build-matrix as a bundle', () => {
  test('gives every output it declares, as valid JSON or text, and a summary', async () => {
    await using repository = await TemporaryRepository.create(FILES);
    const before = await repository.id('HEAD');
    await repository.commit({ 'b/f': '2', 'README.md': 'x' });
    const result = await run(repository, before);
    expect(result.exitCode).toBe(0);
    expect(result.outputs).toMatchObject({ 'has-rows': 'true', count: '2', 'shard-count': '1' });
    const rows = parseRows(result.outputs['matrix'] ?? '');
    expect(rows.map(({ id, needs, reason }) => [id, needs, reason])).toEqual([
      ['a-linux-amd64', [], 'b is built from it'],
      ['b-linux-amd64', ['a-linux-amd64'], 'b/f changed'],
    ]);
    expect(json(result, 'shards')).toEqual([json(result, 'matrix')]);
    expect(json(result, 'waves')).toEqual(rows.map((row) => ({ include: [row] })));
    expect(json(result, 'images')).toEqual(['a', 'b']);
    expect(json(result, 'reasons')).toEqual({ 'a-linux-amd64': 'b is built from it', 'b-linux-amd64': 'b/f changed' });
    expect(json(result, 'skipped')).toEqual([]);
    expect(result.summary).toContain('2 of 2 rows to build');
  });

  test('gives an empty matrix that is valid when nothing changed', async () => {
    await using repository = await TemporaryRepository.create(FILES);
    const before = await repository.id('HEAD');
    await repository.commit({ 'README.md': 'x' });
    const result = await run(repository, before);
    expect(result.outputs).toMatchObject({ matrix: '{"include":[]}', 'has-rows': 'false', count: '0', shards: '[]' });
    expect(json(result, 'skipped')).toHaveLength(2);
  });

  test('fails with its outputs written when the static checks are errors, and with the places annotated', async () => {
    await using repository = await TemporaryRepository.create({
      ...FILES,
      'a/Dockerfile': 'FROM scratch\nCOPY gone /\n',
    });
    const result = await run(repository, '0'.repeat(40), { 'static-checks': 'error' });
    expect(result.exitCode).toBe(1);
    expect(parseRows(result.outputs['matrix'] ?? '')).toHaveLength(2);
    const errors = result.annotations.filter(({ level }) => level === 'error');
    expect(errors).toEqual([
      expect.objectContaining({ message: '"gone" is not in the context "a"' }),
      expect.objectContaining({ message: '1 static checks failed; their places are annotated above' }),
    ]);
    expect(JSON.stringify(errors[0])).toMatch(/a\/Dockerfile.*2/);
  });

  test('fails with valid outputs when the rows are more than GitHub runs in a matrix', async () => {
    const services = Array.from({ length: 300 }, (_, index) => `  s${index}: { context: a }\n`).join('');
    await using repository = await TemporaryRepository.create({
      ...FILES,
      '.github/images.yml': `images:\n${services}`,
    });
    const result = await run(repository, '0'.repeat(40));
    expect(result.exitCode).toBe(1);
    expect(parseRows(result.outputs['matrix'] ?? '')).toHaveLength(300);
    expect(json(result, 'shards')).toMatchObject([{ include: { length: 256 } }, { include: { length: 44 } }]);
  });

  test('says how to go on where a bake file is and no docker', async () => {
    await using repository = await TemporaryRepository.create({ ...FILES, 'docker-bake.hcl': 'target "a" {}\n' });
    for (const tool of ['git']) await symlink(`/usr/bin/${tool}`, path.join(tools, tool));
    const result = await run(repository, '0'.repeat(40), {}, { PATH: tools });
    const errors = result.annotations.filter(({ level }) => level === 'error').map(({ message }) => message);
    expect(errors).toEqual([
      expect.stringMatching(
        /^"docker-bake.hcl" is read by "docker buildx bake --print", and this runner has no docker with buildx .*; use a runner that has it, or write .github\/images.yml, or choose another "source"$/,
      ),
    ]);
    expect(result.outputs).toEqual({});
  });

  test('leaves the checkout as it was, but for git objects that it fetched', async () => {
    await using repository = await TemporaryRepository.create(FILES);
    const config = await readFile(path.join(repository.folder, '.git/config'), 'utf8');
    await run(repository, '0'.repeat(40));
    const { stdout } = await repository.git.run(['status', '--porcelain', '--ignored']);
    expect(stdout).toBe('');
    expect(await readFile(path.join(repository.folder, '.git/config'), 'utf8')).toBe(config);
  });
});
