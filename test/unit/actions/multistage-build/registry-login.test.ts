import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { chooseLogin, registriesOf } from '../../../../src/actions/multistage-build/registry-login.ts';
import { parseGrowth } from '../../../../src/core/buildkit/image-rules.ts';
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
    mountShare: 0,
    published: 'old.example/a/b:latest',
    smokeName: undefined,
  };
  it.each([
    ['false', 'gha', undefined, []],
    ['false', 'registry', undefined, ['ghcr.io']],
    ['by-digest', 'gha', undefined, ['ghcr.io']],
    ['true', 'gha', undefined, ['quay.io', 'docker.io']],
    // A private image can be compared with after a login only.
    ['false', 'gha', '10%', ['old.example']],
  ] as const)('that pushes %s, caches in %s and allows a growth of %s are %j', (push, cache, growth, expected) => {
    const maxGrowth = growth === undefined ? undefined : parseGrowth(growth);
    const rules = { maxSize: undefined, maxGrowth, require: [], forbidPaths: [] };
    expect([...registriesOf({ images: [{ ...image, cache }], rules }, { push })]).toEqual(expected);
  });
});
