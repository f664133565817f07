import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { contracts } from '../../scripts/contracts.ts';
import { type ActionResult, runAction } from '../harness/runner/run-action.ts';

const root = path.resolve(import.meta.dirname, '../..');
let workspace: string;

beforeEach(async () => {
  workspace = await mkdtemp(path.join(tmpdir(), 'slipway-contract-'));
  await mkdir(path.join(workspace, 'src'));
  await writeFile(path.join(workspace, 'src/file.txt'), 'content\n');
  const identity = ['-c', 'user.name=Developer', '-c', 'user.email=developer@example.invalid'];
  for (const args of [
    ['init', '--quiet'],
    ['add', '--all'],
    [...identity, 'commit', '--quiet', '--message', 'First'],
  ]) {
    execFileSync('git', args, { cwd: workspace });
  }
});
afterEach(() => rm(workspace, { recursive: true, force: true }));

/** Runs a bundle as GitHub's runner does. There is no registry, no bucket and no Docker it could reach. */
function run(name: string, inputs: Readonly<Record<string, string>>): Promise<ActionResult> {
  return runAction({
    action: path.join(root, 'actions', name),
    inputs,
    workspace,
    event: { name: 'push', ref: 'refs/heads/main', sha: 'a'.repeat(40), repository: 'acme/app', token: 'ghs_secret' },
    env: { DOCKER_HOST: 'tcp://127.0.0.1:1', GITHUB_API_URL: 'http://127.0.0.1:1' },
  });
}

async function digestOf(folder: string): Promise<string> {
  const hash = createHash('sha256');
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  for (const entry of entries.sort((a, b) => (a.parentPath + a.name < b.parentPath + b.name ? -1 : 1))) {
    const file = path.join(entry.parentPath, entry.name);
    hash.update(file).update(entry.isFile() ? await readFile(file) : '');
  }
  return hash.digest('hex');
}

/** One input each that its action does not take, and what the one line must say. */
const refused: readonly (readonly [action: string, inputs: Readonly<Record<string, string>>, message: RegExp])[] = [
  ['build-matrix', { 'changed-only': 'sometimes' }, /^input "changed-only": "sometimes" is none of/],
  ['build-matrix', { 'max-rows': '1000' }, /^input "max-rows": "1000" is not between/],
  ['build-matrix', { config: 'nowhere.yml' }, /nowhere\.yml/],
  ['model-verify', {}, /give "models", "manifest" or "row"/],
  ['model-verify', { models: '../*.pt' }, /"\.\.\/\*\.pt" leaves the repository/],
  ['model-verify', { models: 'nothing.pt' }, /"nothing\.pt" matches no file/],
  ['model-verify', { models: 'src/file.txt', sha256: 'abc' }, /^input "sha256": "abc" is no SHA-256/],
  ['model-verify', { row: '{"image":"A"}' }, /^input "row": "image" of the row is "A"/],
  ['model-verify', { scan: 'eror' }, /^input "scan": "eror" is none of error, warn, off; did you mean error\?$/],
  ['metadata-tags', { images: 'ghcr.io/acme/app', tags: 'type=raw' }, /"tags"/],
  ['metadata-tags', { images: 'https://ghcr.io/a' }, /"images"/],
  ['metadata-tags', { 'latest-guard': 'maybe' }, /^input "latest-guard": "maybe" is neither true nor false$/],
  ['multistage-build', { image: '[' }, /^input "image": this is no JSON/],
  ['multistage-build', { push: 'yes' }, /^input "push": "yes" is none of false, true, by-digest/],
  ['multistage-build', { 'max-size': 'large' }, /^input "max-size": "large" is no size/],
  ['ghcr-publish', { tags: 'ghcr.io/acme/app:1' }, /"(?:from|sources|promote)"/],
  ['ghcr-publish', { from: 'artifacts' }, /^input "from": "artifacts" is none of builds/],
  ['frontend-s3-deploy', { source: 'dist' }, /^input "bucket" is required/],
  ['frontend-s3-deploy', { source: 'dist', bucket: 'site', 'max-bytes': '-1' }, /^input "max-bytes": "-1" is no size/],
  [
    'frontend-s3-deploy',
    { source: 'nowhere/dist', bucket: 'site', region: 'eu-west-1' },
    /^input "source": there is no folder/,
  ],
];

describe('bad input is refused with one line, exit code 1, and nothing changed', () => {
  test.each(refused)('%s with %j', async (name, inputs, message) => {
    const before = await digestOf(workspace);
    const result = await run(name, inputs);
    const errors = result.annotations.filter(({ level }) => level === 'error');
    expect(errors.map((error) => error.message)).toEqual([expect.stringMatching(message)]);
    expect(errors[0]?.message).not.toContain('\n');
    expect(result.exitCode).toBe(1);
    expect(result.outputs).toEqual({});
    expect(await digestOf(workspace)).toBe(before);
    expect(result.log).not.toContain('    at ');
    // The post step is the same bundle: it must neither run the action again nor say its error twice.
    if (result.post !== undefined) expect(result.post).toMatchObject({ exitCode: 0, log: '' });
  });

  test('every action is in the table', () => {
    expect(new Set(refused.map(([name]) => name))).toEqual(new Set(contracts.map(({ name }) => name)));
  });
});

describe.each(contracts)('$name', (contract) => {
  test('warns of an input it does not know, with the nearest name', async () => {
    const [longest = ''] = Object.keys(contract.inputs).sort((a, b) => b.length - a.length);
    const misspelt = `${longest.slice(0, 1)}${longest.slice(2, 3)}${longest.slice(1, 2)}${longest.slice(3)}x`;
    const result = await run(contract.name, { [misspelt]: 'value' });
    expect(result.log).toContain(
      `input "${misspelt}" is not known to ${contract.name} and does nothing; did you mean "${longest}"?`,
    );
  });

  test('masks every secret before it says anything else', async () => {
    const secrets = Object.entries(contract.inputs).filter(([, { isSecret }]) => isSecret);
    const inputs = Object.fromEntries(secrets.map(([name]) => [name, `sesame-${name}`]));
    const result = await run(contract.name, { ...inputs, 'no-such-input': '1' });
    const lines = result.rawLog.split('\n').filter((line) => !/^(?:##\[warning\])?Unexpected input/.test(line));
    const firstOther = lines.findIndex((line) => line !== '' && !line.startsWith('::add-mask::'));
    for (const [name] of secrets) {
      const mask = lines.indexOf(`::add-mask::sesame-${name}`);
      expect(mask).toBeGreaterThanOrEqual(0);
      expect(mask).toBeLessThan(firstOther);
      expect(result.log).not.toContain(`sesame-${name}`);
    }
  });
});
