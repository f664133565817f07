/** How often and how long something on a network is tried again. Times are milliseconds. */
export interface RetryPolicy {
  readonly attempts: number;
  /** The first pause; each further one is twice as long, with full jitter. */
  readonly firstPause: number;
  readonly longestPause: number;
}

export const DEFAULT_RETRY: RetryPolicy = { attempts: 5, firstPause: 500, longestPause: 20_000 };

/** Statuses that a later try gets again: what the server cannot do (501, 505), and a full one (507). */
const LASTING_FAULTS: readonly number[] = [501, 505, 507];

/** Statuses that a later try may not get: time-outs, rate limits, and faults of the server. */
export function isWorthRetrying(status: number): boolean {
  return status === 408 || status === 425 || status === 429 || (status >= 500 && !LASTING_FAULTS.includes(status));
}

/**
 * Milliseconds to wait before try number `attempt` (the first retry is 1).
 *
 * Exponential backoff with full jitter (Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015), but
 * never less than what the server asked for in `Retry-After`. `random` is a number in [0, 1).
 */
export function pauseBefore(
  attempt: number,
  policy: RetryPolicy,
  retryAfter: number | undefined,
  random: number,
): number {
  const ceiling = Math.min(policy.longestPause, policy.firstPause * 2 ** (attempt - 1));
  const jittered = ceiling / 2 + (random * ceiling) / 2;
  return Math.max(Math.round(jittered), retryAfter ?? 0);
}

/**
 * `Retry-After` in milliseconds: seconds or an HTTP date (RFC 9110, 10.2.3); undefined when absent or unreadable.
 */
export function parseRetryAfter(value: string | undefined, now: number): number | undefined {
  if (value === undefined) return undefined;
  if (/^\d{1,6}$/.test(value.trim())) return Number(value) * 1000;
  const date = Date.parse(value);
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}
