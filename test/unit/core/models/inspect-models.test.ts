import { mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { InspectionJob } from '../../../../src/core/models/inspect-model.ts';
import { inspectModels } from '../../../../src/core/models/inspect-models.ts';
import { op, PAYLOAD, pickle } from './generators/pickle.ts';
import { zip } from './generators/zip.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'slipway-inspect-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

function job(path: string, more: Partial<InspectionJob> = {}): InspectionJob {
  const plan = { algorithms: ['sha256'], shards: undefined } as const;
  return {
    file: join(folder, path),
    path,
    plan,
    scans: true,
    scanTimeout: 60_000,
    allowedGlobals: [],
    temp: folder,
    ...more,
  };
}
const HERE = { threads: 1, workerEntry: undefined };
const ignore = (): void => {};

/** A socket in the file system, which no reader opens. */
function listenOn(path: string): Disposable {
  const server = createServer().listen(path);
  return { [Symbol.dispose]: () => void server.close() };
}

describe('a file that cannot be read', () => {
  test('is a finding, and does not hide what is found in the others', async () => {
    writeFileSync(join(folder, 'a.pkl'), PAYLOAD);
    using _socket = listenOn(join(folder, 'socket'));
    symlinkSync('nowhere', join(folder, 'link'));
    symlinkSync('loop', join(folder, 'loop'));
    const paths = ['link', 'socket', 'loop', 'none.pkl', 'a.pkl/b', 'a.pkl'];
    const models = await inspectModels(
      paths.map((path) => job(path)),
      HERE,
      ignore,
    );
    expect(models.map(({ path, findings: [first] }) => [path, first?.severity, first?.rule])).toEqual([
      ['link', 'mismatch', 'missing'],
      ['socket', 'mismatch', 'unreadable'],
      ['loop', 'mismatch', 'unreadable'],
      ['none.pkl', 'mismatch', 'missing'],
      ['a.pkl/b', 'mismatch', 'missing'],
      ['a.pkl', 'dangerous', 'pickle-import'],
    ]);
  });

  test('that ends its thread is one, and the other threads read the rest', async () => {
    for (const name of ['a', 'b', 'c']) {
      writeFileSync(join(folder, name), PAYLOAD);
      truncateSync(join(folder, name), 40 * 1024 * 1024);
    }
    // Takes one file, as a worker does, and dies of it.
    const dying = `import { parentPort, workerData } from 'node:worker_threads';
      const index = Atomics.add(workerData.claims, 0, 1);
      if (index < workerData.jobs.length) parentPort.postMessage({ kind: 'reading', index });
      setTimeout(() => process.exit(7), 100);`;
    const workerEntry = new URL(`data:text/javascript,${encodeURIComponent(dying)}`);
    const slow = { threads: 2, workerEntry };
    const models = await inspectModels(
      ['a', 'b', 'c'].map((path) => job(path)),
      slow,
      ignore,
    );
    expect(models).toHaveLength(3);
    const ended = models.filter(({ findings }) => findings.some(({ rule }) => rule === 'unreadable'));
    expect(ended.length).toBeLessThan(2);
    expect(models.flatMap(({ findings }) => findings).filter(({ severity }) => severity === 'dangerous')).toHaveLength(
      3 - ended.length,
    );
  });
});

describe('a file that takes longer than is allowed is a finding', () => {
  const empties = Buffer.alloc(400_000, ')0');
  const many = Array.from({ length: 3 }, (_, index) => ({ name: `a/${index}`, content: Buffer.from('x') }));
  test.each([
    ['a long pickle', pickle(op.proto(2), empties, op.none, op.stop), 'pickle-broken'],
    ['an archive', zip([{ name: 'a/data.pkl', content: pickle(op.none, op.stop) }, ...many]), 'zip'],
    ['a compressed file', gzipSync(Buffer.alloc(1_000_000, '0')), 'compression'],
  ])('%s', async (_, bytes, rule) => {
    writeFileSync(join(folder, 'm'), bytes);
    const [slow] = await inspectModels([job('m', { scanTimeout: 0 })], HERE, ignore);
    const expected = { severity: 'suspicious', rule, message: expect.stringContaining('"scan-timeout" allows') };
    expect(slow?.findings).toContainEqual(expect.objectContaining(expected));
    const [patient] = await inspectModels([job('m')], HERE, ignore);
    expect(patient?.findings.some(({ message }) => message.includes('scan-timeout'))).toBe(false);
  });
});
