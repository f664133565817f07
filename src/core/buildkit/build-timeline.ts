import type { Step } from './progress.ts';

/** One stage of a build, in the order in which stages first started. */
export interface StageTiming {
  readonly stage: string;
  /** Milliseconds from the build's first step to the stage's first, and from there to its last step's end. */
  readonly start: number;
  readonly duration: number;
  /** Instructions without FROM, which is fetched or not, and never cached. */
  readonly steps: number;
  readonly cachedSteps: number;
}

export interface Timeline {
  readonly stages: readonly StageTiming[];
  /** Steps outside of stages that took a second or more: pulls of metadata, exports, caches. */
  readonly others: readonly { readonly name: string; readonly start: number; readonly duration: number }[];
  readonly duration: number;
  readonly steps: number;
  readonly cachedSteps: number;
}

const NOTEWORTHY = 1_000;

/** Sums a build's steps up by stage. Steps that never started are left out. */
export function buildTimeline(steps: readonly Step[]): Timeline {
  const started = steps.filter((step) => step.started !== undefined);
  const origin = Math.min(...started.map(startOf));
  const end = Math.max(...started.map(endOf));
  const byStage = new Map<string, Step[]>();
  for (const step of started.toSorted((a, b) => startOf(a) - startOf(b))) {
    if (step.stage === undefined) continue;
    const key = [step.target, step.platform, step.stage].filter((part) => part !== undefined).join(' ');
    byStage.set(key, [...(byStage.get(key) ?? []), step]);
  }
  const stages = [...byStage].map(([stage, own]): StageTiming => {
    const start = Math.min(...own.map(startOf));
    const instructions = own.filter(({ instruction }) => !/^FROM\b/.test(instruction));
    const cachedSteps = instructions.filter(({ isCached }) => isCached).length;
    return {
      stage,
      start: start - origin,
      duration: Math.max(...own.map(endOf)) - start,
      steps: instructions.length,
      cachedSteps,
    };
  });
  const others = started
    .filter((step) => step.stage === undefined && endOf(step) - startOf(step) >= NOTEWORTHY)
    .map((step) => ({ name: step.instruction, start: startOf(step) - origin, duration: endOf(step) - startOf(step) }));
  return {
    stages,
    others,
    duration: started.length === 0 ? 0 : end - origin,
    steps: stages.reduce((sum, stage) => sum + stage.steps, 0),
    cachedSteps: stages.reduce((sum, stage) => sum + stage.cachedSteps, 0),
  };
}

function startOf(step: Step): number {
  return step.started ?? 0;
}

function endOf(step: Step): number {
  return step.completed ?? step.started ?? 0;
}
