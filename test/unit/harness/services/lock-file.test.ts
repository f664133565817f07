import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { withLock } from '../../../harness/services/lock-file.ts';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'slipway-lock-'));
});
afterEach(async () => await rm(folder, { recursive: true, force: true }));

test('lets one holder in at a time', async () => {
  let inside = 0;
  let most = 0;
  const enter = () =>
    withLock(path.join(folder, 'lock'), async () => {
      most = Math.max(most, ++inside);
      await sleep(20);
      inside--;
    });
  await Promise.all([enter(), enter(), enter(), enter()]);
  expect(most).toBe(1);
  expect(existsSync(path.join(folder, 'lock'))).toBe(false);
});

test.each([
  ['a process that is gone', '4194304 1'],
  ['a process whose id was given to another one', `${process.pid} 1`],
  ['a half-written file', ''],
])('passes over the lock of %s', async (_, content) => {
  await writeFile(path.join(folder, 'lock'), content);
  expect(await withLock(path.join(folder, 'lock'), async () => 'done', 5000)).toBe('done');
});

test('gives up at the deadline and says who holds the lock', async () => {
  const lock = path.join(folder, 'lock');
  await withLock(lock, async () => {
    await expect(withLock(lock, async () => {}, 200)).rejects.toThrow(`process ${process.pid} `);
  });
});

test('is released when the body fails', async () => {
  const lock = path.join(folder, 'lock');
  await expect(withLock(lock, () => Promise.reject(new Error('no')))).rejects.toThrow('no');
  expect(existsSync(lock)).toBe(false);
});
