import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createWorkspace, KEYS, type Workspace } from '../../../harness/site/workspace.ts';
import { startFaultProxy } from '../../../harness/standins/fault-proxy.ts';
import { startMemoryS3 } from '../../../harness/standins/memory-s3.ts';
import { type OidcIssuer, startOidcIssuer } from '../../../harness/standins/oidc-issuer.ts';
import { type StsOptions, startSts } from '../../../harness/standins/sts.ts';

const roleArn = 'arn:aws:iam::123456789012:role/site';
const session = { accessKeyId: 'ASIAEXAMPLE', secretAccessKey: 'session-secret', sessionToken: 'session-token' };
let site: Workspace;

beforeEach(async () => {
  site = await createWorkspace({ 'index.html': '<script src="/assets/app-1a2b3c4d.js">' });
});
afterEach(() => site[Symbol.asyncDispose]());

function startAccount(issuer: OidcIssuer, more: Partial<StsOptions> = {}) {
  const roles = [{ arn: roleArn, audience: 'sts.amazonaws.com', subject: 'repo:*' }];
  return startSts({ issuer: issuer.issuer, roles, credentials: session, ...more });
}

describe('the role of the job', () => {
  it('is assumed by its token, and none of its credentials gets into the log', async () => {
    await using server = await startMemoryS3();
    await using issuer = await startOidcIssuer();
    await using sts = await startAccount(issuer);
    await site.deploy(server.endpoint, { 'role-to-assume': roleArn, 'sts-endpoint': sts.url }, issuer.environment());
    expect(sts.sessions).toMatchObject([{ roleArn, sessionName: 'GitHubActions', duration: 3600 }]);
    expect(server.objects.has('index.html')).toBe(true);
    const shown = site.lines.filter((line) => !line.startsWith('::add-mask::')).join('\n');
    expect(shown).not.toMatch(/session-secret|session-token|eyJ/);
  });

  it('is assumed anew in a deploy that outlasts its credentials', async () => {
    await using server = await startMemoryS3();
    await using slow = await startFaultProxy({ upstream: server.endpoint });
    slow.faults.add({ fault: { kind: 'delay', milliseconds: 150 }, times: Number.POSITIVE_INFINITY });
    await using issuer = await startOidcIssuer();
    await using sts = await startAccount(issuer, { sessionsEndAfter: 2 });
    for (let page = 0; page < 20; page += 1) await site.write(`p${page}.html`, String(page));
    const inputs = { 'role-to-assume': roleArn, 'sts-endpoint': sts.url, concurrency: '1' };
    await site.deploy(slow.url, inputs, issuer.environment());
    expect(sts.sessions.length).toBeGreaterThan(1);
    expect(issuer.requests.filter(({ path }) => path.startsWith('/token'))).toHaveLength(sts.sessions.length);
    expect(server.objects.has('p19.html')).toBe(true);
  });

  const refusals: readonly (readonly [says: string, issuerOptions: object, trust: object, shown: RegExp])[] = [
    [
      'another subject',
      {},
      { subject: 'repo:other/*' },
      /AccessDenied[\s\S]*sub: repo:octo-org\/octo-repo:ref:refs\/heads\/main/,
    ],
    ['another audience', {}, { audience: 'elsewhere' }, /Incorrect token audience[\s\S]*aud: sts\.amazonaws\.com/],
    ['an expired token', { lifetime: -10 }, {}, /ExpiredTokenException[\s\S]*iss: http:/],
    [
      'a subject with ids',
      { claims: { sub: 'repo:octo-org@65/octo-repo@74:ref:refs/heads/main' } },
      { subject: 'repo:octo-org/octo-repo:*' },
      /sub: repo:octo-org@65\/octo-repo@74:ref[\s\S]*form with ids/,
    ],
    ['a duration beyond the role', {}, { maxSessionDuration: 900 }, /Lower "role-duration-seconds"/],
  ];
  it.each(refusals)('is refused for %s in under a second, with what the token says', async (_, given, trust, shown) => {
    await using server = await startMemoryS3();
    await using issuer = await startOidcIssuer(given);
    const roles = [{ arn: roleArn, audience: 'sts.amazonaws.com', subject: 'repo:*', ...trust }];
    await using sts = await startAccount(issuer, { roles });
    const began = performance.now();
    const inputs = { 'role-to-assume': roleArn, 'sts-endpoint': sts.url };
    await expect(site.deploy(server.endpoint, inputs, issuer.environment())).rejects.toThrow(shown);
    expect(performance.now() - began).toBeLessThan(1000);
    expect([sts.requests.length, server.requests.length]).toEqual([1, 0]);
  });

  it('is told apart from a job that may not ask for a token', async () => {
    await using server = await startMemoryS3();
    await expect(site.deploy(server.endpoint, { 'role-to-assume': roleArn }, {})).rejects.toThrow('id-token: write');
  });

  it('is asked for with a fresh token after throttling', async () => {
    await using server = await startMemoryS3();
    await using issuer = await startOidcIssuer();
    await using sts = await startAccount(issuer);
    sts.fail({ status: 400, body: '<ErrorResponse><Error><Code>Throttling</Code></Error></ErrorResponse>' });
    await site.deploy(server.endpoint, { 'role-to-assume': roleArn, 'sts-endpoint': sts.url }, issuer.environment());
    expect(issuer.requests.filter(({ path }) => path.startsWith('/token'))).toHaveLength(2);
  });
});

describe('role chaining', () => {
  const callers = [{ accessKeyId: KEYS['AWS_ACCESS_KEY_ID'] ?? '', account: '123456789012' }];

  it("assumes the role with the environment's keys, with the session's tags", async () => {
    await using server = await startMemoryS3();
    await using issuer = await startOidcIssuer();
    await using sts = await startAccount(issuer, { callers });
    const tags = 'Repository=octo-org/octo-repo\nStage=production';
    const inputs = {
      'role-to-assume': roleArn,
      'role-chaining': 'true',
      'session-tags': tags,
      'sts-endpoint': sts.url,
    };
    await site.deploy(server.endpoint, inputs);
    expect(sts.sessions).toMatchObject([
      { roleArn, subject: 'AKIAEXAMPLE', tags: { Repository: 'octo-org/octo-repo', Stage: 'production' } },
    ]);
    expect(server.objects.has('index.html')).toBe(true);
  });

  it('says what a refused chain needs', async () => {
    await using server = await startMemoryS3();
    await using issuer = await startOidcIssuer();
    await using sts = await startAccount(issuer, { callers, roles: [] });
    const inputs = { 'role-to-assume': roleArn, 'role-chaining': 'true', 'sts-endpoint': sts.url };
    await expect(site.deploy(server.endpoint, inputs)).rejects.toThrow(/refused to chain[\s\S]*sts:AssumeRole/);
    expect(server.requests).toEqual([]);
  });
});

describe('allowed-account-ids', () => {
  const callers = [{ accessKeyId: KEYS['AWS_ACCESS_KEY_ID'] ?? '', account: '111111111111' }];

  it("knows a role's account by its ARN", async () => {
    await using server = await startMemoryS3();
    await using issuer = await startOidcIssuer();
    await using sts = await startAccount(issuer);
    const inputs = { 'role-to-assume': roleArn, 'sts-endpoint': sts.url, 'allowed-account-ids': '999999999999' };
    const refused = site.deploy(server.endpoint, inputs, issuer.environment());
    await expect(refused).rejects.toThrow('belong to account 123456789012, which is none of 999999999999');
    expect([sts.requests.length, server.requests.length]).toEqual([0, 0]);
  });

  it('asks STS for that of keys', async () => {
    await using server = await startMemoryS3();
    await using issuer = await startOidcIssuer();
    await using sts = await startAccount(issuer, { callers });
    const inputs = { 'sts-endpoint': sts.url, 'allowed-account-ids': '999999999999' };
    await expect(site.deploy(server.endpoint, inputs)).rejects.toThrow('belong to account 111111111111');
    expect(server.requests).toEqual([]);
    await site.deploy(server.endpoint, { ...inputs, 'allowed-account-ids': '999999999999, 111111111111' });
    expect(server.objects.has('index.html')).toBe(true);
  });

  it('masks the account', async () => {
    await using server = await startMemoryS3();
    await using issuer = await startOidcIssuer();
    await using sts = await startAccount(issuer, { callers });
    await site.deploy(server.endpoint, { 'sts-endpoint': sts.url, 'mask-account-id': 'true' });
    expect(site.lines).toContain('::add-mask::111111111111');
  });
});
