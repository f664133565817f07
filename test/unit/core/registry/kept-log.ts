import { createLog, type Log } from '../../../../src/core/runner/log.ts';

/** A log that keeps its lines for the test to look at. */
export function keptLog(): Log & { readonly lines: readonly string[] } {
  const lines: string[] = [];
  return { ...createLog((line) => lines.push(line), { debug: true }), lines };
}
