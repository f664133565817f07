import { LIMITS, ROWS_A_CALL } from './scale-assumptions.ts';
import type { PushCost } from './scale-cost.ts';

/** A day as one setting has it. */
export interface DayResult {
  readonly name: string;
  readonly costs: readonly PushCost[];
}

/** The same day with every cache in GitHub's. */
export interface SettingResult extends DayResult {
  readonly hosted: readonly PushCost[];
}

/** The day's figures, a column for each setting, and what GitHub's limit is. */
export function settingsTable(results: readonly SettingResult[]): string {
  const total = (of: keyof PushCost) => (costs: readonly PushCost[]) => sumOf(costs, of);
  const most = (of: keyof PushCost) => (costs: readonly PushCost[]) => mostOf(costs, of);
  const hoursOn = (jobs: number) => (costs: readonly PushCost[]) => sumOf(costs, 'jobMinutes') / 60 / jobs;
  const count = (value: number): string => Math.round(value).toLocaleString('en');
  const lines: readonly (readonly [
    string,
    (costs: readonly PushCost[]) => number,
    (value: number) => string,
    string,
  ])[] = [
    ['rows built', total('rows'), count, ''],
    ['rows of the largest push', most('rows'), count, ''],
    ['its matrices', most('matrices'), count, `${LIMITS.matrixJobs} jobs each`],
    ['its waves', most('waves'), count, ''],
    ['its output, characters', most('outputCharacters'), count, `${count(LIMITS.outputCharacters)} an output`],
    ['rows named at once', most('named'), count, ''],
    ['their `brief`, bytes', most('briefBytes'), count, `${count(LIMITS.inputBytes)} an input`],
    ['calls of release.yml for it', callsNeeded, count, ''],
    ['runner minutes', total('jobMinutes'), count, ''],
    ...LIMITS.concurrentJobs.map(
      (jobs) =>
        [`hours of work for ${jobs} runners`, hoursOn(jobs), (hours: number) => hours.toFixed(1), '24 a day'] as const,
    ),
    ['builds with a warm cache', warmShare, (share) => `${(share * 100).toFixed(0)} %`, ''],
    ['API requests', total('apiRequests'), count, ''],
    ['API requests of the busiest hour', busiestHour, count, `${count(LIMITS.apiRequestsAnHour)} an hour`],
    ['registry requests of ours', total('registryRequests'), count, ''],
    ['artifact service requests', total('artifactRequests'), count, ''],
    ["written to GitHub's cache", total('cacheBytes'), gigabytes, `${gigabytes(LIMITS.cacheBytes)} held`],
  ];
  const rows = lines.map(([name, value, show, limit]) => [
    name,
    ...results.map(({ costs }) => show(value(costs))),
    limit,
  ]);
  const hosted = results.map((result) => gigabytes(sumOf(result.hosted, 'cacheBytes')));
  return markdownTable(
    ['a day of 50 pushes', ...results.map(({ name }) => name), "GitHub's limit"],
    [...rows, ['the same, were all caches kept there', ...hosted, '']],
  );
}

/** What the place of the cache decides. */
export function cachesTable(results: readonly DayResult[]): string {
  return markdownTable(
    ['where caches are kept', 'warm builds', 'runner minutes', "written to GitHub's cache"],
    results.map(({ name, costs }) => [
      name,
      `${(warmShare(costs) * 100).toFixed(0)} %`,
      sumOf(costs, 'jobMinutes').toLocaleString('en'),
      gigabytes(sumOf(costs, 'cacheBytes')),
    ]),
  );
}

/** Into how many calls of release.yml the work of the largest push is cut. */
export function callsNeeded(costs: readonly PushCost[]): number {
  return Math.ceil(mostOf(costs, 'named') / ROWS_A_CALL);
}

export function busiestHour(costs: readonly PushCost[]): number {
  const hours = new Map<number, number>();
  for (const { minute, apiRequests } of costs) {
    const hour = Math.floor(minute / 60);
    hours.set(hour, (hours.get(hour) ?? 0) + apiRequests);
  }
  return Math.max(...hours.values());
}

/** The share of builds whose cache held all that it was asked for; nothing built is nothing built cold. */
function warmShare(costs: readonly PushCost[]): number {
  const rows = sumOf(costs, 'rows');
  return rows === 0 ? 1 : sumOf(costs, 'warmRows') / rows;
}

function sumOf(costs: readonly PushCost[], of: keyof PushCost): number {
  return costs.reduce((sum, cost) => sum + cost[of], 0);
}

function mostOf(costs: readonly PushCost[], of: keyof PushCost): number {
  return Math.max(...costs.map((cost) => cost[of]));
}

function gigabytes(bytes: number): string {
  return `${Math.round(bytes / 1e9).toLocaleString('en')} GB`;
}

function markdownTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)));
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`;
  return [line(head), line(widths.map((width) => '-'.repeat(width))), ...rows.map(line)].join('\n');
}
