import { copyFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type ActionResult, runAction } from '../harness/runner/run-action.ts';

const root = path.resolve(import.meta.dirname, '../..');
const fixtures = path.join(root, 'test/unit/core/models/fixtures/model-signing');
/** A machine without a network: every connection ends the step, and says so. */
const NO_NETWORK = `import net from 'node:net'; net.Socket.prototype.connect = () => { console.log('A CONNECTION'); process.exit(7); };`;
const IDENTITY = { identity: 'stefanb@us.ibm.com', issuer: 'https://sigstore.verify.ibm.com/oauth2' };

let workspace: string;
beforeEach(async () => {
  workspace = await mkdtemp(path.join(tmpdir(), 'slipway-signature-'));
  await mkdir(path.join(workspace, 'm'));
  await copyFile(path.join(fixtures, 'v1.1.0-sigstore.sig'), path.join(workspace, 'm/model.sig'));
  for (const name of ['signme-1', 'signme-2']) await writeFile(path.join(workspace, 'm', name), name);
});
afterEach(() => rm(workspace, { recursive: true, force: true }));

function verify(inputs: Readonly<Record<string, string>>): Promise<ActionResult> {
  return runAction({
    action: path.join(root, 'actions/model-verify'),
    inputs: { models: 'm/signme-*', scan: 'off', signature: 'm/model.sig', require: 'signature', ...inputs },
    workspace,
    env: { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(NO_NETWORK)}` },
    event: { name: 'push', ref: 'refs/heads/main', sha: 'a'.repeat(40), repository: 'acme/app', token: 'ghs_secret' },
  });
}

test('the bundle traces an identity to the public Sigstore that it brings, without a network', async () => {
  const started = performance.now();
  const result = await verify(IDENTITY);
  expect(result.exitCode, result.log).toBe(0);
  expect(result.outputs).toMatchObject({ verified: '2' });
  expect(performance.now() - started).toBeLessThan(10_000);
  // What needs the network does fail on that machine.
  const remote = await verify({ ...IDENTITY, image: '127.0.0.1:9/acme/app:1:/m' });
  expect(remote.log).toContain('A CONNECTION');
});

test('the bundle refuses another identity, and a model that changed', async () => {
  const other = await verify({ ...IDENTITY, identity: 'other@us.ibm.com' });
  expect(other.exitCode).toBe(1);
  expect(other.log).toContain('is by the identity "stefanb@us.ibm.com", not "other@us.ibm.com"');
  await writeFile(path.join(workspace, 'm/signme-1'), 'other');
  const changed = await verify(IDENTITY);
  expect(changed.exitCode).toBe(1);
  expect(changed.log).toContain('m/signme-1: its sha256 is');
});
