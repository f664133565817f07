import { mkdtemp, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type ActionResult, runAction } from '../harness/runner/run-action.ts';
import { PAYLOAD } from '../unit/core/models/generators/pickle.ts';

const root = path.resolve(import.meta.dirname, '../..');
let workspace: string;

beforeEach(async () => {
  workspace = await mkdtemp(path.join(tmpdir(), 'slipway-models-'));
});
afterEach(() => rm(workspace, { recursive: true, force: true }));

function verify(inputs: Readonly<Record<string, string>>): Promise<ActionResult> {
  return runAction({
    action: path.join(root, 'actions/model-verify'),
    inputs,
    workspace,
    event: { name: 'push', ref: 'refs/heads/main', sha: 'a'.repeat(40), repository: 'acme/app', token: 'ghs_secret' },
  });
}

/** A `.npy` of this many megabytes of zeros, which takes no room on the disk. */
async function writeArray(name: string, megabytes: number): Promise<void> {
  const text = `{'descr': '|u1', 'fortran_order': False, 'shape': (${megabytes * 1024 * 1024},), }`;
  const header = Buffer.from(`\x93NUMPY\x01\x00\x76\x00${text.padEnd(117)}\n`, 'latin1');
  await writeFile(path.join(workspace, name), header);
  await truncate(path.join(workspace, name), header.length + megabytes * 1024 * 1024);
}

describe('the bundle of model-verify', () => {
  test('reads large files in threads that it starts with itself', async () => {
    for (const name of ['a.npy', 'b.npy', 'c.npy']) await writeArray(name, 40);
    const result = await verify({ models: '*.npy' });
    expect(result.exitCode, result.log).toBe(0);
    expect(result.outputs).toMatchObject({ verified: '3' });
    expect(JSON.parse(result.outputs['manifest'] ?? '')).toMatchObject([
      { path: 'a.npy', format: 'numpy', parameters: 40 * 1024 * 1024, findings: [{ rule: 'duplicate' }] },
      { path: 'b.npy' },
      { path: 'c.npy' },
    ]);
  });

  test('fails for a payload, with the reason, the offset and a report', async () => {
    await writeFile(path.join(workspace, 'a.pkl'), PAYLOAD);
    const result = await verify({ models: 'a.pkl' });
    expect(result.exitCode).toBe(1);
    expect(result.log).toContain('a.pkl at byte 2: it imports os.system');
    expect(result.outputs).toMatchObject({ verified: '0', report: expect.stringMatching(/\.sarif$/) });
  });
});
