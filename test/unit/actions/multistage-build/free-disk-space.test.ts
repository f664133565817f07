import { existsSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, test } from 'vitest';
import { freeDiskSpace, planFreeing } from '../../../../src/actions/multistage-build/free-disk-space.ts';
import { runCommand } from '../../../../src/core/runner/command.ts';
import { createLog } from '../../../../src/core/runner/log.ts';

const gpu = { title: 'web-gpu', isForGpu: true };
const cpu = { title: 'web-cpu', isForGpu: false };

test.each([
  ['auto', [gpu], true, 20e9, true],
  ['auto', [gpu], true, 40e9, false],
  ['auto', [gpu, gpu], true, 40e9, true],
  ['auto', [cpu], true, 1e9, false],
  ['auto', [gpu], false, 1e9, false],
  ['true', [cpu], true, 40e9, true],
  ['true', [gpu], false, 1e9, false],
  ['false', [gpu], true, 1e9, false],
] as const)(
  '"%s" for %j, on a hosted runner: %s, with %d bytes free, frees space: %s',
  (choice, requests, isHostedRunner, freeBytes, isWanted) => {
    expect(planFreeing(choice, requests, { isHostedRunner, freeBytes }).isWanted).toBe(isWanted);
  },
);

describe('a runner', () => {
  let root: string;
  let said: string[];
  beforeEach(async () => {
    // A file system in memory, where few others write meanwhile: what is freed can be measured.
    root = await mkdtemp(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'free-disk-space-'));
    said = [];
    const bin = join(root, 'bin');
    await mkdir(bin);
    await writeFile(join(bin, 'sudo'), '#!/bin/sh\n[ "$1" = -n ] || exit 1\nshift\nexec "$@"\n');
    await chmod(join(bin, 'sudo'), 0o755);
    for (const folder of ['usr/share/dotnet/sdk', 'opt/ghc', 'usr/local/julia1.11', 'usr/local/bin', 'opt/mine'])
      await mkdir(join(root, folder), { recursive: true });
    await writeFile(join(root, 'usr/share/dotnet/sdk/big'), Buffer.alloc(80_000_000, 1));
    await writeFile(join(root, 'opt/mine/file'), '');
  });
  afterEach(() => rm(root, { recursive: true, force: true }));

  const free = (environment: Readonly<Record<string, string>>, isContainer = false): Promise<void> =>
    freeDiskSpace(
      { freeDiskSpace: 'true' },
      [gpu],
      {
        environment: { PATH: `${join(root, 'bin')}:${process.env['PATH'] ?? ''}`, ...environment },
        log: createLog((line) => said.push(line), { debug: false }),
        runCommand,
      },
      { root, isContainer },
    );

  it('of GitHub’s loses the tools that builds do not use and nothing else, and says how much that freed', async () => {
    await free({ RUNNER_ENVIRONMENT: 'github-hosted' });
    const left = (await readdir(root, { recursive: true })).filter((path) => !path.startsWith('bin')).toSorted();
    expect(left).toEqual(['opt', 'opt/mine', 'opt/mine/file', 'usr', 'usr/local', 'usr/local/bin', 'usr/share']);
    const freed = /^Freed (\d+(?:\.\d+)?) MB of tools .*"free-disk-space" is true, and .* are free\.$/.exec(
      said[0] ?? '',
    );
    expect(Number(freed?.[1]), said[0]).toBeGreaterThan(60);
    expect(said).toHaveLength(1);
  });

  it('goes on with a notice where they cannot be removed', async () => {
    await rm(join(root, 'bin/sudo'));
    await free({ RUNNER_ENVIRONMENT: 'github-hosted', PATH: join(root, 'bin') });
    expect(said[0]).toContain('::notice::not all tools could be removed: sudo -n could not be started');
    expect(existsSync(join(root, 'usr/share/dotnet'))).toBe(true);
  });

  it.each([
    ['that is one’s own', 'self-hosted', false],
    ['whose job runs in a container', 'github-hosted', true],
  ])('%s loses nothing, and says so', async (_, kind, isContainer) => {
    await free({ RUNNER_ENVIRONMENT: kind }, isContainer);
    expect(said).toEqual([expect.stringContaining('this is no runner of GitHub’s own')]);
    expect(existsSync(join(root, 'usr/share/dotnet/sdk/big'))).toBe(true);
  });
});
