import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { exportPath } from '../../src/core/registry/export-path.ts';
import { createRegistryClient } from '../../src/core/registry/registry-client.ts';
import { runCommand } from '../../src/core/runner/command.ts';
import { readCommandFiles } from '../harness/runner/command-files.ts';
import { startRegistry } from '../harness/services/registry.ts';
import { startFaultProxy } from '../harness/standins/fault-proxy.ts';
import type { Fault } from '../harness/standins/fault-rules.ts';
import { startTokenAuthFront, type TokenAuthFront } from '../harness/standins/token-auth-front.ts';
import { publish } from '../unit/actions/ghcr-publish/publish-step.ts';
import { keptLog } from '../unit/core/registry/kept-log.ts';
import { temporaryFolder } from '../unit/core/registry/oci-layout.ts';
import { argumentsThatHold, makeStepFolder, startAction } from './action-process.ts';
import { missingParts, nameDigest, pushBuilt } from './published-images.ts';
import { serviceAddress } from './service-address.ts';

const registry = serviceAddress('SLIPWAY_REGISTRY');
const client = createRegistryClient();
const name = (repository: string): string => `${registry}/publish-test/${repository}`;
const build = (repository: string, platform: string, content: string, labels: Record<string, string> = {}) =>
  pushBuilt(client, name(repository), platform, content, labels);
const tagsOf = async (repository: string): Promise<readonly string[]> =>
  [...(await client.listTags({ registry, name: `publish-test/${repository}` }))].sort();

/** The registry behind GHCR's kind of authentication; `bot` may write, `reader` may not. */
const startFront = (options: { readonly tokenLife?: number } = {}): Promise<TokenAuthFront> =>
  startTokenAuthFront({
    upstream: `http://${registry}`,
    users: { bot: { password: 'sesame-bot', canPush: true }, reader: { password: 'sesame-reader', canPush: false } },
    ...options,
  });

describe('publishing to a real registry', () => {
  test('names an index of two platforms, whose files can be taken out again', async () => {
    const amd64 = await build('app', 'linux/amd64', '<p>amd64');
    const arm64 = await build('app', 'linux/arm64', '<p>arm64');
    const { outputs } = await publish({
      sources: `${name('app')}@${amd64}\n${name('app')}@${arm64}`,
      tags: ['latest', '1.2', '1.2.3'].map((tag) => `${name('app')}:${tag}`).join('\n'),
      expect: 'linux/amd64,linux/arm64',
    });
    expect(await tagsOf('app')).toEqual(['1.2', '1.2.3', 'latest']);
    await using folder = await temporaryFolder();
    const into = join(folder.path, 'out');
    const reference = `${name('app')}@${String(outputs.digest)}`;
    await exportPath({ client, reference, path: '/app/dist', platform: 'linux/arm64', into, log: keptLog() });
    expect(await readFile(join(into, 'index.html'), 'utf8')).toBe('<p>arm64');
  });

  test('promotes into another repository by mounts, and keeps the digest', async () => {
    const digest = await build('staging', 'linux/amd64', 'promoted');
    await using proxy = await startFaultProxy({ upstream: `http://${registry}` });
    const at = `${new URL(proxy.url).host}/publish-test`;
    const { outputs } = await publish({ promote: `${at}/staging@${digest}`, tags: `${at}/prod:1.0.0` });
    expect(outputs.digest).toBe(digest);
    expect(await client.findDigest({ registry, name: 'publish-test/prod' }, '1.0.0')).toBe(digest);
    expect(await missingParts(client, { registry, name: 'publish-test/prod' }, digest)).toEqual([]);
    expect(proxy.count(/^(?:PUT|PATCH) .*\/blobs\//)).toBe(0);
    // The image's configuration, which tells its platform.
    expect(proxy.count(/^GET .*\/blobs\//)).toBeLessThanOrEqual(1);
  });

  test('asks with HTTP Basic where the registry wants that', async () => {
    await using folder = await temporaryFolder();
    const auth = { username: 'bot', password: 'sesame-basic' };
    await using closed = await startRegistry({ folder: folder.path, auth, log: () => undefined });
    const own = createRegistryClient({ credentials: () => auth });
    const digest = await pushBuilt(own, `${closed.host}/acme/app`, 'linux/amd64', 'basic');
    const given = { promote: `${closed.host}/acme/app@${digest}`, tags: `${closed.host}/acme/app:1.0.0` };
    await publish({ ...given, registry: closed.host, ...auth });
    expect(await own.findDigest({ registry: closed.host, name: 'acme/app' }, '1.0.0')).toBe(digest);
    await expect(publish({ ...given, registry: closed.host, ...auth, password: 'wrong' })).rejects.toThrow(
      'wrong or has expired',
    );
  });

  test('publishes images of this machine\u2019s engine, as they are there', async () => {
    await using folder = await temporaryFolder();
    const dockerfile = `FROM ${serviceAddress('SLIPWAY_BASE_IMAGE')}\nRUN echo local > /local.txt\n`;
    await writeFile(join(folder.path, 'Dockerfile'), dockerfile);
    await runCommand('docker', ['build', '--tag', 'publish-test:ci', folder.path]);
    const given = { local: 'publish-test:ci', tags: `${name('local')}:1.0.0\n${name('local')}:latest` };
    const { outputs } = await publish(given, {
      temp: folder.path,
      environment: { ...process.env, DOCKER_CONFIG: '/nonexistent' },
    });
    const repository = { registry, name: 'publish-test/local' };
    expect(await missingParts(client, repository, String(outputs.digest))).toEqual([]);
    await runCommand('docker', ['image', 'rm', '--force', 'publish-test:ci']);
    const { stdout } = await runCommand('docker', ['run', '--rm', `${name('local')}:1.0.0`, 'cat', '/local.txt']);
    expect(stdout).toBe('local\n');
    expect((await readdir(folder.path)).sort()).toEqual(['Dockerfile']);
    await expect(publish({ ...given, local: 'no-such-image:ci' }, { environment: { ...process.env } })).rejects.toThrow(
      'the engine gave no image "no-such-image:ci"',
    );
  });
});

describe('a network that breaks', () => {
  test.each<[string, Fault]>([
    ['too many requests', { kind: 'status', status: 429, headers: { 'retry-after': '1' } }],
    ['a fault of the registry', { kind: 'status', status: 500 }],
    ['a connection that is cut before the request', { kind: 'reset', when: 'before' }],
    ['a connection that is cut after it', { kind: 'reset', when: 'after' }],
    ['an answer that takes its time', { kind: 'delay', milliseconds: 1500 }],
  ])('%s, once at each kind of request: the release is whole in the end', async (what, fault) => {
    const repository = `broken-${what.replaceAll(' ', '-')}`;
    const digest = await build('broken-builds', 'linux/amd64', what);
    const other = await build('broken-builds', 'linux/arm64', what);
    await using proxy = await startFaultProxy({ upstream: `http://${registry}` });
    const kinds = [
      /^GET .*manifests/,
      /^HEAD .*manifests/,
      /^HEAD .*blobs/,
      /^POST /,
      /^PUT .*sha256/,
      /^PUT .*latest/,
    ];
    for (const match of kinds) proxy.faults.add({ fault, match });
    const at = `${new URL(proxy.url).host}/publish-test`;
    const { outputs } = await publish({
      sources: `${at}/broken-builds@${digest}\n${at}/broken-builds@${other}`,
      tags: `${at}/${repository}:latest\n${at}/${repository}:1.0.0`,
    });
    const target = { registry, name: `publish-test/${repository}` };
    expect(await missingParts(client, target, String(outputs.digest))).toEqual([]);
    for (const tag of ['1.0.0', 'latest']) expect(await client.findDigest(target, tag)).toBe(outputs.digest);
  });
});

describe('a registry like GHCR', () => {
  test('is asked for one token, with every name in lower case, and waited for while it answers old', async () => {
    await using front = await startFront();
    const old = await build('ghcr', 'linux/amd64', 'old');
    await nameDigest(client, name('ghcr'), old, 'latest');
    const digest = await build('ghcr', 'linux/amd64', 'new');
    front.staleReads(3);
    const at = `${front.host}/Publish-Test/GHCR`;
    const login = { registry: front.host, username: 'bot', password: 'sesame-bot' };
    const { log } = await publish({ promote: `${at}@${digest}`, tags: `${at}:latest\n${at}:1.0.0`, ...login });
    expect(await client.findDigest({ registry, name: 'publish-test/ghcr' }, 'latest')).toBe(digest);
    expect(log.lines.join('\n')).toContain('the registry is given time');
    expect(front.tokenRequests).toEqual(['repository:publish-test/ghcr:pull,push']);
  });

  test('mounts from a private repository with one token for both, and gets a new one when it expires', async () => {
    await using front = await startFront({ tokenLife: 11 });
    const digest = await build('private', 'linux/amd64', 'private');
    const at = `${front.host}/publish-test`;
    const login = { registry: front.host, username: 'bot', password: 'sesame-bot' };
    front.faults.add({ fault: { kind: 'delay', milliseconds: 2000 }, match: /uploads/ });
    await publish({ promote: `${at}/private@${digest}`, tags: `${at}/public:1.0.0`, ...login });
    expect(front.tokenRequests).toContain(
      'repository:publish-test/public:pull,push repository:publish-test/private:pull',
    );
    expect(front.tokenRequests.length).toBeGreaterThan(3);
  });

  test.each([
    ['a user who may only read', { username: 'reader', password: 'sesame-reader' }, /403 \(DENIED: permission_denied/],
    ['a wrong password', { username: 'bot', password: 'wrong' }, /403 \(DENIED/],
    ['nobody', { username: '', password: '' }, /Give "username" and "password"/],
  ])('refuses %s in one line, and nothing is moved', async (_who, login, message) => {
    await using front = await startFront();
    const digest = await build('refused', 'linux/amd64', 'refused');
    const at = `${front.host}/publish-test/refused`;
    const given = { promote: `${at}@${digest}`, tags: `${at}:latest`, registry: front.host, ...login };
    const error = await publish(given).catch((cause: unknown) => cause);
    expect(String(error)).toMatch(message);
    expect(String(error)).not.toContain('\n');
    expect(await tagsOf('refused')).toEqual([]);
  });
});

describe('the password', () => {
  test('is in no argument vector, log, state, output or file, and the user\u2019s own configuration is as it was', async () => {
    await using front = await startFront();
    await using folder = await temporaryFolder();
    const digest = await build('secret', 'linux/amd64', 'secret');
    const step = await makeStepFolder(folder.path);
    const own = join(folder.path, '.docker');
    await mkdir(own);
    await writeFile(join(own, 'config.json'), '{"auths":{"example.com":{"auth":"dXNlcjpwYXNz"}}}');
    const before = await stat(join(own, 'config.json'));
    const at = `${front.host}/publish-test/secret`;
    const inputs = {
      promote: `${at}@${digest}`,
      tags: `${at}:latest\n${at}:1.0.0`,
      registry: front.host,
      username: 'bot',
      password: 'sesame-bot',
      logout: 'false',
    };
    front.faults.add({ fault: { kind: 'delay', milliseconds: 100 }, times: Number.POSITIVE_INFINITY });
    const action = startAction('ghcr-publish', inputs, step.environment);
    const seen = new Set<string>();
    const watch = async (): Promise<void> => {
      while (action.child.exitCode === null) {
        for (const line of await argumentsThatHold('sesame-bot')) seen.add(line);
        await sleep(20);
      }
    };
    const [{ exitCode, log }] = await Promise.all([action.ended, watch()]);
    expect(exitCode, log).toBe(0);
    expect([...seen]).toEqual([]);
    const contents = await readCommandFiles(step.files);
    const shown = log.split('\n').filter((line) => !line.startsWith('::add-mask::'));
    expect(shown.join('\n') + JSON.stringify(contents)).not.toContain('sesame');
    expect(await readdir(step.temp)).toHaveLength(1);

    const state = Object.entries(contents.state).map(([key, value]) => [`STATE_${key}`, value]);
    const post = startAction('ghcr-publish', inputs, { ...step.environment, ...Object.fromEntries(state) });
    expect((await post.ended).exitCode).toBe(0);
    expect(await readdir(step.temp)).toEqual([]);
    const after = await stat(join(own, 'config.json'));
    expect([after.mtimeMs, after.size]).toEqual([before.mtimeMs, before.size]);
    expect(await readdir(own)).toEqual(['config.json']);
  });
});
