import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { median } from './figure.ts';
import { git, makeRepository, type RepositorySize } from './matrix-repository.ts';

const root = join(import.meta.dirname, '..');

/** What one run of the action took: the process with the git processes that it starts. */
export interface Cost {
  readonly wallSeconds: number;
  /** User and system time. */
  readonly cpuSeconds: number;
  /** The most memory that the action itself held at once, in millions of bytes. */
  readonly megabytes: number;
}

/** Makes a repository, plans a push of its second commit `runs` times, and gives the medians. */
export function planRepository(size: RepositorySize, runs: number): Cost {
  const folder = mkdtempSync(join(tmpdir(), 'slipway-matrix-'));
  try {
    const workspace = join(folder, 'repository');
    mkdirSync(workspace);
    makeRepository(workspace, size);
    // The first run warms the file system's cache.
    const costs = Array.from({ length: runs + 1 }, () => plan(folder, workspace, size)).slice(1);
    return medianCost(costs);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** What Node costs that does nothing. */
export function bareNode(runs: number): Cost {
  return medianCost(Array.from({ length: runs + 1 }, () => run(['-e', '0'], {}, 0)).slice(1));
}

function medianCost(costs: readonly Cost[]): Cost {
  const of = (key: keyof Cost): number => median(costs.map((cost) => cost[key]));
  return { wallSeconds: of('wallSeconds'), cpuSeconds: of('cpuSeconds'), megabytes: of('megabytes') };
}

function plan(folder: string, workspace: string, { images }: RepositorySize): Cost {
  const [output, summary, event] = [join(folder, 'output'), join(folder, 'summary'), join(folder, 'event.json')];
  for (const file of [output, summary]) writeFileSync(file, '');
  writeFileSync(event, JSON.stringify({ before: git(workspace, ['rev-parse', 'HEAD~1']) }));
  const environment = {
    RUNNER_TEMP: folder,
    GITHUB_WORKSPACE: workspace,
    GITHUB_OUTPUT: output,
    GITHUB_STEP_SUMMARY: summary,
    GITHUB_EVENT_NAME: 'push',
    GITHUB_EVENT_PATH: event,
    GITHUB_REF: 'refs/heads/main',
    GITHUB_REPOSITORY: 'acme/app',
  };
  // More rows than one matrix holds end the step with 1, after all is planned and written.
  const cost = run([join(root, 'dist/build-matrix/index.js')], environment, images > 256 ? 1 : 0);
  if (!readFileSync(output, 'utf8').includes('skipped')) throw new Error('the action wrote no outputs');
  return cost;
}

function run(args: readonly string[], environment: Readonly<Record<string, string>>, highestStatus: number): Cost {
  const preload = "process.on('exit', () => process.stderr.write('\\nRSS ' + process.resourceUsage().maxRSS + ' '))";
  const script = 'TIMEFORMAT=" TIME %3R %3U %3S"; time "$@"';
  const node = [process.execPath, '--import', `data:text/javascript,${encodeURIComponent(preload)}`, ...args];
  const { status, stderr, stdout } = spawnSync('bash', ['-c', script, 'bash', ...node], {
    encoding: 'utf8',
    maxBuffer: 256 * 1024 * 1024,
    env: { PATH: process.env['PATH'], HOME: '/nonexistent', ...environment },
  });
  const [, memory, wall, user, system] = /RSS (\d+) [\s\S]*TIME ([\d.]+) ([\d.]+) ([\d.]+)/.exec(stderr) ?? [];
  if (status === null || status > highestStatus || memory === undefined)
    throw new Error(`the action failed: ${stdout.slice(-1000)} ${stderr.slice(-1000)}`);
  return {
    wallSeconds: Number(wall),
    cpuSeconds: Number(user) + Number(system),
    megabytes: (Number(memory) * 1024) / 1e6,
  };
}
