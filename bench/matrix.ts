import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Figure, median } from './figure.ts';
import { git, makeRepository, type RepositorySize } from './matrix-repository.ts';

const root = join(import.meta.dirname, '..');
const RUNS = 3;

interface Planned {
  readonly seconds: number;
  readonly megabytes: number;
  readonly rows: number;
}

/** The whole action, as a bundle in a process of its own, on repositories that are made for it. */
export function measureMatrix(): Promise<readonly Figure[]> {
  const large = measure({ images: 2000, filesPerImage: 50, changes: 200 });
  const small = measure({ images: 20, filesPerImage: 50, changes: 20 });
  const bare = median(Array.from({ length: RUNS }, () => run(['-e', '0'], {}).seconds));
  return Promise.resolve([
    { name: '2,000 images, 100,000 files: time', value: large.seconds, unit: 's', against: { name: 'limit', value: 2 } },
    { name: '2,000 images, 100,000 files: memory', value: large.megabytes, unit: 'MB', against: { name: 'limit', value: 512 } },
    { name: '20 images, over node -e 0', value: small.seconds - bare, unit: 's', against: { name: 'limit', value: 0.25 } },
  ]);
}

/** Makes a repository, plans a push of its second commit some times, and gives the medians. */
export function measure(size: RepositorySize): Planned {
  const folder = mkdtempSync(join(tmpdir(), 'slipway-matrix-'));
  try {
    const workspace = join(folder, 'repository');
    mkdirSync(workspace);
    makeRepository(workspace, size);
    const runs = Array.from({ length: RUNS + 1 }, () => plan(folder, workspace)).slice(1);
    const [{ rows } = { rows: 0 }] = runs;
    return {
      rows,
      seconds: median(runs.map(({ seconds }) => seconds)),
      megabytes: median(runs.map(({ megabytes }) => megabytes)),
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function plan(folder: string, workspace: string): Planned {
  const [output, summary, event] = [join(folder, 'output'), join(folder, 'summary'), join(folder, 'event.json')];
  for (const file of [output, summary]) writeFileSync(file, '');
  writeFileSync(event, JSON.stringify({ before: git(workspace, ['rev-parse', 'HEAD~1']) }));
  const measured = run([join(root, 'dist/build-matrix/index.js')], {
    RUNNER_TEMP: folder,
    GITHUB_WORKSPACE: workspace,
    GITHUB_OUTPUT: output,
    GITHUB_STEP_SUMMARY: summary,
    GITHUB_EVENT_NAME: 'push',
    GITHUB_EVENT_PATH: event,
    GITHUB_REF: 'refs/heads/main',
    GITHUB_REPOSITORY: 'acme/app',
    'INPUT_CHANGED-ONLY': 'auto',
    'INPUT_STATIC-CHECKS': 'warn',
  });
  return { ...measured, rows: Number(/^count<<\S+\n(\d+)/m.exec(readFileSync(output, 'utf8'))?.[1]) };
}

/** Wall time of a process with what it starts, and the most memory that it held at once. */
function run(args: readonly string[], env: Readonly<Record<string, string>>): Omit<Planned, 'rows'> {
  const preload = "process.on('exit', () => process.stderr.write('\\nRSS ' + process.resourceUsage().maxRSS))";
  const start = performance.now();
  const { status, stderr, stdout } = spawnSync(
    process.execPath,
    ['--import', `data:text/javascript,${encodeURIComponent(preload)}`, ...args],
    { encoding: 'utf8', maxBuffer: 256 * 1024 * 1024, env: { PATH: process.env['PATH'], HOME: '/nonexistent', ...env } },
  );
  const seconds = (performance.now() - start) / 1000;
  if (status !== 0) throw new Error(`the bundle failed: ${stdout.slice(-2000)}`);
  return { seconds, megabytes: Number(/RSS (\d+)$/.exec(stderr)?.[1]) / 1000 };
}
