import { createPublicKey, verify, X509Certificate } from 'node:crypto';
import { getIDToken } from '@actions/core';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { type OidcIssuer, startOidcIssuer } from '../../../harness/standins/oidc-issuer.ts';

afterEach(() => vi.unstubAllEnvs());

function useRunner(issuer: OidcIssuer): void {
  for (const [name, value] of Object.entries(issuer.environment())) vi.stubEnv(name, value);
}

function claimsOf(token: string): Record<string, unknown> {
  return JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString());
}

async function publishedKey(issuer: OidcIssuer) {
  const configuration = JSON.parse(await (await fetch(`${issuer.issuer}/.well-known/openid-configuration`)).text());
  const { keys } = JSON.parse(await (await fetch(configuration.jwks_uri)).text());
  return { configuration, jwk: keys[0] };
}

function isSignedBy(jwk: { kty: string }, token: string): boolean {
  const [header, payload, signature = ''] = token.split('.');
  const key = createPublicKey({ key: jwk, format: 'jwk' });
  return verify('sha256', Buffer.from(`${header}.${payload}`), key, Buffer.from(signature, 'base64url'));
}

describe('the OIDC issuer', () => {
  test('gives the real @actions/core a token that its published key verifies', async () => {
    await using issuer = await startOidcIssuer();
    useRunner(issuer);
    const token = await getIDToken('sts.amazonaws.com');
    const { configuration, jwk } = await publishedKey(issuer);
    expect(configuration).toMatchObject({ issuer: issuer.issuer, id_token_signing_alg_values_supported: ['RS256'] });
    expect(isSignedBy(jwk, token)).toBe(true);
    expect(JSON.parse(Buffer.from(token.split('.')[0] ?? '', 'base64url').toString())).toMatchObject({
      alg: 'RS256',
      kid: jwk.kid,
    });
    expect(issuer.requests[0]).toEqual({
      method: 'GET',
      path: '/token?api-version=2.0&audience=sts.amazonaws.com',
      status: 200,
    });
  });

  test('has GitHub’s claims', async () => {
    await using issuer = await startOidcIssuer();
    useRunner(issuer);
    const now = Date.now() / 1000;
    const claims = claimsOf(await getIDToken('sts.amazonaws.com'));
    expect(claims).toMatchObject({
      iss: issuer.issuer,
      aud: 'sts.amazonaws.com',
      sub: 'repo:octo-org/octo-repo:ref:refs/heads/main',
      repository: 'octo-org/octo-repo',
      repository_owner: 'octo-org',
      ref: 'refs/heads/main',
      actor: 'octocat',
      run_id: '1001',
      job_workflow_ref: 'octo-org/octo-repo/.github/workflows/release.yml@refs/heads/main',
    });
    expect(Number(claims['exp']) - now).toBeGreaterThan(290);
    expect(Number(claims['nbf'])).toBeLessThan(now);
  });

  test.each([
    { claims: { event_name: 'pull_request' }, sub: 'repo:octo-org/octo-repo:pull_request' },
    { claims: { environment: 'production' }, sub: 'repo:octo-org/octo-repo:environment:production' },
    { claims: { repository: 'a/b', ref: 'refs/tags/v1' }, sub: 'repo:a/b:ref:refs/tags/v1' },
    { claims: { sub: 'custom' }, sub: 'custom' },
  ])('the subject of $claims is $sub', async ({ claims, sub }) => {
    await using issuer = await startOidcIssuer({ claims });
    expect(claimsOf(issuer.mintToken())['sub']).toBe(sub);
  });

  test('without an audience it is the owner’s URL, and claims can be overridden later', async () => {
    await using issuer = await startOidcIssuer();
    useRunner(issuer);
    issuer.overrideClaims({ actor: 'mallory' });
    expect(claimsOf(await getIDToken())).toMatchObject({ aud: 'https://github.com/octo-org', actor: 'mallory' });
  });

  test('its certificate is self-signed, valid now, and of the published key', async () => {
    await using issuer = await startOidcIssuer();
    const { jwk } = await publishedKey(issuer);
    const certificate = new X509Certificate(Buffer.from(jwk.x5c[0], 'base64'));
    expect(certificate.verify(certificate.publicKey)).toBe(true);
    expect(certificate.publicKey.equals(createPublicKey({ key: jwk, format: 'jwk' }))).toBe(true);
    expect(Date.parse(certificate.validFrom)).toBeLessThan(Date.now());
    expect(Date.parse(certificate.validTo)).toBeGreaterThan(Date.now());
    expect(issuer.certificate).toBe(jwk.x5c[0]);
  });

  test('a forged token has the key’s id and not its signature', async () => {
    await using issuer = await startOidcIssuer();
    const { jwk } = await publishedKey(issuer);
    expect(isSignedBy(jwk, issuer.mintToken())).toBe(true);
    expect(isSignedBy(jwk, issuer.mintToken({ isForged: true }))).toBe(false);
  });

  test('the token endpoint refuses a wrong request token, and fails on demand', async () => {
    await using issuer = await startOidcIssuer();
    const { ACTIONS_ID_TOKEN_REQUEST_URL: url } = issuer.environment();
    expect((await fetch(url, { headers: { authorization: 'Bearer wrong' } })).status).toBe(401);
    issuer.fail({ status: 500 });
    expect((await fetch(url)).status).toBe(500);
  });
});
