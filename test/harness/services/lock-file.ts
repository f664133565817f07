import { randomUUID } from 'node:crypto';
import { link, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/**
 * What a process is known by, also after its end: its id and its start time, since ids are given out again (outside
 * Linux the id alone must do). Undefined when there is no such process.
 */
export async function processIdentity(pid: number): Promise<string | undefined> {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
    // proc(5): field 22 is the start time; field 2, the name, may hold spaces and ends with the last parenthesis.
    const started = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
    return `${pid} ${started}`;
  } catch {
    return process.platform === 'linux' || !isAlive(pid) ? undefined : `${pid}`;
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

async function readHolder(file: string): Promise<string | undefined> {
  return await readFile(file, 'utf8').catch(() => undefined);
}

/** Whether the process of an identity still runs. */
export async function isIdentityAlive(holder: string): Promise<boolean> {
  return (await processIdentity(Number.parseInt(holder, 10))) === holder.trim();
}

async function removeStale(file: string): Promise<void> {
  const holder = await readHolder(file);
  if (holder === undefined || (await isIdentityAlive(holder))) return;
  const aside = `${file}.${randomUUID()}`;
  // Of several who find the lock stale, one wins this rename; it may even have caught a fresh lock, which goes back.
  const won = await rename(file, aside).then(
    () => true,
    () => false,
  );
  if (!won) return;
  const caught = await readHolder(aside);
  if (caught !== undefined && (await isIdentityAlive(caught))) await tryLink(aside, file);
  await rm(aside, { force: true });
}

/** Makes the lock with its content in one step, which link(2) does and open(2) does not; false when it is held. */
async function tryLink(own: string, file: string): Promise<boolean> {
  try {
    await link(own, file);
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false;
    throw error;
  }
}

/** Runs `body` while this process alone holds `file`. A holder that died is passed over. Throws after `deadline` ms. */
export async function withLock<T>(file: string, body: () => Promise<T>, deadline = 600_000): Promise<T> {
  await mkdir(path.dirname(file), { recursive: true });
  const identity = (await processIdentity(process.pid)) ?? `${process.pid}`;
  const own = `${file}.${randomUUID()}`;
  await writeFile(own, identity);
  try {
    const end = performance.now() + deadline;
    while (!(await tryLink(own, file))) {
      if (performance.now() > end) throw new Error(`${file} is still held by process ${await readHolder(file)}`);
      await removeStale(file);
      await sleep(100);
    }
  } finally {
    await rm(own, { force: true });
  }
  try {
    return await body();
  } finally {
    await rm(file, { force: true });
  }
}
