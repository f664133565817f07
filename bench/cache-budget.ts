/** A cache that holds so many bytes, and lets go first of what was used longest ago. */
export interface CacheBudget {
  /** True when it is there; counts as a use. */
  read(key: string): boolean;
  /** Keeps it, if it is not there, and makes room. */
  write(key: string, bytes: number): void;
  /** All that was ever written. */
  readonly bytesWritten: () => number;
  readonly bytesHeld: () => number;
}

/**
 * GitHub's eviction as its documents tell it (by the time of the last use, down to the limit), without its delay of up to
 * an hour. `limit` is in bytes; Infinity for a registry. The seven days after which unused entries go are longer than a
 * simulated day, and so never come into it.
 */
export function createCacheBudget(limit: number): CacheBudget {
  // A Map keeps the order of insertion: what is used is put in again, so the first is the one used longest ago.
  const held = new Map<string, number>();
  let total = 0;
  let written = 0;
  const use = (key: string): boolean => {
    const bytes = held.get(key);
    if (bytes === undefined) return false;
    held.delete(key);
    held.set(key, bytes);
    return true;
  };
  return {
    read: use,
    write(key, bytes) {
      if (use(key)) return;
      held.set(key, bytes);
      total += bytes;
      written += bytes;
      for (const [oldest, size] of held) {
        if (total <= limit) return;
        held.delete(oldest);
        total -= size;
      }
    },
    bytesWritten: () => written,
    bytesHeld: () => total,
  };
}
