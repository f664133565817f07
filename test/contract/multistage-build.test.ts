import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type ActionResult, runAction } from '../harness/runner/run-action.ts';

const action = path.resolve(import.meta.dirname, '../../actions/multistage-build');
let root: string;
let workspace: string;

beforeEach(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'slipway-contract-'));
  workspace = path.join(root, 'workspace');
  await mkdir(workspace);
  await writeFile(path.join(workspace, 'Dockerfile'), 'FROM scratch\n');
});
afterEach(() => rm(root, { recursive: true, force: true }));

/** Runs the bundle as GitHub's runner does, with a `docker` that is a script: `bake` is what it does to build. */
async function run(
  bake: string,
  inputs: Readonly<Record<string, string>> = {},
  more: {
    readonly timeoutMs?: number;
    readonly graceMs?: { readonly interrupt: number; readonly terminate: number };
  } = {},
): Promise<ActionResult> {
  const bin = path.join(root, 'bin');
  await mkdir(bin, { recursive: true });
  const script = `#!/bin/sh
echo "$*" >> ${root}/calls
case "$*" in
  "info "*) echo '[["driver-type","io.containerd.snapshotter.v1"]]' ;;
  "buildx inspect"*) printf 'Name: default\\nDriver: docker-container\\n' ;;
  "buildx bake"*) ${bake} ;;
esac
`;
  await writeFile(path.join(bin, 'docker'), script);
  await chmod(path.join(bin, 'docker'), 0o755);
  return runAction({
    action,
    workspace,
    root: path.join(root, 'runner'),
    inputs: { context: '.', cache: 'off', ...inputs },
    event: { name: 'push', ref: 'refs/heads/main', sha: 'a'.repeat(40), repository: 'acme/app', token: 'ghs_secret' },
    env: { PATH: `${bin}:${process.env['PATH'] ?? ''}` },
    ...more,
  });
}
const calls = async (): Promise<string> => readFile(path.join(root, 'calls'), 'utf8');
/** Folders of this action's that are left in RUNNER_TEMP. */
async function remains(): Promise<readonly string[]> {
  const entries = await readdir(path.join(root, 'runner'), { recursive: true });
  return entries.filter((entry) => /slipway-(?:build|docker|cache)/.test(entry));
}
const vertex = (fields: object): string =>
  JSON.stringify({
    vertexes: [{ digest: 'sha256:1', name: '[build 2/3] RUN make', started: '2026-01-01T00:00:00Z', ...fields }],
  });

describe('the bundle', () => {
  test('builds, tells the definition, and leaves nothing', async () => {
    const result = await run(`echo '${vertex({ completed: '2026-01-01T00:00:01Z' })}' >&2`);
    expect(result.exitCode).toBe(0);
    expect(JSON.parse(result.outputs['definition'] ?? '{}')).toHaveProperty('target.image.context', '.');
    expect(JSON.parse(result.outputs['cache-hits'] ?? '{}')).toEqual({ cached: 0, steps: 1 });
    expect(result.summary).toContain('## Built <code>image</code>');
    expect(await remains()).toEqual([]);
  });

  test('fails when the build exits with 1 and prints nothing', async () => {
    const result = await run('exit 1');
    expect(result.exitCode).toBe(1);
    expect(result.log).toContain('the build printed no reason');
    expect(result.log).toContain('docker buildx bake --file docker-bake.json');
    expect(result.outputs['definition']).toContain('"context": "."');
  });

  test('says of a buildx that knows not what it is told that it is too old', async () => {
    const result = await run('echo "unknown flag: --allow" >&2; exit 125');
    expect(result.exitCode).toBe(1);
    expect(result.log).toContain('0.18 or newer is needed');
  });

  test('puts a failed step at its line of the Dockerfile', async () => {
    const said = ['Dockerfile:2', '-'.repeat(20), '   1 |     FROM scratch', '   2 | >>> RUN make', '-'.repeat(20)];
    const error = 'ERROR: failed to solve: process "/bin/sh -c make" did not complete successfully: exit code: 2';
    const lines = [vertex({ completed: '2026-01-01T00:00:01Z', error: 'exit code: 2' }), ...said, error];
    await writeFile(path.join(root, 'stderr'), `${lines.join('\n')}\n`);
    const result = await run(`cat ${root}/stderr >&2; exit 1`);
    expect(result.exitCode).toBe(1);
    expect(result.annotations).toContainEqual(
      expect.objectContaining({ level: 'error', message: expect.stringContaining('exit code: 2') }),
    );
    expect(result.rawLog).toContain('file=Dockerfile,line=2');
  });

  test('reads 60 MB of progress without keeping it', async () => {
    const data = Buffer.alloc(12_000, `${'x'.repeat(99)}\n`).toString('base64');
    await writeFile(
      path.join(root, 'lines'),
      `${JSON.stringify({ logs: [{ vertex: 'sha256:1', stream: 1, data }] })}\n`.repeat(50),
    );
    const result = await run(
      `echo '${vertex({})}' >&2; i=0; while [ $i -lt 75 ]; do cat ${root}/lines; i=$((i+1)); done >&2`,
    );
    expect(result.exitCode).toBe(0);
    expect(result.rawLog.length).toBeLessThan(100_000);
  });

  test('ends the build when the job is cancelled, and its post step removes what is left', async () => {
    const result = await run(
      `echo $$ > ${root}/pid; exec sleep 60`,
      { driver: 'remote', endpoint: 'tcp://127.0.0.1:1', secrets: 'npm=hunter2hunter2' },
      { timeoutMs: 2_500, graceMs: { interrupt: 200, terminate: 200 } },
    );
    expect(result.exitCode).not.toBe(0);
    const pid = Number(await readFile(path.join(root, 'pid'), 'utf8'));
    expect(() => process.kill(pid, 0)).toThrow('ESRCH');
    expect(await remains()).toEqual([]);
    expect(await calls()).toMatch(
      /buildx create --name (slipway-\w+) --driver remote tcp:\/\/127\.0\.0\.1:1[\s\S]*buildx rm --force \1/,
    );
    expect(await calls()).not.toContain('hunter2');
  });
});
