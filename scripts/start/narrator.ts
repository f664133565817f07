import { formatDuration } from '../../src/core/report/markdown.ts';
import type { Progress } from '../../test/harness/workflow/workflow-result.ts';

/** Prints lines with the time since the start in front. */
export function createNarrator(write: (line: string) => void): (line: string) => void {
  const started = Date.now();
  return (line) => {
    const seconds = Math.floor((Date.now() - started) / 1000);
    write(`${String(Math.floor(seconds / 60)).padStart(2)}:${String(seconds % 60).padStart(2, '0')}  ${line}`);
  };
}

/** Tells a workflow run as it goes: jobs, steps, and the lines that say what a build does. */
export function tellProgress(say: (line: string) => void): (progress: Progress) => void {
  return (progress) => {
    switch (progress.kind) {
      case 'job-start':
        return say(`▸ ${progress.job}`);
      case 'job-end':
        return say(
          `${progress.result === 'success' ? '✔' : progress.result === 'skipped' ? '·' : '✘'} ${progress.job} ${progress.result}${progress.durationMs > 0 ? ` (${formatDuration(progress.durationMs)})` : ''}`,
        );
      case 'step-start':
        return say(`    ${progress.step}`);
      case 'step-end':
        return progress.outcome === 'failure' ? say(`    ${progress.step} failed`) : undefined;
      case 'line':
        return isWorthTelling(progress.text) ? say(`      ${progress.text.slice(0, 160)}`) : undefined;
    }
  };
}

/** Errors and warnings; the whole log stands in the report. */
function isWorthTelling(text: string): boolean {
  return /^(?:##\[(?:error|warning)\]|::(?:error|warning))/.test(text);
}
