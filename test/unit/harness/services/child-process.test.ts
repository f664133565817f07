import { spawn, spawnSync } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { startDaemon, waitUntil } from '../../../harness/services/child-process.ts';
import { freePort } from '../../../harness/services/free-port.ts';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'slipway-child-'));
});
afterEach(async () => await rm(folder, { recursive: true, force: true }));

const isAlive = (pid: number) => spawnSync('kill', ['-0', `${pid}`]).status === 0;

const run = (script: string, rest: { isReady?: () => Promise<boolean>; grace?: number } = {}) =>
  startDaemon({
    name: 'the daemon',
    file: process.execPath,
    args: ['-e', script],
    logFile: path.join(folder, 'log'),
    isReady: async () => (await readFile(path.join(folder, 'log'), 'utf8')).includes('ready'),
    deadline: 5000,
    ...rest,
  });

test('starts a daemon, waits until it serves, and stops it', async () => {
  const port = await freePort();
  const daemon = await run(`require('http').createServer((_, r) => r.end('yes')).listen(${port}, '127.0.0.1')`, {
    isReady: async () => (await fetch(`http://127.0.0.1:${port}`)).ok,
  });
  expect(isAlive(daemon.pid)).toBe(true);
  await daemon.stop();
  expect(isAlive(daemon.pid)).toBe(false);
  expect(daemon.isRunning()).toBe(false);
});

test('kills a daemon that ignores SIGTERM when the grace is over', async () => {
  const daemon = await run("process.on('SIGTERM', () => {}); setInterval(() => {}, 1000); console.log('ready')", {
    grace: 100,
  });
  await daemon.stop();
  expect(isAlive(daemon.pid)).toBe(false);
});

test('shows the end of the log of a daemon that ends early', async () => {
  await expect(run("console.error('port taken'); process.exit(3)")).rejects.toThrow(
    /ended early \(exit code 3\).*port taken/s,
  );
});

test.each(['SIGTERM', 'SIGKILL'] as const)(
  'leaves no daemon when the process that started it ends by %s',
  async (signal) => {
    const module = path.resolve(import.meta.dirname, '../../../harness/services/child-process.ts');
    const script = path.join(folder, 'owner.ts');
    await writeFile(
      script,
      `import { startDaemon } from ${JSON.stringify(module)};
     const daemon = await startDaemon({ name: 'd', file: 'sleep', args: ['600'], logFile: ${JSON.stringify(path.join(folder, 'd.log'))},
       isReady: async () => true, deadline: 1000 });
     console.log(daemon.pid); setInterval(() => {}, 1000);`,
    );
    const owner = spawn(process.execPath, [script], { stdio: ['ignore', 'pipe', 'inherit'] });
    const pid = await new Promise<number>((resolve) =>
      owner.stdout.once('data', (chunk) => resolve(Number(String(chunk)))),
    );
    expect(isAlive(pid)).toBe(true);
    owner.kill(signal);
    expect(await waitUntil(async () => !isAlive(pid), 3000)).toBe(true);
  },
);
