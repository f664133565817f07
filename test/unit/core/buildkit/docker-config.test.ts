import { chmod, mkdir, mkdtemp, readdir, readFile, readlink, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createDockerConfig, findLogin } from '../../../../src/core/buildkit/docker-config.ts';
import { runCommand } from '../../../../src/core/runner/command.ts';

const login = { registry: 'ghcr.io', username: 'me', password: 'to:ken' };
let root: string;
let own: string;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'docker-config-'));
  own = join(root, 'own');
  await mkdir(join(own, 'cli-plugins'), { recursive: true });
  await mkdir(join(own, 'contexts'));
});
afterEach(() => rm(root, { recursive: true, force: true }));

const create = () => createDockerConfig(root, login, { DOCKER_CONFIG: own });
const writeOwn = (config: object) => writeFile(join(own, 'config.json'), JSON.stringify(config));
const readConfig = async (folder: string): Promise<unknown> =>
  JSON.parse(await readFile(join(folder, 'config.json'), 'utf8'));

describe('the private Docker configuration', () => {
  it('can be read by this user alone', async () => {
    const { folder } = await create();
    expect((await stat(folder)).mode & 0o777).toBe(0o700);
    expect((await stat(join(folder, 'config.json'))).mode & 0o777).toBe(0o600);
  });

  it('adds the login and keeps the user’s own logins and settings', async () => {
    await writeOwn({ auths: { 'docker.io': { auth: 'eA==' } }, currentContext: 'remote' });
    const { folder } = await create();
    expect(await readConfig(folder)).toEqual({
      auths: { 'docker.io': { auth: 'eA==' }, 'ghcr.io': { auth: Buffer.from('me:to:ken').toString('base64') } },
      currentContext: 'remote',
    });
  });

  it('is not hidden by the user’s credential store', async () => {
    await writeOwn({ credsStore: 'desktop', credHelpers: { 'gcr.io': 'gcloud' } });
    const { folder } = await create();
    expect(await readConfig(folder)).toMatchObject({ credHelpers: { 'gcr.io': 'gcloud', 'ghcr.io': '' } });
  });

  it('finds plug-ins, contexts and builders where the user has them', async () => {
    const { folder, environment } = await create();
    expect(await readlink(join(folder, 'cli-plugins'))).toBe(join(own, 'cli-plugins'));
    expect(await readlink(join(folder, 'contexts'))).toBe(join(own, 'contexts'));
    expect(environment).toEqual({ DOCKER_CONFIG: folder, BUILDX_CONFIG: join(own, 'buildx') });
  });

  it('refuses a configuration that is no JSON, and leaves nothing behind', async () => {
    await writeFile(join(own, 'config.json'), '{');
    await expect(create()).rejects.toThrow('cannot be read');
    expect(await readdir(root)).toEqual(['own']);
  });
});

describe('an earlier login of the job', () => {
  it('is found in config.json', async () => {
    await writeOwn({ auths: { 'ghcr.io': { auth: Buffer.from('me:to:ken').toString('base64') } } });
    expect(await findLogin('ghcr.io', { DOCKER_CONFIG: own }, runCommand)).toEqual(login);
  });

  it('is asked from the credential helper', async () => {
    const helper = join(root, 'docker-credential-test');
    await writeFile(
      helper,
      `#!/bin/sh\nread registry\n[ "$1 $registry" = "get ghcr.io" ] && echo '{"Username":"me","Secret":"to:ken"}'\n`,
    );
    await chmod(helper, 0o755);
    await writeOwn({ credHelpers: { 'ghcr.io': 'test' } });
    const environment = { DOCKER_CONFIG: own, PATH: `${root}:${process.env['PATH'] ?? ''}` };
    expect(await findLogin('ghcr.io', environment, runCommand)).toEqual(login);
  });

  it('is none without a configuration', async () => {
    expect(await findLogin('ghcr.io', { DOCKER_CONFIG: join(root, 'none') }, runCommand)).toBeUndefined();
  });
});
