import { describe, expect, test } from 'vitest';
import { type GithubApi, startGithubApi } from '../../../harness/standins/github-api.ts';
import type { PackageVersion } from '../../../harness/standins/github-packages.ts';
import { type RegistryServer, startRegistry } from '../../core/registry/registry-server.ts';
import { storeIndex } from '../../core/registry/store-index.ts';
import { build, publish } from './publish-step.ts';

const day = (days: number): string => new Date(Date.now() - days * 86_400_000).toISOString();

interface Package {
  readonly versions: readonly PackageVersion[];
  /** Digests of each image's index and of all it refers to. */
  readonly digests: readonly (readonly string[])[];
}

/** A package of so many images, the first the oldest, each an index of an image and its attestation. */
async function fill(registry: RegistryServer, count: number, tagOf: (index: number) => string): Promise<Package> {
  const versions: PackageVersion[] = [];
  const digests: string[][] = [];
  for (let index = 0; index < count; index += 1) {
    const made = await build(['linux/amd64'], `image ${index}`);
    const tag = tagOf(index);
    storeIndex(registry, 'acme/app', made, tag);
    const all = [made.manifest, ...made.manifests].map(({ digest }) => digest);
    digests.push(all);
    for (const [position, name] of all.entries()) {
      const tags = position === 0 ? [tag] : [];
      versions.unshift({ id: versions.length + 1, name, tags, createdAt: day(100 + count - index) });
    }
  }
  return { versions, digests };
}

function startApi(versions: readonly PackageVersion[]): Promise<GithubApi> {
  const packages = { app: versions };
  return startGithubApi({
    repositories: [{ fullName: 'Acme/App', defaultBranch: 'main' }],
    packageOwners: [{ login: 'acme', type: 'Organization', packages }],
  });
}

const left = (api: GithubApi): readonly string[] => api.packageVersions('acme', 'app').map(({ name }) => name);
const deletions = (api: GithubApi) => api.requests.filter(({ method }) => method === 'DELETE');

describe('retention', () => {
  test('keeps the newest of a pattern with all that belongs to them, over several pages', async () => {
    await using registry = await startRegistry();
    const { versions, digests } = await fill(registry, 60, (index) => `sha-${index}`);
    await using api = await startApi(versions);
    const given = { images: `${registry.host}/acme/app`, retain: 'pattern=sha-*,newest=10\nuntagged=1d' };
    const { outputs, summary } = await publish(given, { api: api.url });
    expect(left(api).toSorted()).toEqual(digests.slice(50).flat().toSorted());
    expect(outputs.deleted).toHaveLength(150);
    expect(summary).toContain('Deleted');
    expect(api.requests.some(({ path }) => path.includes('page=2'))).toBe(true);
  });

  test('deletes an index before its images: cut off in between, what is left is whole', async () => {
    await using registry = await startRegistry();
    const { versions, digests } = await fill(registry, 4, (index) => `sha-${index}`);
    const given = { images: `${registry.host}/acme/app`, retain: 'pattern=sha-*,newest=1\nuntagged=1d' };
    for (let cut = 0; cut < 9; cut += 1) {
      await using api = await startApi(versions);
      api.faults.add({ fault: { kind: 'status', status: 401 }, match: /^DELETE/, after: cut, times: 99 });
      await expect(publish(given, { api: api.url })).rejects.toThrow('401');
      const names = new Set(left(api));
      for (const [index = '', ...children] of digests)
        if (names.has(index)) expect(children.filter((child) => !names.has(child))).toEqual([]);
      api.faults.clear();
      await publish(given, { api: api.url });
      expect(left(api).toSorted()).toEqual((digests[3] ?? []).toSorted());
    }
  });

  test('a dry run says what it would delete, and deletes nothing', async () => {
    await using registry = await startRegistry();
    const { versions } = await fill(registry, 3, (index) => `sha-${index}`);
    await using api = await startApi(versions);
    const given = { images: `${registry.host}/acme/app`, retain: 'pattern=sha-*,newest=1', 'dry-run': 'true' };
    const { outputs, log } = await publish(given, { api: api.url });
    expect(outputs.deleted).toHaveLength(2);
    expect(log.lines.join('\n')).toContain('would delete');
    expect(deletions(api)).toEqual([]);
  });

  test('removes the tags of a pull request when it is closed', async () => {
    await using registry = await startRegistry();
    const { versions } = await fill(registry, 3, (index) => `pr-${index + 1}`);
    await using api = await startApi(versions);
    api.fail({ status: 200, match: /pulls\/1$/, body: '{"state":"open"}' });
    api.fail({ status: 200, match: /pulls\/3$/, body: '{"state":"closed"}' });
    const event = { name: 'pull_request', payload: { action: 'closed', pull_request: { number: 2 } } };
    const given = { images: `${registry.host}/acme/app`, retain: 'closed=pr-{number}' };
    const { outputs } = await publish(given, { api: api.url, event });
    expect(outputs.deleted).toMatchObject([{ tags: ['pr-3'] }, { tags: ['pr-2'] }]);
    expect(api.requests.some(({ path }) => path.endsWith('/pulls/2'))).toBe(false);
  });

  test.each([
    ['primary', 403],
    ['secondary', 403],
    ['secondary', 429],
  ] as const)('waits for a %s rate limit, told with %i', async (kind, status) => {
    await using registry = await startRegistry();
    const { versions } = await fill(registry, 3, (index) => `sha-${index}`);
    await using api = await startApi(versions);
    api.rateLimit({ kind, status, seconds: 1, match: /^DELETE/ });
    const given = { images: `${registry.host}/acme/app`, retain: 'pattern=sha-*,newest=1' };
    const { outputs } = await publish(given, { api: api.url });
    expect(outputs.deleted).toHaveLength(2);
    expect(deletions(api)).toHaveLength(3);
  });

  test('stops at a rate limit that lasts an hour, and says so', async () => {
    await using registry = await startRegistry();
    const { versions } = await fill(registry, 3, (index) => `sha-${index}`);
    await using api = await startApi(versions);
    api.rateLimit({ kind: 'primary', seconds: 3600, match: /^DELETE/ });
    const given = { images: `${registry.host}/acme/app`, retain: 'pattern=sha-*,newest=1' };
    await expect(publish(given, { api: api.url })).rejects.toThrow('run again later');
  });

  test('leaves a version that GitHub does not delete, and goes on', async () => {
    await using registry = await startRegistry();
    const { versions } = await fill(registry, 3, (index) => `sha-${index}`);
    const popular = versions.map((one) => ({ ...one, isPopular: one.tags[0] === 'sha-1' }));
    await using api = await startApi(popular);
    const given = { images: `${registry.host}/acme/app`, retain: 'pattern=sha-*,newest=1' };
    const { outputs, log } = await publish(given, { api: api.url });
    expect(outputs.deleted).toMatchObject([{ tags: ['sha-0'] }]);
    expect(log.lines.join('\n')).toContain('more than 5000 downloads');
  });

  test('a version that somebody else deleted is gone, and a missing right is one line', async () => {
    await using registry = await startRegistry();
    const { versions } = await fill(registry, 3, (index) => `sha-${index}`);
    await using api = await startApi(versions);
    const given = { images: `${registry.host}/acme/app`, retain: 'pattern=sha-*,newest=1' };
    api.fail({ status: 404, match: /^DELETE/ });
    expect((await publish(given, { api: api.url })).outputs.deleted).toHaveLength(2);
    api.fail({ status: 403, match: /^DELETE/, body: '{"message":"Resource not accessible by integration"}' });
    await expect(publish(given, { api: api.url })).rejects.toThrow(
      /403 \(Resource not accessible by integration\) when .* the role Admin of this repository/,
    );
  });

  test('a package that GitHub does not know is warned of, an index that cannot be read stops all', async () => {
    await using registry = await startRegistry();
    const { versions, digests } = await fill(registry, 2, (index) => `sha-${index}`);
    await using api = await startApi(versions);
    const other = { images: `${registry.host}/acme/other`, retain: 'pattern=sha-*,newest=1' };
    expect((await publish(other, { api: api.url })).log.lines.join('\n')).toContain('knows no container package');
    registry.repository('acme/app').manifests.delete(digests[1]?.[0] ?? '');
    const given = { images: `${registry.host}/acme/app`, retain: 'untagged=1d' };
    await expect(publish(given, { api: api.url })).rejects.toThrow('nothing was deleted');
    expect(deletions(api)).toEqual([]);
  });

  test('follows a publication, and keeps what that has named', async () => {
    await using registry = await startRegistry();
    const { versions, digests } = await fill(registry, 3, (index) => `sha-${index}`);
    await using api = await startApi(versions);
    const name = `${registry.host}/acme/app`;
    const given = { promote: `${name}:sha-2`, tags: `${name}:stable`, retain: 'pattern=sha-*,newest=1' };
    const { outputs } = await publish(given, { api: api.url });
    expect(outputs.digest).toBe(digests[2]?.[0]);
    expect(outputs.deleted).toHaveLength(2);
  });

  test.each([
    [{ images: 'docker.io/acme/app', retain: 'untagged=7d' }, "works on GitHub's packages alone"],
    [{ retain: 'untagged=7d' }, 'needs to know the packages'],
    [{ images: 'ghcr.io/acme/app', retain: 'all' }, 'input "retain", line 1'],
  ])('refuses %j', async (inputs, message) => {
    await expect(publish(inputs)).rejects.toThrow(message);
  });
});
