import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Ceph } from '../test/harness/services/ceph.ts';
import { type Figure, median } from './figure.ts';
import { type Bench, makeBucket, ROUND_TRIP, TOOLS, type ToolName, withStore } from './site/bench-store.ts';
import { type Run, runTool, type Tool } from './site/deploy-tools.ts';
import { type Point, plotTimes } from './site/plot.ts';
import { makeSite, type SampleSite } from './site/sample-site.ts';

const FILES = 1500;
const MEAN_SIZE = 23_600;
const REPEATS = 2;
const PLOTTED = [100, 1000, 3000, 10_000, 20_000];
/** Peers are plotted up to here: beyond, they only take time. */
const PEERS_UP_TO = 3000;
const PLOT = join(import.meta.dirname, 'site-deploy.svg');

interface Measured extends Run {
  readonly requests: number;
}

/** Deploys of a site of 1,500 files and 35 MB to a store 20 ms away, beside `aws s3 sync` and rclone in turn. */
export async function measureSite(): Promise<readonly Figure[]> {
  return await withStore(compare);
}

/** The time of a deploy against the number of files, drawn into `site-deploy.svg`; the figures are of the largest site. */
export async function measureSiteBySize(): Promise<readonly Figure[]> {
  return await withStore(async (bench, log) => {
    await warmUp(bench);
    const points = await timesByCount(bench, log);
    await writeFile(PLOT, plotTimes(points, { roundTrip: ROUND_TRIP }));
    const [first, last] = [points[0], points.at(-1)];
    if (first === undefined || last === undefined) return [];
    const growth = last.files / first.files;
    return (['cold', 'unchanged'] as const).map((kind) => ({
      name: `${kind}, ${last.files} files`,
      value: last[kind],
      unit: 's' as const,
      against: { name: `${growth} × that of ${first.files} files`, value: growth * first[kind] },
    }));
  });
}

type Deploys = Readonly<Record<'cold' | 'unchanged' | 'changed', Measured>>;

async function compare(bench: Bench, log: (line: string) => void): Promise<readonly Figure[]> {
  await warmUp(bench);
  const rounds: Record<ToolName, Deploys>[] = [];
  let changes = 0;
  for (let round = 0; round < REPEATS; round += 1) {
    const site = await makeSite(join(bench.temp, 'site'), FILES, MEAN_SIZE);
    const buckets = await bucketForEach(bench.ceph);
    // Each comes first once: a store that is warm, and a neighbour that is busy, favour nobody.
    const order = TOOLS.map((_, index) => TOOLS[(index + round) % TOOLS.length] ?? 'ours');
    const each = async (): Promise<Record<ToolName, Measured>> => {
      const measured = new Map<ToolName, Measured>();
      for (const name of order) measured.set(name, await measure(bench, bench.tools[name], site, buckets[name]));
      return { ours: found(measured, 'ours'), aws: found(measured, 'aws'), rclone: found(measured, 'rclone') };
    };
    const cold = await each();
    await site.touch();
    const unchanged = await each();
    changes = await site.change();
    const changed = await each();
    const of = (tool: ToolName): Deploys => ({
      cold: cold[tool],
      unchanged: unchanged[tool],
      changed: changed[tool],
    });
    rounds.push({ ours: of('ours'), aws: of('aws'), rclone: of('rclone') });
    log(`round ${round + 1}: ${JSON.stringify(rounds.at(-1))}`);
  }
  const middle = (tool: ToolName, when: keyof Deploys, what: keyof Measured): number =>
    median(rounds.map((round) => round[tool][when][what]));
  const beside = (when: keyof Deploys, tool: 'aws' | 'rclone', aim?: number): Figure => ({
    name: `${when}, ${FILES} files${aim === undefined ? '' : ` (aim: ${aim})`}`,
    value: middle('ours', when, 'seconds'),
    unit: 's',
    against: { name: bench.tools[tool].name, value: middle(tool, when, 'seconds') },
  });
  const processor = (tool: 'aws' | 'rclone'): Figure => ({
    name: 'processor time of the client, cold',
    value: middle('ours', 'cold', 'cpuSeconds'),
    unit: 's',
    against: { name: bench.tools[tool].name, value: middle(tool, 'cold', 'cpuSeconds') },
  });
  const requests = (when: keyof Deploys, name: string, limit: number): Figure => ({
    name: `requests, ${when}`,
    value: middle('ours', when, 'requests'),
    unit: 'requests',
    against: { name, value: limit },
  });
  return [
    beside('cold', 'aws', 0.5),
    beside('cold', 'rclone', 0.75),
    beside('unchanged', 'aws', 0.1),
    beside('unchanged', 'rclone'),
    beside('changed', 'aws'),
    beside('changed', 'rclone'),
    processor('aws'),
    processor('rclone'),
    requests('cold', 'files', FILES),
    requests('unchanged', 'limit', 2),
    requests('changed', 'changed files', changes),
    {
      name: 'peak memory, cold',
      value: middle('ours', 'cold', 'megabytes'),
      unit: 'MB',
      against: { name: 'limit', value: 150 },
    },
  ];
}

/** The store makes what it needs at its first use, and programs come from the disk: nobody's time. */
async function warmUp(bench: Bench): Promise<void> {
  const site = await makeSite(join(bench.temp, 'site'), 200, MEAN_SIZE);
  const buckets = await bucketForEach(bench.ceph);
  for (const name of TOOLS) await runTool(bench.tools[name], site.folder, buckets[name]);
}

async function bucketForEach(ceph: Ceph): Promise<Record<ToolName, string>> {
  return { ours: await makeBucket(ceph), aws: await makeBucket(ceph), rclone: await makeBucket(ceph) };
}

function found(measured: ReadonlyMap<ToolName, Measured>, name: ToolName): Measured {
  const run = measured.get(name);
  if (run === undefined) throw new Error(`${name} was not measured`);
  return run;
}

async function measure(bench: Bench, tool: Tool, site: SampleSite, bucket: string): Promise<Measured> {
  const before = await requestsSeen(bench.ceph);
  const run = await runTool(tool, site.folder, bucket);
  return { ...run, requests: (await requestsSeen(bench.ceph)) - before };
}

/** The gateway writes one line a request; what it has in hand is written within half a second. */
async function requestsSeen({ requestLog }: Ceph): Promise<number> {
  await new Promise((resolve) => setTimeout(resolve, 500));
  return (await readFile(requestLog, 'utf8')).split('\n').filter((line) => line.includes(' beast: ')).length;
}

async function timesByCount(bench: Bench, log: (line: string) => void): Promise<readonly Point[]> {
  const points: Point[] = [];
  for (const files of PLOTTED) {
    const site = await makeSite(join(bench.temp, 'site'), files, 4000);
    const { ours, aws, rclone: other } = bench.tools;
    for (const tool of files <= PEERS_UP_TO ? [ours, aws, other] : [ours]) {
      const bucket = await makeBucket(bench.ceph);
      const cold = await runTool(tool, site.folder, bucket);
      await site.touch();
      const unchanged = await runTool(tool, site.folder, bucket);
      points.push({ tool: tool.name, files, cold: cold.seconds, unchanged: unchanged.seconds });
      log(
        `${tool.name}: ${files} files, ${cold.seconds.toFixed(2)} s cold, ${unchanged.seconds.toFixed(2)} s unchanged, ${cold.megabytes.toFixed(0)} MB`,
      );
    }
  }
  return points;
}
