import { statsOf } from '../../core/models/byte-source.ts';
import { formatBytes, formatDuration } from '../../core/report/markdown.ts';
import type { Log } from '../../core/runner/log.ts';

const EVERY = 5_000;

/** Says every few seconds how far the reading came, how fast it is and how long it will take. Told bytes as they are read. */
export function createProgress(jobs: readonly { readonly file: string }[], log: Log): (bytes: number) => void {
  const total = jobs.reduce((sum, { file }) => sum + (statsOf(file)?.size ?? 0), 0);
  const started = Date.now();
  let done = 0;
  let said = started;
  return (bytes) => {
    done += bytes;
    const now = Date.now();
    if (now - said < EVERY) return;
    said = now;
    const rate = (done / Math.max(1, now - started)) * 1000;
    const left = formatDuration((Math.max(0, total - done) / rate) * 1000);
    log.info(`${formatBytes(done)} of ${formatBytes(total)}, ${formatBytes(rate)}/s, ${left} left`);
  };
}
