import type { Step } from './progress.ts';

/** True for a step in which BuildKit reads or writes a build cache. */
export function isCacheStep({ stage, instruction }: Pick<Step, 'stage' | 'instruction'>): boolean {
  return stage === undefined && /^(?:importing cache|exporting .*cache)/i.test(instruction);
}

export interface CacheWatch {
  readonly stop: () => void;
  /** What took too long, once the watch has called `giveUp`. */
  readonly late: () => string | undefined;
}

/**
 * Calls `giveUp` when reading or writing a cache takes longer than `limit` milliseconds.
 *
 * BuildKit's own `timeout` is of no help: with a service that took 30 seconds for every request and `timeout=3s`,
 * writing a cache of seven layers held the build for more than ten minutes (moby 28.5).
 * The time is this machine's: a remote builder's clock may be another.
 */
export function watchCache(steps: () => readonly Step[], limit: number, giveUp: () => void): CacheWatch {
  const seen = new Map<string, number>();
  let late: string | undefined;
  const look = (): void => {
    const now = Date.now();
    for (const step of steps()) {
      if (late !== undefined || !isCacheStep(step) || step.started === undefined || step.completed !== undefined)
        continue;
      const since = seen.get(step.name) ?? now;
      seen.set(step.name, since);
      if (now - since < limit) continue;
      late = step.instruction;
      giveUp();
    }
  };
  const timer = setInterval(look, Math.min(1_000, Math.max(10, limit / 4)));
  return { stop: () => clearInterval(timer), late: () => late };
}
