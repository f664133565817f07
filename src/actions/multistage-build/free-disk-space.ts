import { existsSync } from 'node:fs';
import { readdir, statfs } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { formatBytes } from '../../core/report/markdown.ts';
import { messagesOf } from '../../core/runner/errors.ts';
import type { ActionContext } from '../../core/runner/run-action.ts';
import type { BuildInputs } from './contract.ts';
import type { ImageRequest } from './image-requests.ts';
import { isInContainer } from './job-container.ts';

/** What GitHub's Ubuntu images bring, and no build of images reads: about 25 GB (actions/runner-images, ubuntu-24.04). */
const UNUSED_FOLDERS = [
  'usr/local/lib/android',
  'usr/share/dotnet',
  'opt/ghc',
  'usr/local/.ghcup',
  'opt/hostedtoolcache/CodeQL',
  'usr/share/swift',
  'usr/local/share/powershell',
  'usr/local/julia*',
  'usr/local/share/boost',
];
/** Bytes that a build for GPUs is likely to need: the image unpacked, its layers packed, and the base. */
const GPU_NEED = 30_000_000_000;
/** Milliseconds. */
const DEADLINE = 900_000;

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

/** Where the step runs. A job's container has folders of its own, which are the user's. */
export interface Machine {
  readonly root: string;
  readonly isContainer: boolean;
}

/** Removes tools that a hosted runner brings, where the plan says so, and says how much that freed. */
export async function freeDiskSpace(
  inputs: Pick<BuildInputs, 'freeDiskSpace'>,
  requests: readonly Pick<ImageRequest, 'title' | 'isForGpu'>[],
  { environment, log, runCommand }: Pick<ActionContext, 'environment' | 'log' | 'runCommand'>,
  { root, isContainer }: Machine = { root: '/', isContainer: isInContainer() },
): Promise<void> {
  const before = await freeBytes(root);
  const plan = planFreeing(inputs.freeDiskSpace, requests, {
    isHostedRunner: environment['RUNNER_ENVIRONMENT'] === 'github-hosted' && !isContainer,
    freeBytes: before,
  });
  if (!plan.isWanted) {
    const say = inputs.freeDiskSpace === 'true' ? log.notice : log.debug;
    return say(`no disk space is freed: ${plan.reason}`);
  }
  const folders = await findUnusedFolders(root);
  try {
    if (folders.length > 0)
      await runCommand('sudo', ['-n', 'rm', '-rf', '--', ...folders], { env: environment, deadline: DEADLINE });
  } catch (error) {
    log.notice(`not all tools could be removed: ${messagesOf(error).join(': ').slice(0, 500)}`);
  }
  const freed = Math.max(0, (await freeBytes(root)) - before);
  log.info(`Freed ${formatBytes(freed)} of tools that builds do not use: ${plan.reason}.`);
}

/** The folders that are there; a star stands for the end of a name. */
async function findUnusedFolders(root: string): Promise<readonly string[]> {
  const found = UNUSED_FOLDERS.map(async (folder) => {
    const path = join(root, folder);
    if (!folder.endsWith('*')) return existsSync(path) ? [path] : [];
    const parent = dirname(path);
    const names = existsSync(parent) ? await readdir(parent) : [];
    return names.filter((name) => name.startsWith(basename(path, '*'))).map((name) => join(parent, name));
  });
  return (await Promise.all(found)).flat();
}

async function freeBytes(path: string): Promise<number> {
  const { bavail, bsize } = await statfs(path);
  return bavail * bsize;
}
