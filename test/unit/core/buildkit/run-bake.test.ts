import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type BakeResult, bakeWithRetries, runBake } from '../../../../src/core/buildkit/run-bake.ts';
import { runCommand } from '../../../../src/core/runner/command.ts';

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'run-bake-'));
});
afterEach(() => rm(root, { recursive: true, force: true }));

/** Runs a `docker` that is a script: what it does with its exit code and streams is all that counts here. */
async function bake(script: string): Promise<BakeResult> {
  await writeFile(join(root, 'docker'), `#!/bin/sh\nprintf '%s\\n' "$@" > ${root}/argv\n${script}\n`);
  await chmod(join(root, 'docker'), 0o755);
  const run = {
    file: '/f.json',
    metadataFile: '/m.json',
    builder: 'b',
    targets: ['app'],
    labels: new Map(),
    allow: ['ssh'],
    cwd: root,
    env: { PATH: `${root}:${process.env['PATH'] ?? ''}` },
    deadline: 5_000,
    cacheDeadline: 200,
  };
  return runBake(run, runCommand, { onStep: () => undefined, onWaiting: () => undefined });
}

describe('a bake', () => {
  it('that exits with 0 is built, whatever it printed', async () => {
    expect(await bake('echo "ERROR: not really" >&2')).toMatchObject({ isBuilt: true });
  });

  it('that exits with 1 failed, even if it printed nothing', async () => {
    expect(await bake('exit 1')).toMatchObject({ isBuilt: false, failure: { kind: 'other' } });
  });

  it('that waits too long for its cache is given up, as a fault of the cache', async () => {
    const vertex = { digest: 'sha256:1', name: 'exporting to GitHub Actions Cache', started: new Date().toISOString() };
    const result = await bake(`echo '${JSON.stringify({ vertexes: [vertex] })}' >&2; exec sleep 30`);
    expect(result).toMatchObject({
      isBuilt: false,
      failure: { kind: 'cache', message: expect.stringContaining('took longer than') },
    });
  });

  it('gets files and names as arguments', async () => {
    await bake('');
    const argv = (await readFile(join(root, 'argv'), 'utf8')).trim().split('\n');
    expect(argv.join(' ')).toBe(
      'buildx bake --builder b --file /f.json --progress rawjson --metadata-file /m.json --allow ssh app',
    );
  });
});

describe('a bake with retries', () => {
  const failed = (message: string, kind: 'network' | 'step'): BakeResult => ({
    isBuilt: false,
    steps: [],
    warnings: [],
    failure: { message, kind, step: undefined, file: undefined, line: undefined, endLine: undefined },
  });
  const retry = async (results: BakeResult[]) => {
    const said: string[] = [];
    const pauses: number[] = [];
    let tries = 0;
    const next = async (): Promise<BakeResult> => results[tries++] ?? failed('ran out', 'step');
    const result = await bakeWithRetries(next, {
      tries: 3,
      say: (message) => said.push(message),
      wait: async (pause) => pauses.push(pause),
    });
    return { result, tries, said, pauses };
  };

  it('tries again after a network fault, says so, and waits longer each time', async () => {
    const { result, tries, said, pauses } = await retry([
      failed('i/o timeout', 'network'),
      failed('i/o timeout', 'network'),
      { isBuilt: true, steps: [], warnings: [] },
    ]);
    expect([result.isBuilt, tries, said.length]).toEqual([true, 3, 2]);
    expect(pauses[1]).toBeGreaterThan(pauses[0] ?? 0);
  });

  it('gives up after its tries', async () => {
    expect(await retry(Array.from({ length: 5 }, () => failed('i/o timeout', 'network')))).toMatchObject({
      tries: 3,
      result: { isBuilt: false },
    });
  });

  it('never repeats a failed instruction', async () => {
    expect((await retry([failed('exit code: 1', 'step')])).tries).toBe(1);
  });
});
