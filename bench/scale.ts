// `node bench/scale.ts`: a day of 50 pushes to 1,000 images, each planned by build-matrix itself, and what it costs with
// and without change detection and promotion. Writes bench/scale.svg, and the tables of docs/scale.md and RESULTS.md.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LIMITS } from './scale-assumptions.ts';
import { costOfDay, type PushCost, type Setting } from './scale-cost.ts';
import { drawDay } from './scale-day.ts';
import { planPushes } from './scale-plans.ts';
import { cachesTable, type DayResult, settingsTable } from './scale-report.ts';
import { makeMonorepo } from './scale-repository.ts';
import { drawStepCharts } from './step-chart.ts';

const SEED = 1;
const SIZE = { images: 1000, bases: 10, libraries: 20, filesPerService: 8 };
/** Assumed: most changes are of one service, some are felt everywhere. */
const DAY = { docs: 12, service: 24, packages: 6, library: 4, base: 1, tag: 3 };
const HOURS = 10;

const SETTINGS: readonly Setting[] = [
  { name: 'neither', detectsChanges: false, promotes: false, caches: 'by share' },
  { name: 'promotion', detectsChanges: false, promotes: true, caches: 'by share' },
  { name: 'change detection', detectsChanges: true, promotes: false, caches: 'by share' },
  { name: 'both', detectsChanges: true, promotes: true, caches: 'by share' },
];
const BOTH = { detectsChanges: true, promotes: true };
const CACHES: readonly Setting[] = [
  { ...BOTH, name: "all in GitHub's cache", caches: 'gha' },
  { ...BOTH, name: "by each row's share, the default", caches: 'by share' },
  { ...BOTH, name: 'all in the registry', caches: 'registry' },
];

const folder = mkdtempSync(join(tmpdir(), 'slipway-scale-'));
try {
  const places = { services: SIZE.images - SIZE.bases, bases: SIZE.bases, libraries: SIZE.libraries };
  const pushes = drawDay(DAY, places, SEED);
  const plans = await planPushes(folder, pushes, makeMonorepo(folder, SIZE, pushes));
  const planned = process.cpuUsage().user / 1e6;
  const days = (settings: readonly Setting[]): readonly DayResult[] =>
    settings.map((setting) => ({ name: setting.name, costs: costOfDay(plans, setting) }));
  const inGitHubsCache = days(SETTINGS.map((setting) => ({ ...setting, caches: 'gha' })));
  const bySetting = days(SETTINGS).map((day, index) => ({ ...day, hosted: inGitHubsCache[index]?.costs ?? [] }));
  const tables = { settings: settingsTable(bySetting), caches: cachesTable(days(CACHES)) };
  writeFileSync(join(import.meta.dirname, 'scale.svg'), drawDayCharts(inGitHubsCache));
  replaceTables(join(import.meta.dirname, '../docs/scale.md'), tables);
  replaceTables(join(import.meta.dirname, 'RESULTS.md'), tables);
  console.log(`${pushes.length} pushes planned in ${planned.toFixed(0)} s of processor time\n`);
  for (const table of Object.values(tables)) console.log(`${table}\n`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}

function drawDayCharts(results: readonly DayResult[]): string {
  const sums = (of: keyof PushCost, unit: number) =>
    results.map(({ name, costs }) => {
      let sum = 0;
      return {
        name,
        points: costs.map((cost) => {
          sum += cost[of] / unit;
          return { x: cost.minute / 60, y: sum };
        }),
      };
    });
  const axis = { xTitle: 'hours of the working day', xTop: HOURS };
  return drawStepCharts([
    { ...axis, title: 'Rows built', unit: 'rows, sum of the day', yPowers: [1, 6], lines: sums('rows', 1) },
    {
      ...axis,
      title: 'Written to GitHub’s cache, were all kept there',
      unit: 'GB, sum of the day',
      yPowers: [0, 6],
      lines: sums('cacheBytes', 1e9),
      limit: { name: '10 GB are held', value: LIMITS.cacheBytes / 1e9 },
    },
  ]);
}

/** Puts each table between its two marks, where a file has them. */
function replaceTables(file: string, tables: Readonly<Record<string, string>>): void {
  let text = readFileSync(file, 'utf8');
  for (const [name, table] of Object.entries(tables)) {
    const marks = new RegExp(`(<!-- scale: ${name} -->\\n)[^]*?(<!-- end of scale: ${name} -->)`);
    text = text.replace(marks, (_, begin: string, end: string) => `${begin}\n${table}\n\n${end}`);
  }
  writeFileSync(file, text);
}
