import { describe, expect, test } from 'vitest';
import { startFaultProxy } from '../../../harness/standins/fault-proxy.ts';
import { type RegistryServer, startRegistry } from '../../core/registry/registry-server.ts';
import { storeIndex } from '../../core/registry/store-index.ts';
import { build, publish, startCommits } from './publish-step.ts';

const commit = (digit: string): string => digit.repeat(40);
const MOVING = ['1.0', '1', 'main', 'latest'];

/** An image of a commit, stored as if it had been pushed without a tag. */
async function store(registry: RegistryServer, digit: string): Promise<string> {
  const labels = { 'org.opencontainers.image.revision': commit(digit) };
  return storeIndex(registry, 'acme/app', await build(['linux/amd64'], digit, labels));
}

describe('two publishers at once', () => {
  // The one that is slow at a request, and how slow: whichever is last, the later commit must win.
  test.each([
    ['the older is slow to write', 'old', /^PUT/, 60],
    ['the newer is slow to write', 'new', /^PUT/, 60],
    ['the older is slow to read', 'old', /^HEAD/, 40],
    ['the newer is slow to read', 'new', /^HEAD/, 40],
    ['none is slow', 'old', /^DELETE/, 0],
  ] as const)('end with every moving tag at the later commit: %s', async (_what, slow, match, milliseconds) => {
    await using registry = await startRegistry();
    await using api = await startCommits([commit('1'), commit('2'), commit('c')]);
    const digests = { old: await store(registry, '1'), new: await store(registry, '2') };
    const publishAs = async (who: 'old' | 'new') => {
      await using proxy = await startFaultProxy({ upstream: registry.url, keepHost: false });
      if (who === slow)
        proxy.faults.add({ fault: { kind: 'delay', milliseconds }, match, times: Number.POSITIVE_INFINITY });
      const name = `${new URL(proxy.url).host}/acme/app`;
      const tags = MOVING.map((tag) => `${name}:${tag}`).join('\n');
      // Disposed at the block's end: the proxy must stand until then.
      return await publish({ promote: `${name}@${digests[who]}`, tags }, { api: api.url, settle: 300 });
    };
    await Promise.all([publishAs('old'), publishAs('new')]);
    const { tags } = registry.repository('acme/app');
    expect(Object.fromEntries(tags)).toEqual(Object.fromEntries(MOVING.map((tag) => [tag, digests.new])));
  });

  test('the one that comes too late says which tags it left', async () => {
    await using registry = await startRegistry();
    await using api = await startCommits([commit('1'), commit('2'), commit('c')]);
    const [old, later] = [await store(registry, '1'), await store(registry, '2')];
    const name = `${registry.host}/acme/app`;
    // Between what the older one plans and what it writes, the later one names the tag.
    registry.onTag = (written) => {
      if (written.endsWith(':1.0.0')) registry.repository('acme/app').tags.set('latest', later);
    };
    const { outputs } = await publish(
      { promote: `${name}@${old}`, tags: `${name}:1.0.0\n${name}:latest` },
      { api: api.url },
    );
    expect(registry.repository('acme/app').tags.get('latest')).toBe(later);
    expect(outputs.skipped).toMatchObject([{ tag: `${name}:latest`, reason: expect.stringContaining('another run') }]);
    expect(outputs.tags).toBe(`${name}:1.0.0`);
  });

  test('without the guard the last one to write wins', async () => {
    await using registry = await startRegistry();
    const digests = [await store(registry, '1'), await store(registry, '2')];
    const name = `${registry.host}/acme/app`;
    for (const digest of digests.toReversed())
      await publish({ promote: `${name}@${digest}`, tags: `${name}:latest`, 'latest-guard': 'false' });
    expect(registry.repository('acme/app').tags.get('latest')).toBe(digests[0]);
  });
});
