import { randomUUID } from 'node:crypto';
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runCommand } from '../src/core/runner/command.ts';
import { publishBaseImages } from '../test/harness/services/base-images.ts';
import { startEngine } from '../test/harness/services/docker-engine.ts';
import { startRegistry } from '../test/harness/services/registry.ts';
import { type Figure, median } from './figure.ts';

const root = join(import.meta.dirname, '..');
const RUNS = 5;
/** Seconds that the action may take over `docker buildx bake` of the same definition. */
const OVERHEAD_LIMIT = 0.25;
/** Bytes of progress, and the memory that reading them may take at its peak. */
const STREAM = 200e6;
const MEMORY_LIMIT = 250;

/** Builds with the real engine, each pair in turn so that a slow machine slows both. */
export async function measureBuilds(): Promise<readonly Figure[]> {
  const folder = await mkdtemp(join(tmpdir(), 'slipway-bench-'));
  await using started = new AsyncDisposableStack();
  started.defer(() => rm(folder, { recursive: true, force: true }));
  const log = (): void => undefined;
  const registry = started.use(await startRegistry({ folder: join(folder, 'registry'), log }));
  await publishBaseImages({ registry, images: [{ name: 'alpine', as: 'library/alpine:3.19' }], log });
  const engine = started.use(await startEngine({ folder: join(folder, 'engine'), log }));
  const bench = {
    folder,
    base: `${registry.host}/library/alpine:3.19`,
    environment: { ...process.env, ...engine.environment },
  };
  return [...(await measureVariants(bench)), ...(await measureOverhead(bench)), await measureMemory(folder)];
}

interface Bench {
  readonly folder: string;
  readonly base: string;
  readonly environment: NodeJS.ProcessEnv;
}

/** Two variants share a stage that takes a second, and have one of their own. */
async function writeSources({ folder, base }: Bench): Promise<string> {
  const workspace = join(folder, 'workspace');
  await mkdir(workspace, { recursive: true });
  const salt = randomUUID();
  await writeFile(
    join(workspace, 'Dockerfile'),
    `FROM ${base} AS deps\nRUN echo ${salt} && sleep 2\nFROM deps AS builder\nARG MODE\nCOPY source /source\nRUN sleep 1 && cat /source > /out-$MODE\nFROM ${base}\nCOPY --from=builder /out-* /\n`,
  );
  await writeFile(join(workspace, 'source'), salt);
  return workspace;
}

async function measureVariants(bench: Bench): Promise<readonly Figure[]> {
  const rows = ['cpu', 'gpu'].map((variant) => ({ image: 'app', variant, args: { MODE: variant } }));
  const pairs = await repeat(2, async () => {
    const together = await writeSources(bench);
    const one = await timed(() => act(bench, together, { image: JSON.stringify(rows) }));
    await writeFile(join(together, 'source'), randomUUID());
    const warm = await timed(() => act(bench, together, { image: JSON.stringify(rows) }));
    const apart = await writeSources(bench);
    const each = await timed(async () => {
      // What a matrix does without a shared builder: every job pays for the shared stage.
      for (const row of rows) await act(bench, apart, { image: JSON.stringify(row), 'no-cache': 'true' });
    });
    return { one, warm, each };
  });
  const of = (key: 'one' | 'warm' | 'each'): number => median(pairs.map((pair) => pair[key]));
  return [
    {
      name: 'two variants in one graph',
      value: of('one'),
      unit: 's',
      against: { name: 'one after the other', value: of('each') },
    },
    {
      name: 'warm, one source file changed',
      value: of('warm'),
      unit: 's',
      against: { name: 'cold', value: of('one') },
    },
  ];
}

/** Everything is cached: what is left is what the action itself takes. */
async function measureOverhead(bench: Bench): Promise<readonly Figure[]> {
  const workspace = await writeSources(bench);
  const image = JSON.stringify({ image: 'app', args: { MODE: 'cpu' } });
  const { outputs } = await act(bench, workspace, { image });
  const definition = join(bench.folder, 'docker-bake.json');
  await writeFile(definition, /definition<<(\S+)\n([\s\S]*?)\n\1\n/.exec(outputs)?.[2] ?? '');
  const bake = ['buildx', 'bake', '--file', definition, '--progress', 'rawjson', 'app-linux-amd64'];
  const pairs = await repeat(RUNS, async () => ({
    theirs: await timed(() => runCommand('docker', bake, { cwd: workspace, env: bench.environment })),
    ours: await timed(() => act(bench, workspace, { image })),
  }));
  const overhead = median(pairs.map(({ ours, theirs }) => ours - theirs));
  return [
    {
      name: 'the action over bake of its definition',
      value: overhead,
      unit: 's',
      against: { name: 'limit', value: OVERHEAD_LIMIT },
    },
    {
      name: 'the action, all cached',
      value: median(pairs.map(({ ours }) => ours)),
      unit: 's',
      against: { name: 'docker buildx bake', value: median(pairs.map(({ theirs }) => theirs)) },
    },
  ];
}

/** The bundle with a `docker` that prints 200 MB of progress: peak memory as GNU time counts it. */
async function measureMemory(folder: string): Promise<Figure> {
  const bin = join(folder, 'bin');
  await mkdir(bin);
  const program = `#!${process.execPath}
const line = JSON.stringify({ logs: [{ vertex: 'sha256:1', stream: 1, data: Buffer.alloc(12_000, 'x'.repeat(99) + '\\n').toString('base64') }] }) + '\\n';
const write = () => { while (left > 0) { left -= line.length; if (!process.stderr.write(line)) return process.stderr.once('drain', write); } };
let left = process.argv.includes('bake') ? ${STREAM} : 0;
if (left === 0) console.log('Name: default\\nDriver: docker\\n[["driver-type","io.containerd.snapshotter.v1"]]');
else { process.stderr.write(JSON.stringify({ vertexes: [{ digest: 'sha256:1', name: '[a 1/1] RUN x', started: new Date().toISOString() }] }) + '\\n'); write(); }
`;
  await writeFile(join(bin, 'docker'), program);
  await chmod(join(bin, 'docker'), 0o755);
  const workspace = join(folder, 'workspace');
  const bench = { folder, base: '', environment: { ...process.env, PATH: `${bin}:${process.env['PATH'] ?? ''}` } };
  const { peakMemory } = await act(bench, workspace, { context: '.' });
  return {
    name: 'peak memory with 200 MB of progress',
    value: peakMemory,
    unit: 'MB',
    against: { name: 'limit', value: MEMORY_LIMIT },
  };
}

/** Runs the bundle as the runner does, under a measure of its peak memory (MB). */
async function act(
  { folder, environment }: Bench,
  workspace: string,
  inputs: Readonly<Record<string, string>>,
): Promise<{ readonly outputs: string; readonly peakMemory: number }> {
  const output = join(folder, `output-${randomUUID()}`);
  const state = join(folder, 'state');
  await writeFile(output, '');
  await writeFile(state, '');
  const given = { network: 'none', cache: 'off', ...inputs };
  const preload = `process.on('exit', () => process.stderr.write('PEAK ' + process.resourceUsage().maxRSS + '\\n'))`;
  const { stderr, stdout, exitCode } = await runCommand(
    process.execPath,
    ['--import', `data:text/javascript,${encodeURIComponent(preload)}`, join(root, 'dist/multistage-build/index.js')],
    {
      allowFailure: true,
      cwd: workspace,
      env: {
        ...environment,
        RUNNER_TEMP: join(folder, 'temp'),
        GITHUB_WORKSPACE: workspace,
        GITHUB_OUTPUT: output,
        GITHUB_STATE: state,
        GITHUB_REPOSITORY: 'acme/app',
        GITHUB_SERVER_URL: 'https://github.com',
        ...Object.fromEntries(Object.entries(given).map(([name, value]) => [`INPUT_${name.toUpperCase()}`, value])),
      },
    },
  );
  if (exitCode !== 0) throw new Error(`the action failed: ${stdout.slice(-2_000)}`);
  return { outputs: await readFile(output, 'utf8'), peakMemory: Number(/PEAK (\d+)/.exec(stderr)?.[1]) / 1000 };
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await work();
  return (performance.now() - began) / 1000;
}

async function repeat<T>(times: number, work: () => Promise<T>): Promise<readonly T[]> {
  const results: T[] = [];
  for (let run = 0; run < times; run += 1) results.push(await work());
  return results;
}
