import { readdir, readFile, rm, rmdir, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { runCommand } from '../../../src/core/runner/command.ts';
import type { ProgressLog } from './child-process.ts';
import { removeBridge } from './engine-bridge.ts';
import { isIdentityAlive, processIdentity } from './lock-file.ts';

/** Where an engine of ours has its parts, so that a later run can clear up after a process that was killed. */
export interface EngineTraces {
  /** The short folder of its sockets; its name is also that of the engine's control group. */
  readonly run: string;
  /** Its data folder, whose mounts go and whose files stay. */
  readonly data: string;
  readonly bridge: string;
}

export const runFolderPrefix = 'slipway-engine-';
const tracesFile = 'traces.json';

/** Notes whose engine this is. */
export async function noteTraces(traces: EngineTraces): Promise<void> {
  const owner = (await processIdentity(process.pid)) ?? `${process.pid}`;
  await writeFile(path.join(traces.run, tracesFile), JSON.stringify({ ...traces, owner }));
}

function parseTraces(text: string): (EngineTraces & { readonly owner: string }) | undefined {
  const noted: unknown = JSON.parse(text);
  if (typeof noted !== 'object' || noted === null) return undefined;
  if (!('run' in noted && 'data' in noted && 'bridge' in noted && 'owner' in noted)) return undefined;
  const { run, data, bridge, owner } = noted;
  if (![run, data, bridge, owner].every((value) => typeof value === 'string')) return undefined;
  return { run: String(run), data: String(data), bridge: String(bridge), owner: String(owner) };
}

/** Clears up after engines whose owners were killed before they could. */
export async function clearAbandonedEngines(busybox: string, log: ProgressLog): Promise<void> {
  for (const name of (await readdir(tmpdir())).filter((entry) => entry.startsWith(runFolderPrefix))) {
    const run = path.join(tmpdir(), name);
    // Anybody can make a folder in /tmp; only what this user noted is believed.
    if ((await stat(run)).uid !== process.getuid?.()) continue;
    const text = await readFile(path.join(run, tracesFile), 'utf8').catch(() => undefined);
    const noted = text === undefined ? undefined : parseTraces(text);
    if (noted === undefined || noted.run !== run || (await isIdentityAlive(noted.owner))) continue;
    log(`clearing up after an engine whose process was killed: ${run}`);
    await clearTraces(noted, busybox);
  }
}

/** Ends and removes all that an engine leaves on the machine, apart from its data. */
export async function clearTraces({ run, data, bridge }: EngineTraces, busybox: string): Promise<void> {
  await endEngineProcesses(run);
  await removeControlGroup(path.basename(run));
  await unmountBelow([run, data]);
  await removeBridge(busybox, bridge);
  await rm(run, { recursive: true, force: true });
}

/** The processes, ours apart, that name `folder` in their command line: an engine's containerd and its shims. */
async function processesOf(folder: string): Promise<number[]> {
  const pids = (await readdir('/proc')).map(Number).filter((pid) => Number.isInteger(pid) && pid !== process.pid);
  const found: number[] = [];
  for (const pid of pids) {
    const words = (await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')).split('\0');
    const isContainerd = /(^|\/)(dockerd|containerd|containerd-shim-runc-v2|docker-proxy)$/.test(words[0] ?? '');
    if (isContainerd && words.some((word) => word.startsWith(`${folder}/`))) found.push(pid);
  }
  return found;
}

/** Ends what an engine left behind when it was killed: containerd and its shims, known by the engine's own folder. */
async function endEngineProcesses(folder: string): Promise<void> {
  for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
    for (const pid of await processesOf(folder)) {
      sendSignal(pid, signal);
    }
    for (let wait = 0; wait < 20 && (await processesOf(folder)).length > 0; wait++) await sleep(100);
  }
}

/** Mount points below a folder, the deepest first, out of proc_pid_mountinfo(5). */
export function mountPointsBelow(mountInfo: string, folder: string): string[] {
  return mountInfo
    .split('\n')
    .flatMap((line) => line.split(' ')[4] ?? [])
    .map((point) =>
      point.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8))),
    )
    .filter((point) => point === folder || point.startsWith(`${folder}/`))
    .sort((one, other) => other.length - one.length);
}

/** Unmounts everything below the folders. */
async function unmountBelow(folders: readonly string[]): Promise<void> {
  for (const folder of folders) {
    for (const point of mountPointsBelow(await readFile('/proc/self/mountinfo', 'utf8'), folder))
      await runCommand('umount', ['-l', point]);
  }
}

/**
 * The folders that a control group may have: in each hierarchy, v1 or v2, below its root and below the group of the
 * process itself (runc nests into the latter where a hierarchy is not mounted from its own root).
 */
export function controlGroupFolders(mountInfo: string, ownGroups: string, name: string): string[] {
  const own = ownGroups.split('\n').flatMap((line) => /^\d+:[^:]*:(\/.+)$/.exec(line)?.[1] ?? []);
  const mounts = mountInfo
    .split('\n')
    .filter((line) => / - cgroup2? /.test(line))
    .flatMap((line) => line.split(' ')[4] ?? []);
  return mounts.flatMap((mount) => ['/', ...new Set(own)].map((group) => path.join(mount, group, name)));
}

/** Ends what still runs in a control group, a container whose shim was killed, and removes it wherever it is. */
async function removeControlGroup(name: string): Promise<void> {
  const [mountInfo, own] = await Promise.all(
    ['/proc/self/mountinfo', '/proc/self/cgroup'].map(async (file) => await readFile(file, 'utf8')),
  );
  for (const folder of controlGroupFolders(mountInfo ?? '', own ?? '', name)) {
    for (let attempt = 1; !(await tryRemoveGroup(folder)); attempt++) {
      if (attempt === 30) throw new Error(`the control group ${folder} still holds processes`);
      await sleep(100);
    }
  }
}

/** False when the kernel still counts a process in it, which SIGKILL has been sent to. */
async function tryRemoveGroup(folder: string): Promise<boolean> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => undefined);
  if (entries === undefined) return true;
  for (const entry of entries) {
    if (entry.isDirectory() && !(await tryRemoveGroup(path.join(folder, entry.name)))) return false;
  }
  const members = (await readFile(path.join(folder, 'cgroup.procs'), 'utf8').catch(() => '')).split('\n').map(Number);
  for (const pid of members.filter((number) => number > 0)) sendSignal(pid, 'SIGKILL');
  try {
    await rmdir(folder);
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EBUSY') return false;
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return true;
    throw error;
  }
}

function sendSignal(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
}
