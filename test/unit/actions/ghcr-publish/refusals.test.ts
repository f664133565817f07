import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { contract } from '../../../../src/actions/ghcr-publish/contract.ts';
import { post } from '../../../../src/actions/ghcr-publish/run.ts';
import { runCommand } from '../../../../src/core/runner/command.ts';
import { readInputs } from '../../../../src/core/runner/inputs.ts';
import { keptLog } from '../../core/registry/kept-log.ts';
import { temporaryFolder } from '../../core/registry/oci-layout.ts';
import { startRegistry } from '../../core/registry/registry-server.ts';
import { storeIndex } from '../../core/registry/store-index.ts';
import { build, EVENT, publish } from './publish-step.ts';

const refusal = (code: string, message: string): string => JSON.stringify({ errors: [{ code, message }] });

describe('a registry that refuses', () => {
  test.each<[string, { status: number; body?: string; headers?: Record<string, string>; times?: number }, RegExp]>([
    ['403 at the write', { status: 403, body: refusal('DENIED', 'write_package') }, /403 \(DENIED: write_package\)/],
    ['a quota', { status: 403, body: refusal('DENIED', 'quota exceeded') }, /storage or transfer is used up/],
    ['507', { status: 507 }, /storage or transfer is used up/],
    ['402', { status: 402 }, /storage or transfer is used up/],
    ['413', { status: 413 }, /storage or transfer is used up/],
    ['a repository that it does not make', { status: 404, body: refusal('NAME_UNKNOWN', 'no') }, /create it there/],
    ['a tag that it does not take', { status: 400, body: refusal('TAG_INVALID', 'no') }, /400 \(TAG_INVALID: no\)/],
  ])('%s: one line, and no tag moved', async (_what, failure, message) => {
    await using registry = await startRegistry();
    const name = `${registry.host}/acme/app`;
    const old = storeIndex(registry, 'acme/app', await build(['linux/amd64'], 'old'), 'latest');
    storeIndex(registry, 'acme/app', await build(['linux/amd64'], 'new'), 'build');
    registry.fail({ times: Number.POSITIVE_INFINITY, match: /^PUT/, ...failure });
    const error = await publish({ promote: `${name}:build`, tags: `${name}:latest` }).catch((cause: unknown) => cause);
    expect(String(error)).toMatch(message);
    expect(String(error)).not.toContain('\n');
    expect(registry.repository('acme/app').tags.get('latest')).toBe(old);
  });

  test('429 is waited out as long as Retry-After says, and then it goes on', async () => {
    await using registry = await startRegistry();
    const name = `${registry.host}/acme/app`;
    const digest = storeIndex(registry, 'acme/app', await build(['linux/amd64'], 'x'), 'build');
    registry.fail({ status: 429, match: /^PUT/, headers: { 'retry-after': '1' } });
    const start = Date.now();
    await publish({ promote: `${name}:build`, tags: `${name}:latest` });
    expect(Date.now() - start).toBeGreaterThanOrEqual(1000);
    expect(registry.repository('acme/app').tags.get('latest')).toBe(digest);
  });

  test('a digest that is not there, and a user who may only read', async () => {
    const users = { reader: { password: 'p', canPush: false } };
    await using registry = await startRegistry({ users });
    const name = `${registry.host}/acme/app`;
    storeIndex(registry, 'acme/app', await build(['linux/amd64'], 'x'), 'build');
    const login = { registry: registry.host, username: 'reader', password: 'p' };
    const given = { promote: `${name}:build`, tags: `${name}:latest`, ...login };
    await expect(publish(given)).rejects.toThrow('This user may not write to');
    await expect(publish({ ...given, password: 'wrong' })).rejects.toThrow('wrong or has expired');
    expect([...registry.repository('acme/app').tags.keys()]).toEqual(['build']);

    await using open = await startRegistry();
    const missing = `${open.host}/acme/app@sha256:${'0'.repeat(64)}`;
    await expect(publish({ promote: missing, tags: `${open.host}/acme/app:1` })).rejects.toThrow(
      `there is no image ${missing} in the registry`,
    );
  });
});

describe('annotations', () => {
  test('stand at the level that they name; labels and the index below what is said of it', async () => {
    await using registry = await startRegistry();
    const name = `${registry.host}/acme/app`;
    storeIndex(registry, 'acme/app', await build(['linux/amd64', 'linux/arm64'], 'x'), 'build');
    const { outputs } = await publish({
      sources: `${name}:build`,
      tags: `${name}:1.0.0`,
      labels: 'org.opencontainers.image.title=App\na=label',
      annotations: [
        'a=plain',
        'index:b=1',
        'index,manifest-descriptor:c=both',
        'manifest-descriptor[linux/arm64]:d=arm',
        'manifest:e=of the build',
        'index-descriptor:f=nowhere',
      ].join('\n'),
    });
    const { manifests } = registry.repository('acme/app');
    const index = JSON.parse(manifests.get(String(outputs.digest))?.bytes.toString() ?? '');
    expect(index.annotations).toEqual({
      a: 'plain',
      b: '1',
      c: 'both',
      'org.opencontainers.image.source': 'https://github.com/Acme/App',
      'org.opencontainers.image.title': 'App',
    });
    const own = index.manifests.map(({ annotations }: { annotations?: object }) => annotations ?? {});
    expect(own.slice(0, 2)).toEqual([{ c: 'both' }, { c: 'both', d: 'arm' }]);
    for (const attestation of own.slice(2)) expect(Object.keys(attestation)).not.toContain('c');
  });
});

describe('the login', () => {
  test('is kept for later steps when it is asked for, apart from the user’s own, until the post step', async () => {
    await using registry = await startRegistry({ users: { bot: { password: 'sesame', canPush: true } } });
    await using folder = await temporaryFolder();
    const name = `${registry.host}/acme/app`;
    storeIndex(registry, 'acme/app', await build(['linux/amd64'], 'x'), 'build');
    const login = { registry: registry.host, username: 'bot', password: 'sesame' };
    const given = { promote: `${name}:build`, tags: `${name}:1.0.0`, ...login };
    const temp = folder.path;

    await publish(given, { temp });
    expect(await readdir(temp)).toEqual([]);

    const { outputs, saved, log } = await publish({ ...given, logout: 'false' }, { temp });
    const config = JSON.parse(await readFile(join(String(outputs.dockerConfig), 'config.json'), 'utf8'));
    expect(Buffer.from(config.auths[registry.host].auth, 'base64').toString()).toBe('bot:sesame');
    const shown = log.lines.filter((line) => !line.startsWith('::add-mask::'));
    expect([...saved.values(), ...shown].join('\n')).not.toContain('sesame');

    const state = { save: () => undefined, get: (key: string) => saved.get(key) };
    const context = { event: EVENT, environment: {}, workspace: '/', temp, log: keptLog(), runCommand, state };
    await post(readInputs(contract, {}, keptLog()), context);
    expect(await readdir(temp)).toEqual([]);
  });
});
