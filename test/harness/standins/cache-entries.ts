import type { CacheScope } from './runtime-token.ts';

export interface CacheEntry {
  readonly id: number;
  readonly scope: string;
  readonly key: string;
  readonly version: string;
  /** Path of the blob that holds the bytes. */
  readonly blob: string;
  /** Bytes; undefined while the upload is not finalized: such an entry blocks its key and is found by nobody. */
  readonly size?: number;
}

interface LookUp {
  readonly key: string;
  readonly restoreKeys: readonly string[];
  readonly version: string;
  readonly scopes: readonly CacheScope[];
}

const READ = 1;
const WRITE = 2;

/** The scope that new entries of a job go into: the first it may write, its own ref before its base. */
export function writableScope(scopes: readonly CacheScope[]): string | undefined {
  return scopes.find(({ permission }) => (permission & WRITE) !== 0)?.scope;
}

export function readableScopes(scopes: readonly CacheScope[]): readonly string[] {
  return scopes.filter(({ permission }) => (permission & READ) !== 0).map(({ scope }) => scope);
}

export function findReservation(
  entries: readonly CacheEntry[],
  { scope, key, version }: Pick<CacheEntry, 'scope' | 'key' | 'version'>,
): CacheEntry | undefined {
  return entries.find((entry) => entry.scope === scope && entry.key === key && entry.version === version);
}

/**
 * The entry that a job gets, scope by scope in the token's order: the exact key, then the newest whose key begins with it, then
 * the newest of each restore key (docs.github.com/actions/reference/dependency-caching-reference#cache-key-matching).
 */
export function findEntry(entries: readonly CacheEntry[], lookUp: LookUp): CacheEntry | undefined {
  for (const scope of readableScopes(lookUp.scopes)) {
    const candidates = entries
      .filter((entry) => entry.scope === scope && entry.version === lookUp.version && entry.size !== undefined)
      .toSorted((one, other) => other.id - one.id);
    const exact = candidates.find(({ key }) => key === lookUp.key);
    if (exact !== undefined) return exact;
    for (const prefix of [lookUp.key, ...lookUp.restoreKeys]) {
      const newest = candidates.find(({ key }) => key.startsWith(prefix));
      if (newest !== undefined) return newest;
    }
  }
  return undefined;
}

/** The least recently used entries that must go so that the rest fits the repository's quota (10 GB at GitHub). */
export function entriesToEvict(
  entries: readonly CacheEntry[],
  quota: number,
  lastUse: ReadonlyMap<number, number>,
): readonly CacheEntry[] {
  let total = entries.reduce((sum, { size }) => sum + (size ?? 0), 0);
  const evicted: CacheEntry[] = [];
  for (const entry of entries.toSorted((one, other) => (lastUse.get(one.id) ?? 0) - (lastUse.get(other.id) ?? 0))) {
    if (total <= quota) break;
    if (entry.size === undefined) continue;
    total -= entry.size;
    evicted.push(entry);
  }
  return evicted;
}
