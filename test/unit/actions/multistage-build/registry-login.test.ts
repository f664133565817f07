import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { chooseLogin, registriesOf } from '../../../../src/actions/multistage-build/registry-login.ts';
import { runCommand } from '../../../../src/core/runner/command.ts';
import { pushEvent } from './build-inputs.ts';

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'registry-login-'));
});
afterEach(() => rm(root, { recursive: true, force: true }));

const choose = (inputs: { registry: string; password: string }, hosts: readonly string[]) =>
  chooseLogin({ username: 'me', githubToken: 'ghs', ...inputs }, new Set(hosts), {
    environment: { DOCKER_CONFIG: root },
    event: pushEvent,
    runCommand,
  });

describe('the login', () => {
  it.each([
    ['with the workflow’s token at GitHub’s registry', { registry: 'ghcr.io', password: 'ghs' }, ['ghcr.io'], 'ghs'],
    ['with the workflow’s token nowhere else', { registry: 'docker.io', password: 'ghs' }, ['docker.io'], undefined],
    ['with a password of one’s own anywhere', { registry: 'docker.io', password: 'own' }, ['docker.io'], 'own'],
    ['nowhere, when nothing goes to that registry', { registry: 'ghcr.io', password: 'ghs' }, ['docker.io'], undefined],
  ])('is done %s', async (_, inputs, hosts, password) => {
    expect((await choose(inputs, hosts)).login?.password).toBe(password);
  });

  it('of an earlier step is used before the workflow’s token, and not written again', async () => {
    await writeFile(
      join(root, 'config.json'),
      JSON.stringify({ auths: { 'ghcr.io': { auth: Buffer.from('bot:pat').toString('base64') } } }),
    );
    expect(await choose({ registry: 'ghcr.io', password: 'ghs' }, ['ghcr.io'])).toEqual({
      login: { registry: 'ghcr.io', username: 'bot', password: 'pat' },
      isNew: false,
    });
  });
});

describe('the registries of a run', () => {
  const rules = { maxSize: undefined, maxGrowth: undefined, require: [], forbidPaths: [] };
  const image = {
    name: 'a',
    row: undefined,
    target: {},
    cacheScope: 'a',
    repository: 'ghcr.io/a/b',
    tags: ['quay.io/a/b:1', 'c:2'],
    layout: undefined,
    dockerfile: undefined,
    localCacheFolder: undefined,
    published: undefined,
    smokeName: undefined,
  };
  it.each([
    ['false', 'gha', []],
    ['false', 'registry', ['ghcr.io']],
    ['by-digest', 'gha', ['ghcr.io']],
    ['true', 'gha', ['quay.io', 'docker.io']],
  ] as const)('that pushes %s and caches in %s are %j', (push, cache, expected) => {
    expect([...registriesOf({ images: [{ ...image, cache }], rules }, { push })]).toEqual(expected);
  });

  it('are also those that a published image is read from, when it is compared with', () => {
    const images = [{ ...image, published: 'ghcr.io/a/private:latest', cache: 'off' }] as const;
    const growing = { ...rules, maxGrowth: { unit: 'percent', limit: 10 } } as const;
    expect([...registriesOf({ images, rules: growing }, { push: 'false' })]).toEqual(['ghcr.io']);
    expect([...registriesOf({ images, rules }, { push: 'false' })]).toEqual([]);
  });
});
