import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';

const GRACE = 5_000;
const PAUSE = 50;

/**
 * Ends what a main step had started when it was killed: its builds lead process groups of their own, and would go on,
 * push included. Their arguments name the run's private folder, which no other process knows.
 */
export async function endOrphanBuilds(folder: string, grace = GRACE): Promise<void> {
  const end = Date.now() + grace;
  for (let signal: NodeJS.Signals = 'SIGTERM'; ; signal = Date.now() < end ? 'SIGTERM' : 'SIGKILL') {
    const orphans = await findProcesses(folder);
    for (const pid of orphans) endProcess(pid, signal);
    if (orphans.length === 0 || signal === 'SIGKILL') return;
    await sleep(PAUSE);
  }
}

/** The processes of this machine whose arguments hold a text; none where the system does not tell. */
async function findProcesses(text: string): Promise<readonly number[]> {
  if (!existsSync('/proc/self/cmdline')) return [];
  const pids = (await readdir('/proc')).filter((entry) => /^\d+$/.test(entry) && entry !== String(process.pid));
  const holds = await Promise.all(
    pids.map((pid) =>
      readFile(`/proc/${pid}/cmdline`, 'utf8').then(
        (line) => line.includes(text),
        // It has ended in the meantime.
        () => false,
      ),
    ),
  );
  return pids.filter((_, at) => holds[at] === true).map(Number);
}

function endProcess(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
}
