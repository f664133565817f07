import { describe, expect, test } from 'vitest';
import { type OidcIssuer, startOidcIssuer, type TokenRequest } from '../../../harness/standins/oidc-issuer.ts';
import { type Sts, startSts } from '../../../harness/standins/sts.ts';

const ROLE = 'arn:aws:iam::123456789012:role/deploy';
const CREDENTIALS = { accessKeyId: 'AKIA', secretAccessKey: 'secret/key', sessionToken: 'a&b' };

function startAccount(issuer: OidcIssuer): Promise<Sts> {
  return startSts({
    issuer: issuer.issuer,
    roles: [{ arn: ROLE, audience: 'sts.amazonaws.com', subject: 'repo:octo-org/octo-repo:ref:refs/heads/*' }],
    credentials: CREDENTIALS,
  });
}

async function assume(sts: Sts, form: Record<string, string>) {
  const answer = await fetch(sts.url, {
    method: 'POST',
    body: new URLSearchParams({
      Action: 'AssumeRoleWithWebIdentity',
      Version: '2011-06-15',
      RoleArn: ROLE,
      RoleSessionName: 'deploy-1',
      ...form,
    }),
  });
  const text = await answer.text();
  const element = (name: string) => new RegExp(`<${name}>([^<]*)</${name}>`).exec(text)?.[1];
  return { status: answer.status, code: element('Code'), message: element('Message'), element, text };
}

describe('the STS', () => {
  test('gives its credentials for a token of a trusted subject', async () => {
    await using issuer = await startOidcIssuer();
    await using sts = await startAccount(issuer);
    const token = issuer.mintToken({ audience: 'sts.amazonaws.com' });
    const { status, element } = await assume(sts, { WebIdentityToken: token, DurationSeconds: '900' });
    expect(status).toBe(200);
    expect(['AccessKeyId', 'SecretAccessKey', 'SessionToken'].map(element)).toEqual(['AKIA', 'secret/key', 'a&amp;b']);
    expect(element('Arn')).toBe('arn:aws:sts::123456789012:assumed-role/deploy/deploy-1');
    expect(Date.parse(element('Expiration') ?? '') - Date.now()).toBeGreaterThan(890_000);
    expect(sts.sessions).toEqual([
      {
        roleArn: ROLE,
        sessionName: 'deploy-1',
        subject: 'repo:octo-org/octo-repo:ref:refs/heads/main',
        tags: {},
        duration: 900,
      },
    ]);
  });

  const refusals: readonly {
    says: string;
    token?: TokenRequest;
    form?: Record<string, string>;
    status: number;
    code: string;
    message: RegExp;
  }[] = [
    {
      says: 'another subject',
      token: { claims: { event_name: 'pull_request' } },
      status: 403,
      code: 'AccessDenied',
      message: /^Not authorized to perform sts:AssumeRoleWithWebIdentity$/,
    },
    {
      says: 'a subject that only begins like the trusted one',
      token: { claims: { sub: 'xrepo:octo-org/octo-repo:ref:refs/heads/main' } },
      status: 403,
      code: 'AccessDenied',
      message: /Not authorized/,
    },
    {
      says: 'an unknown role',
      form: { RoleArn: `${ROLE}-other` },
      status: 403,
      code: 'AccessDenied',
      message: /Not authorized/,
    },
    {
      says: 'another audience',
      token: { audience: 'https://github.com/octo-org' },
      status: 400,
      code: 'InvalidIdentityToken',
      message: /^Incorrect token audience$/,
    },
    {
      says: 'an expired token',
      token: { expiresIn: -10 },
      status: 400,
      code: 'ExpiredTokenException',
      message: /Token expired/,
    },
    {
      says: 'a forged signature',
      token: { isForged: true },
      status: 400,
      code: 'InvalidIdentityToken',
      message: /signature/,
    },
    {
      says: 'another issuer',
      token: { claims: { iss: 'https://evil.example' } },
      status: 400,
      code: 'InvalidIdentityToken',
      message: /No OpenIDConnect provider found in your account for https:\/\/evil\.example/,
    },
    {
      says: 'no token at all',
      form: { WebIdentityToken: 'an-access-token' },
      status: 400,
      code: 'InvalidIdentityToken',
      message: /not a valid JWT/,
    },
    {
      says: 'a bad session name',
      form: { RoleSessionName: 'with space' },
      status: 400,
      code: 'ValidationError',
      message: /roleSessionName/,
    },
    {
      says: 'too long a session',
      form: { DurationSeconds: '3601' },
      status: 400,
      code: 'ValidationError',
      message: /MaxSessionDuration/,
    },
    {
      says: 'too short a session',
      form: { DurationSeconds: '60' },
      status: 400,
      code: 'ValidationError',
      message: /900/,
    },
    {
      says: 'another action',
      form: { Action: 'AssumeRoot' },
      status: 400,
      code: 'InvalidAction',
      message: /AssumeRoot/,
    },
  ];
  test.each(refusals)('refuses $says with $code', async ({ token, form, status, code, message }) => {
    await using issuer = await startOidcIssuer();
    await using sts = await startAccount(issuer);
    const answer = await assume(sts, {
      WebIdentityToken: issuer.mintToken({ audience: 'sts.amazonaws.com', ...token }),
      ...form,
    });
    expect([answer.status, answer.code]).toEqual([status, code]);
    expect(answer.message).toMatch(message);
    expect(answer.text).toContain('<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">');
    expect(sts.sessions).toEqual([]);
  });

  test('a claim that was changed after signing is refused', async () => {
    await using issuer = await startOidcIssuer();
    await using sts = await startAccount(issuer);
    const [header, , signature] = issuer
      .mintToken({ audience: 'sts.amazonaws.com', claims: { ref: 'refs/tags/v1' } })
      .split('.');
    const [, claims] = issuer.mintToken({ audience: 'sts.amazonaws.com' }).split('.');
    expect((await assume(sts, { WebIdentityToken: `${header}.${claims}.${signature}` })).code).toBe(
      'InvalidIdentityToken',
    );
  });

  test('says so when the issuer does not answer', async () => {
    const issuer = await startOidcIssuer();
    await using sts = await startAccount(issuer);
    const token = issuer.mintToken({ audience: 'sts.amazonaws.com' });
    await issuer.stop();
    expect((await assume(sts, { WebIdentityToken: token })).code).toBe('IDPCommunicationError');
  });
});
