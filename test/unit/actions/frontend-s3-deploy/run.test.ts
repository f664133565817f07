import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { contract } from '../../../../src/actions/frontend-s3-deploy/contract.ts';
import { run } from '../../../../src/actions/frontend-s3-deploy/run.ts';
import { parseSource } from '../../../../src/actions/frontend-s3-deploy/source.ts';
import { runCommand } from '../../../../src/core/runner/command.ts';
import { readEvent } from '../../../../src/core/runner/event.ts';
import { readInputs } from '../../../../src/core/runner/inputs.ts';
import { createLog } from '../../../../src/core/runner/log.ts';
import { startCloudFront } from '../../../harness/standins/cloudfront.ts';
import { startOidcIssuer } from '../../../harness/standins/oidc-issuer.ts';
import { startSts } from '../../../harness/standins/sts.ts';
import { startMemoryS3 } from '../../core/site/memory-s3.ts';

const roleArn = 'arn:aws:iam::123456789012:role/site';
const session = { accessKeyId: 'ASIAEXAMPLE', secretAccessKey: 'session-secret', sessionToken: 'session-token' };
const keys = { AWS_ACCESS_KEY_ID: 'AKIAEXAMPLE', AWS_SECRET_ACCESS_KEY: 'static-secret' };
let workspace = '';
let lines: string[] = [];

beforeEach(async () => {
  workspace = await mkdtemp(join(tmpdir(), 'slipway-action-'));
  lines = [];
  await write('index.html', '<script src="/assets/app-1a2b3c4d.js">');
  await write('assets/app-1a2b3c4d.js', 'app');
});
afterEach(() => rm(workspace, { recursive: true }));

async function write(path: string, text: string): Promise<void> {
  await mkdir(dirname(join(workspace, 'dist', path)), { recursive: true });
  await writeFile(join(workspace, 'dist', path), text);
}

async function deploy(
  endpoint: string,
  inputs: Readonly<Record<string, string>>,
  variables: Readonly<Record<string, string>> = keys,
) {
  const given = { source: 'dist', bucket: 'bucket', endpoint, ...inputs };
  const environment = {
    GITHUB_SHA: '0123456789abcdef',
    GITHUB_SERVER_URL: 'https://github.com',
    ...variables,
    ...Object.fromEntries(Object.entries(given).map(([name, value]) => [`INPUT_${name.toUpperCase()}`, value])),
  };
  const log = createLog((line) => lines.push(line), { debug: false });
  const state = { save: () => undefined, get: () => undefined };
  const event = readEvent(environment);
  const context = { event, environment, workspace, temp: workspace, log, runCommand, state };
  return run(readInputs(contract, environment, log), context);
}

describe('frontend-s3-deploy', () => {
  it('deploys a folder, and reports counts, release and address', async () => {
    await using server = await startMemoryS3();
    const { outputs, summary } = await deploy(server.endpoint, { prefix: 'app' });
    expect(outputs).toMatchObject({
      uploaded: 2,
      unchanged: 0,
      deleted: 0,
      bytes: 41,
      url: `${server.endpoint}/bucket/app/index.html`,
    });
    expect(outputs?.release).toMatch(/^\d{8}T\d{6}Z-0123456-[0-9a-f]{4}$/);
    expect(outputs?.plan).toMatchObject({ upload: ['assets/app-1a2b3c4d.js', 'index.html'], counts: { upload: 2 } });
    expect(server.objects.get('app/index.html')?.headers).toEqual({
      'content-type': 'text/html; charset=utf-8',
      'cache-control': 'no-cache',
    });
    expect(summary).toContain('| 2 | 41 B | sent |');
  });

  it("takes the role's credentials by the job's token, and lets none of them into the log", async () => {
    await using server = await startMemoryS3();
    await using issuer = await startOidcIssuer();
    const roles = [{ arn: roleArn, audience: 'sts.amazonaws.com', subject: 'repo:*' }];
    await using sts = await startSts({ issuer: issuer.issuer, roles, credentials: session });
    await deploy(server.endpoint, { 'role-to-assume': roleArn, 'sts-endpoint': sts.url }, issuer.environment());
    expect(sts.sessions).toMatchObject([{ roleArn, sessionName: 'GitHubActions', duration: 3600 }]);
    expect(server.objects.has('index.html')).toBe(true);
    const shown = lines.filter((line) => !line.startsWith('::add-mask::')).join('\n');
    expect(shown).not.toMatch(/session-secret|session-token|eyJ/);
  });

  it('stops in a second when the role does not trust the subject, before the bucket is touched', async () => {
    await using server = await startMemoryS3();
    await using issuer = await startOidcIssuer();
    const roles = [{ arn: roleArn, audience: 'sts.amazonaws.com', subject: 'repo:other/*' }];
    await using sts = await startSts({ issuer: issuer.issuer, roles, credentials: session });
    const began = performance.now();
    const refused = deploy(
      server.endpoint,
      { 'role-to-assume': roleArn, 'sts-endpoint': sts.url },
      issuer.environment(),
    );
    await expect(refused).rejects.toThrow(/AccessDenied[\s\S]*sub: repo:/);
    expect(performance.now() - began).toBeLessThan(1000);
    expect([sts.requests.length, server.requests.length]).toEqual([1, 0]);
  });

  it('invalidates what changed, and nothing when nothing did', async () => {
    await using server = await startMemoryS3();
    await using cloudFront = await startCloudFront({ distributions: [{ id: 'E1A2B3C4D5E6F7' }] });
    const variables = { ...keys, AWS_ENDPOINT_URL_CLOUDFRONT: cloudFront.url };
    const inputs = { 'distribution-id': 'E1A2B3C4D5E6F7' };
    await deploy(server.endpoint, inputs, variables);
    await write('index.html', 'new');
    const { outputs } = await deploy(server.endpoint, inputs, variables);
    await deploy(server.endpoint, inputs, variables);
    expect(cloudFront.invalidations.map(({ batch }) => batch.paths)).toEqual([
      ['/index.html', '/'],
      ['/index.html', '/'],
    ]);
    expect(outputs?.invalidationId).toBe(cloudFront.invalidations[1]?.id);
  });

  it('names the distribution that is not there', async () => {
    await using server = await startMemoryS3();
    await using cloudFront = await startCloudFront({ distributions: [] });
    const variables = { ...keys, AWS_ENDPOINT_URL_CLOUDFRONT: cloudFront.url };
    await expect(deploy(server.endpoint, { 'distribution-id': 'E1A2B3C4D5E6F7' }, variables)).rejects.toThrow(
      'there is no distribution E1A2B3C4D5E6F7',
    );
  });

  it.each([
    ['a source map', 'assets/app.js.map', 'must not be public'],
    ['an environment file', '.env.production', 'must not be public'],
    ['names that differ in case', 'Index.html', 'differ only in case'],
  ])('refuses %s before the first request', async (_, path, message) => {
    await using server = await startMemoryS3();
    await write(path, '{}');
    await expect(deploy(server.endpoint, {})).rejects.toThrow(message);
    expect(server.requests).toEqual([]);
  });

  it.each([
    [{ invalidate: 'index.html' }, 'input "invalidate"'],
    [{ bucket: 's3://x' }, 'input "bucket"'],
    [{ source: 'missing' }, 'input "source"'],
    [{ 'cache-control': '*.html no-cache' }, 'input "cache-control": line 1'],
    [{ 'role-to-assume': 'site' }, 'input "role-to-assume"'],
    [{ prefix: '../x' }, 'input "prefix"'],
  ])('refuses %o', async (inputs, message) => {
    await using server = await startMemoryS3();
    await expect(deploy(server.endpoint, inputs)).rejects.toThrow(message);
    expect(server.requests).toEqual([]);
  });
});

describe('parseSource', () => {
  it.each([
    ['dist', { kind: 'folder', path: 'dist' }],
    ['image: ghcr.io/o/r:1.2:/app/dist', { kind: 'image', reference: 'ghcr.io/o/r:1.2', path: '/app/dist' }],
    ['image:127.0.0.1:5000/site:/srv', { kind: 'image', reference: '127.0.0.1:5000/site', path: '/srv' }],
  ])('reads %s', (text, expected) => {
    expect(parseSource(text)).toEqual(expected);
  });
  it.each(['image: ghcr.io/o/r', 'image: :/x'])('refuses %s', (text) => {
    expect(() => parseSource(text)).toThrow('image: REFERENCE:/path');
  });
});
