import { isCacheStep } from '../../core/buildkit/cache-watch.ts';
import type { Step } from '../../core/buildkit/progress.ts';
import type { BakeObserver } from '../../core/buildkit/run-bake.ts';
import { formatDuration } from '../../core/report/markdown.ts';
import type { Log } from '../../core/runner/log.ts';

export interface StepLog extends BakeObserver {
  /** Waits until everything that was said stands in the log. */
  readonly finish: () => Promise<void>;
}

const NOTEWORTHY = 1_000;
const MAX_INSTRUCTION = 160;
const FAILURE_LINES = 40;

/**
 * Writes a build's steps to the log as they end: one line each, and a foldable group for those that printed something.
 *
 * Steps run side by side, so that printing their output as it comes would mix them; while a step takes long, a line
 * twice a minute says that it lives, with the last that it printed.
 */
export function createStepLog(log: Log): StepLog {
  let queue: Promise<void> = Promise.resolve();
  const later = (say: () => void | Promise<void>): void => {
    queue = queue.then(say);
  };
  return {
    onStep(step) {
      if (isCancelled(step)) return;
      if (step.error !== undefined && step.stage !== undefined) return later(() => sayFailed(step, log));
      if (step.error !== undefined && isCacheStep(step)) return later(() => sayCacheFault(step, log));
      if (step.stage === undefined && durationOf(step) < NOTEWORTHY) return later(() => log.debug(stepTitle(step)));
      if (step.output.length === 0) return later(() => log.info(stepTitle(step)));
      later(() => log.group(stepTitle(step), async () => sayOutput(step, log)));
    },
    onWaiting(running) {
      later(() => {
        for (const step of running) {
          const last = step.output.at(-1);
          const since = formatDuration(Date.now() - (step.started ?? Date.now()));
          log.info(`… ${stepName(step)} has run for ${since}${last === undefined ? '' : `: ${oneLine(last, 200)}`}`);
        }
      });
    },
    finish: () => queue,
  };
}

/** `builder 2/5 RUN npm ci`, with target and platform in front where there are several. */
export function stepName(step: Step): string {
  const place = [step.target, step.platform, step.stage, step.place].filter((part) => part !== undefined);
  return [...place, oneLine(step.instruction, MAX_INSTRUCTION)].join(' ');
}

/** A step's name with its time, or the mark of a step that was not run. */
function stepTitle(step: Step): string {
  return `${stepName(step)}  ${step.isCached ? 'CACHED' : formatDuration(durationOf(step))}`;
}

/** A cache that nobody has written yet is no fault. */
function sayCacheFault({ instruction, error = '' }: Step, log: Log): void {
  if (/^importing/.test(instruction) && /: not found\s*$/.test(error)) log.info(`${instruction}: there is none yet`);
  else log.notice(`${instruction} failed, and the build went on without it: ${oneLine(error, 300)}`);
}

function isCancelled(step: Step): boolean {
  return step.error !== undefined && /context canceled/.test(step.error);
}

function sayOutput(step: Step, log: Log): void {
  if (step.droppedLines > 0) log.info(`… ${step.droppedLines} lines before these are not kept`);
  for (const line of step.output) log.info(line);
}

/** A failed step is not folded away: its last lines are what the person came for. */
function sayFailed(step: Step, log: Log): void {
  log.info(`${stepName(step)}  FAILED after ${formatDuration(durationOf(step))}`);
  const shown = step.output.slice(-FAILURE_LINES);
  const before = step.droppedLines + step.output.length - shown.length;
  if (before > 0) log.info(`… ${before} lines before these`);
  for (const line of shown) log.info(`  ${line}`);
  const errors = step.errorOutput.filter((line) => !shown.includes(line));
  if (errors.length > 0) log.info('  On standard error:');
  for (const line of errors) log.info(`  ${line}`);
}

function durationOf({ started, completed }: Step): number {
  return started === undefined || completed === undefined ? 0 : Math.max(0, completed - started);
}

function oneLine(text: string, limit: number): string {
  const flat = text.replace(/\s+/g, ' ').trim();
  return flat.length <= limit ? flat : `${flat.slice(0, limit - 1)}…`;
}
