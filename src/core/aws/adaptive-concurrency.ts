/** A bound on what runs at once that sinks when the server asks to slow down and finds its way up again. */
export interface AdaptiveConcurrency {
  /** Runs `task` when a place is free; tasks start in the order they came. */
  run<T>(task: () => Promise<T>): Promise<T>;
  /** To be called when a server answered that there are too many requests. */
  slowDown(): void;
  /** How many may run at once now. */
  limit(): number;
}

export interface ConcurrencyBounds {
  readonly initial: number;
  readonly max: number;
}

/** Many requests in flight are refused together: only the first of them halves the limit. */
const COOLING = 1000;

/**
 * Additive increase, multiplicative decrease (Chiu and Jain, 1989): each success raises the limit by 1/limit, a
 * `slowDown` halves it, at most once a second and never below one.
 */
export function createAdaptiveConcurrency(
  bounds: ConcurrencyBounds,
  now: () => number = Date.now,
): AdaptiveConcurrency {
  const waiting: (() => void)[] = [];
  let limit = Math.min(bounds.initial, bounds.max);
  let running = 0;
  let lastCut = Number.NEGATIVE_INFINITY;

  const startWaiting = (): void => {
    while (running < Math.floor(limit)) {
      const next = waiting.shift();
      if (next === undefined) return;
      running += 1;
      next();
    }
  };

  return {
    async run(task) {
      await new Promise<void>((resolve) => {
        waiting.push(resolve);
        startWaiting();
      });
      try {
        const result = await task();
        limit = Math.min(bounds.max, limit + 1 / limit);
        return result;
      } finally {
        running -= 1;
        startWaiting();
      }
    },
    slowDown() {
      if (now() - lastCut < COOLING) return;
      lastCut = now();
      limit = Math.max(1, limit / 2);
    },
    limit: () => Math.floor(limit),
  };
}
