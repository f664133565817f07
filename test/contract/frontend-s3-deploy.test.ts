import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type ActionResult, runAction } from '../harness/runner/run-action.ts';
import { type MemoryS3, startMemoryS3 } from '../harness/standins/memory-s3.ts';
import { startOidcIssuer } from '../harness/standins/oidc-issuer.ts';
import { startSts } from '../harness/standins/sts.ts';

const root = path.resolve(import.meta.dirname, '../..');
const ROLE = 'arn:aws:iam::123456789012:role/site';
const session = { accessKeyId: 'ASIASESSION', secretAccessKey: 'session/secret', sessionToken: 'session-token' };
type Texts = Readonly<Record<string, string>>;
let workspace: string;
let server: MemoryS3;

beforeEach(async () => {
  workspace = await mkdtemp(path.join(tmpdir(), 'slipway-contract-'));
  server = await startMemoryS3();
  await mkdir(path.join(workspace, 'dist/assets'), { recursive: true });
  await writeFile(path.join(workspace, 'dist/index.html'), '<script src="/assets/app-1a2b3c4d.js">');
  await writeFile(path.join(workspace, 'dist/assets/app-1a2b3c4d.js'), 'app');
});
afterEach(async () => {
  await server[Symbol.asyncDispose]();
  await rm(workspace, { recursive: true, force: true });
});

/** Runs the bundle as GitHub's runner does, on a machine without credentials of its own. */
function run(inputs: Texts, env: Texts): Promise<ActionResult> {
  return runAction({
    action: path.join(root, 'actions/frontend-s3-deploy'),
    inputs: { source: 'dist', bucket: 'bucket', endpoint: server.endpoint, ...inputs },
    workspace,
    event: { name: 'push', ref: 'refs/heads/main', sha: 'a'.repeat(40), repository: 'acme/app', token: 'ghs_secret' },
    env: { HOME: workspace, AWS_EC2_METADATA_DISABLED: 'true', ...env },
  });
}

const keys = { AWS_ACCESS_KEY_ID: 'AKIASTATIC', AWS_SECRET_ACCESS_KEY: 'static/secret' };

/** Everything that a step hands to the steps and jobs after it. */
function handedOn({ env, path: paths, outputs, state, summary }: ActionResult): string {
  return JSON.stringify({ env, paths, outputs, state, summary });
}

describe('frontend-s3-deploy as a bundle', () => {
  test('deploys, and hands on outputs and a summary', async () => {
    const result = await run({}, keys);
    expect(result.exitCode).toBe(0);
    expect(result.outputs).toMatchObject({ uploaded: '2', unchanged: '0', deleted: '0', bytes: '41' });
    expect(JSON.parse(result.outputs['plan'] ?? '')).toMatchObject({ counts: { upload: 2, copy: 0 } });
    expect(JSON.parse(result.outputs['manifest'] ?? '')).toMatchObject({
      bucket: 'bucket',
      key: '.slipway/manifest.json',
    });
    expect(result.summary).toContain(`Deployed release <code>${result.outputs['release']}</code>`);
    expect(server.objects.has('index.html')).toBe(true);
  });

  test('keeps the credentials of a role inside the step', async () => {
    await using issuer = await startOidcIssuer();
    const roles = [{ arn: ROLE, audience: 'sts.amazonaws.com', subject: 'repo:*' }];
    await using sts = await startSts({ issuer: issuer.issuer, roles, credentials: session });
    const result = await run({ 'role-to-assume': ROLE, 'sts-endpoint': sts.url }, issuer.environment());
    expect(result.exitCode).toBe(0);
    expect([...server.accessKeys]).toEqual(['ASIASESSION']);
    expect(result.env).toEqual({});
    expect(handedOn(result)).not.toMatch(/ASIASESSION|session\/secret|session-token|eyJ/);
    expect(result.log).not.toMatch(/ASIASESSION|session\/secret|session-token|eyJ/);
    expect(result.masks).toEqual(expect.arrayContaining(Object.values(session)));
  });

  test('says in one error, after one request, what the role does not trust', async () => {
    await using issuer = await startOidcIssuer();
    const roles = [{ arn: ROLE, audience: 'sts.amazonaws.com', subject: 'repo:other/*' }];
    await using sts = await startSts({ issuer: issuer.issuer, roles, credentials: session });
    const result = await run({ 'role-to-assume': ROLE, 'sts-endpoint': sts.url }, issuer.environment());
    expect(result.exitCode).toBe(1);
    const errors = result.annotations.filter(({ level }) => level === 'error');
    expect(errors).toHaveLength(1);
    expect(errors[0]?.message).toMatch(/sub: repo:octo-org\/octo-repo[\s\S]*aud: sts\.amazonaws\.com[\s\S]*iss: http/);
    expect(sts.requests).toHaveLength(1);
    expect(server.requests).toEqual([]);
  });

  test("finds credentials as the SDK's default chain does: in a profile", async () => {
    const file = path.join(workspace, 'credentials');
    await writeFile(file, '[site]\naws_access_key_id = AKIAPROFILE\naws_secret_access_key = profile/secret\n');
    const result = await run({}, { AWS_SHARED_CREDENTIALS_FILE: file, AWS_PROFILE: 'site' });
    expect(result.exitCode).toBe(0);
    expect([...server.accessKeys]).toEqual(['AKIAPROFILE']);
    expect(result.masks).toContain('profile/secret');
  });

  test('says what to give where there are no credentials at all', async () => {
    const result = await run({}, {});
    expect(result.exitCode).toBe(1);
    expect(result.log).toContain('no AWS credentials: give "role-to-assume"');
    expect(server.requests).toEqual([]);
  });

  test('goes back to a release without a source', async () => {
    const { outputs } = await run({}, keys);
    await writeFile(path.join(workspace, 'dist/index.html'), 'second');
    await run({}, keys);
    const back = await run({ source: '', 'rollback-to': outputs['release'] ?? '' }, keys);
    expect(back.outputs['release']).toBe(outputs['release']);
    expect(server.objects.get('index.html')?.body.toString()).toContain('app-1a2b3c4d.js');
  });

  const wrong: readonly (readonly [says: string, change: (dist: string) => Promise<void>, message: RegExp])[] = [
    [
      'an empty folder',
      (dist) =>
        rm(dist, { recursive: true })
          .then(() => mkdir(dist))
          .then(() => undefined),
      /has no file to deploy/,
    ],
    ['a missing folder', (dist) => rm(dist, { recursive: true }), /there is no folder/],
    [
      'a link that leaves it',
      (dist) => symlink('/etc/passwd', path.join(dist, 'passwd')),
      /passwd: this symbolic link leaves the source/,
    ],
    ['a link in a circle', (dist) => symlink('..', path.join(dist, 'assets/up')), /leads in a circle/],
    ['a source map', (dist) => writeFile(path.join(dist, 'app.js.map'), '{}'), /"app\.js\.map" must not be public/],
    ['names that differ in case', (dist) => writeFile(path.join(dist, 'INDEX.html'), ''), /differ only in case/],
    ['a name with a line end', (dist) => writeFile(path.join(dist, 'a\nb'), ''), /control character/],
    ['a name with a backslash', (dist) => writeFile(path.join(dist, 'a\\b'), ''), /backslash/],
  ];
  test.each(wrong)('refuses a source with %s before the first request', async (_, change, message) => {
    await change(path.join(workspace, 'dist'));
    const result = await run({ delete: 'true' }, keys);
    expect(result.exitCode).toBe(1);
    const errors = result.annotations.filter(({ level }) => level === 'error');
    expect(errors.map((error) => error.message)).toEqual([expect.stringMatching(message)]);
    expect(server.requests).toEqual([]);
  });
});
