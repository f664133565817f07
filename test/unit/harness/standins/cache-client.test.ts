import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { restoreCache, saveCache } from '@actions/cache';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { type ResultsService, startResultsService } from '../../../harness/standins/results-service.ts';

describe('the results service with the real @actions/cache', () => {
  afterEach(() => vi.unstubAllEnvs());

  async function prepareFolder(service: ResultsService) {
    const folder = await mkdtemp(join(tmpdir(), 'cache-client-'));
    const environment = {
      ...service.environment(),
      RUNNER_TEMP: folder,
      GITHUB_WORKSPACE: folder,
      GITHUB_SERVER_URL: '',
    };
    for (const [name, value] of Object.entries(environment)) vi.stubEnv(name, value);
    const cached = join(folder, 'cached');
    await mkdir(cached);
    return { cached, [Symbol.asyncDispose]: () => rm(folder, { recursive: true }) };
  }

  test('a folder is saved, lost and restored, by its key and by a restore key', async () => {
    await using service = await startResultsService();
    await using folder = await prepareFolder(service);
    const bytes = randomBytes(6_000_000);
    await writeFile(join(folder.cached, 'wheel'), bytes);
    expect(await saveCache([folder.cached], 'pip-linux-1')).toBe(1);
    for (const keys of [['pip-linux-1'], ['pip-linux-2', 'pip-linux-']]) {
      await rm(folder.cached, { recursive: true });
      expect(await restoreCache([folder.cached], keys[0] ?? '', keys.slice(1))).toBe('pip-linux-1');
      expect((await readFile(join(folder.cached, 'wheel'))).equals(bytes)).toBe(true);
    }
    expect(service.cacheEntries()).toMatchObject([{ key: 'pip-linux-1', scope: 'refs/heads/main' }]);
    expect(await restoreCache([folder.cached], 'npm-linux-1')).toBeUndefined();
  });

  test('a key that exists, a full store and a read-only job save nothing and break nothing', async () => {
    await using service = await startResultsService();
    await using folder = await prepareFolder(service);
    await writeFile(join(folder.cached, 'file'), 'one');
    expect(await saveCache([folder.cached], 'key')).toBe(1);
    expect(await saveCache([folder.cached], 'key')).toBe(-1);
    service.full();
    expect(await saveCache([folder.cached], 'other')).toBe(-1);
    service.full(false);
    vi.stubEnv(
      'ACTIONS_RUNTIME_TOKEN',
      service.mintRuntimeToken({ scopes: [{ scope: 'refs/heads/main', permission: 1 }] }),
    );
    expect(await saveCache([folder.cached], 'other')).toBe(-1);
    expect(service.cacheEntries().length).toBe(1);
    expect(service.requests.map(({ status }) => status)).toEqual([200, 201, 200, 409, 429, 200]);
  });
});
