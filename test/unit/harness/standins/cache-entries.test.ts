import { describe, expect, test } from 'vitest';
import { type CacheEntry, entriesToEvict, findEntry, writableScope } from '../../../harness/standins/cache-entries.ts';

const entry = (id: number, key: string, scope = 'main', more: Partial<CacheEntry> = {}): CacheEntry => ({
  id,
  key,
  scope,
  version: 'v',
  blob: `/${id}`,
  size: 10,
  ...more,
});

describe('which cache entry a job gets', () => {
  const entries = [
    entry(1, 'npm-linux-a'),
    entry(2, 'npm-linux-b'),
    entry(3, 'npm-linux-a-extra'),
    entry(4, 'npm-linux-c', 'feature'),
    entry(5, 'npm-linux-d', 'feature', { version: 'other' }),
    { id: 6, key: 'npm-linux-e', scope: 'main', version: 'v', blob: '/6' },
  ];
  const main = { scope: 'main', permission: 1 };
  const feature = { scope: 'feature', permission: 3 };

  test.each([
    { says: 'the exact key, although a newer one begins with it', key: 'npm-linux-a', scopes: [main], id: 1 },
    { says: 'else the newest that begins with the key', key: 'npm-linux', scopes: [main], id: 3 },
    {
      says: 'else the newest of the first restore key that fits',
      key: 'x',
      restore: ['y', 'npm-linux-b', 'npm-'],
      scopes: [main],
      id: 2,
    },
    {
      says: 'of its own ref before its base, even by prefix',
      key: 'npm-linux-a',
      restore: ['npm-'],
      scopes: [feature, main],
      id: 4,
    },
    { says: 'of the base when its own ref has none', key: 'npm-linux-b', scopes: [feature, main], id: 2 },
    { says: 'none of a ref that is not in its token', key: 'npm-linux-c', scopes: [main], id: undefined },
    { says: 'none of another version', key: 'npm-linux-d', scopes: [feature], id: undefined },
    { says: 'none that is not finalized', key: 'npm-linux-e', scopes: [main], id: undefined },
    {
      says: 'none where it may only write',
      key: 'npm-linux-a',
      scopes: [{ scope: 'main', permission: 2 }],
      id: undefined,
    },
  ])('$says', ({ key, restore = [], scopes, id }) => {
    expect(findEntry(entries, { key, restoreKeys: restore, version: 'v', scopes })?.id).toBe(id);
  });
});

test('a job writes into the first scope with the write bit', () => {
  expect(
    writableScope([
      { scope: 'a', permission: 1 },
      { scope: 'b', permission: 2 },
      { scope: 'c', permission: 3 },
    ]),
  ).toBe('b');
  expect(writableScope([{ scope: 'a', permission: 1 }])).toBeUndefined();
});

test('over the quota, the least recently used entries go, and no more than needed', () => {
  const entries = [entry(1, 'a'), entry(2, 'b'), entry(3, 'c')];
  const lastUse = new Map([
    [1, 9],
    [2, 7],
    [3, 8],
  ]);
  expect(entriesToEvict(entries, 30, lastUse)).toEqual([]);
  expect(entriesToEvict(entries, 29, lastUse).map(({ id }) => id)).toEqual([2]);
  expect(entriesToEvict(entries, 15, lastUse).map(({ id }) => id)).toEqual([2, 3]);
});
