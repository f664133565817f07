import { existsSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { formatBytes } from '../../core/report/markdown.ts';
import type { ActionContext } from '../../core/runner/run-action.ts';
import type { BuildInputs } from './contract.ts';
import type { ImageRequest } from './image-requests.ts';

/** What GitHub's Ubuntu images bring, and no build of images reads: about 25 GB (actions/runner-images, ubuntu-24.04). */
const UNUSED_FOLDERS = [
  '/usr/local/lib/android',
  '/usr/share/dotnet',
  '/opt/ghc',
  '/usr/local/.ghcup',
  '/opt/hostedtoolcache/CodeQL',
  '/usr/share/swift',
  '/usr/local/share/powershell',
  '/usr/local/julia*',
  '/usr/local/share/boost',
];
/** Bytes that a build for GPUs is likely to need: the image unpacked, its layers packed, and the base. */
const GPU_NEED = 30_000_000_000;

export interface DiskPlan {
  readonly isWanted: boolean;
  readonly reason: string;
}

/** Decides whether tools must go. Nothing is removed from a machine that is not GitHub's own and thrown away after the job. */
export function planFreeing(
  choice: BuildInputs['freeDiskSpace'],
  requests: readonly Pick<ImageRequest, 'title' | 'isForGpu'>[],
  facts: { readonly isHostedRunner: boolean; readonly freeBytes: number },
): DiskPlan {
  const shown = `${formatBytes(facts.freeBytes)} are free`;
  if (choice === 'false') return { isWanted: false, reason: '"free-disk-space" is false' };
  if (!facts.isHostedRunner) return { isWanted: false, reason: 'this is no runner of GitHub’s own' };
  if (choice === 'true') return { isWanted: true, reason: `"free-disk-space" is true, and ${shown}` };
  const forGpu = requests.filter(({ isForGpu }) => isForGpu);
  if (forGpu.length === 0) return { isWanted: false, reason: 'no image is made for GPUs' };
  const need = forGpu.length * GPU_NEED;
  const names = forGpu.map(({ title }) => title).join(', ');
  const reason = `${names} may need ${formatBytes(need)}, and ${shown}`;
  return { isWanted: facts.freeBytes < need, reason };
}

/** Removes tools that a hosted runner brings, where the plan says so, and says how much that freed. */
export async function freeDiskSpace(
  inputs: BuildInputs,
  requests: readonly ImageRequest[],
  { environment, log, runCommand }: ActionContext,
): Promise<void> {
  const isHostedRunner = environment['RUNNER_ENVIRONMENT'] === 'github-hosted' && process.platform === 'linux';
  const before = await freeBytes();
  const plan = planFreeing(inputs.freeDiskSpace, requests, { isHostedRunner, freeBytes: before });
  if (!plan.isWanted) {
    log.debug(`no disk space is freed: ${plan.reason}`);
    if (inputs.freeDiskSpace === 'true') log.notice(`no disk space is freed: ${plan.reason}`);
    return;
  }
  const folders = UNUSED_FOLDERS.filter((folder) => folder.includes('*') || existsSync(folder));
  // `sudo` runs no shell: a glob is left to find, which takes it as a pattern of names.
  for (const folder of folders) {
    const star = folder.lastIndexOf('/');
    const args = folder.includes('*')
      ? [
          '-n',
          'find',
          folder.slice(0, star),
          '-maxdepth',
          '1',
          '-name',
          folder.slice(star + 1),
          '-exec',
          'rm',
          '-rf',
          '{}',
          '+',
        ]
      : ['-n', 'rm', '-rf', '--', folder];
    const { exitCode, stderr } = await runCommand('sudo', args, {
      env: environment,
      deadline: 300_000,
      allowFailure: true,
    });
    if (exitCode !== 0) log.notice(`${folder} could not be removed: ${stderr.trim().slice(-200)}`);
  }
  const freed = Math.max(0, (await freeBytes()) - before);
  log.info(`Freed ${formatBytes(freed)} of tools that builds do not use: ${plan.reason}.`);
}

async function freeBytes(): Promise<number> {
  const { bavail, bsize } = await statfs('/');
  return bavail * bsize;
}
