import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createWorkspace, type Workspace } from '../harness/site/workspace.ts';
import { jsonAnswer, listen } from '../harness/standins/listening-server.ts';
import { type OidcIssuer, startOidcIssuer } from '../harness/standins/oidc-issuer.ts';
import { createRole, trustIssuer } from './ceph-iam.ts';
import { createBucket, keysOf, strictServer } from './site-bucket.ts';

const AUDIENCE = 'sts.amazonaws.com';
const SUBJECT = 'repo:octo-org/octo-repo:ref:refs/heads/main';

/** The runner's token endpoint, which hands out this one token. */
async function startTokenEndpoint(token: string) {
  const server = await listen(() => jsonAnswer({ value: token }));
  return {
    environment: { ACTIONS_ID_TOKEN_REQUEST_URL: `${server.url}/token`, ACTIONS_ID_TOKEN_REQUEST_TOKEN: 'bearer' },
    [Symbol.asyncDispose]: () => server.stop(),
  };
}

describe('a role at a gateway that verifies tokens', () => {
  const server = strictServer();
  let issuer: OidcIssuer;
  let site: Workspace;
  let bucket = '';
  let role = '';

  beforeAll(async () => {
    issuer = await startOidcIssuer();
    site = await createWorkspace({ 'index.html': 'site' });
    ({ bucket } = await createBucket(server));
    await trustIssuer(server, issuer, AUDIENCE);
    role = await createRole(server, 'deploy-site', trustIn(SUBJECT), bucket);
  });
  afterAll(async () => {
    await site[Symbol.asyncDispose]();
    await issuer.stop();
  });

  function trustIn(subject: string): object {
    const host = new URL(issuer.issuer).host;
    return {
      Principal: { Federated: [`arn:aws:iam:::oidc-provider/${host}`] },
      Action: ['sts:AssumeRoleWithWebIdentity'],
      Condition: { StringEquals: { [`${host}:aud`]: AUDIENCE, [`${host}:sub`]: subject } },
    };
  }

  const withRole = (arn: string) => ({ bucket, 'role-to-assume': arn, 'sts-endpoint': server.endpoint });

  it('is assumed by the token of the job, and deploys', async () => {
    const inputs = withRole(role);
    expect(await site.outputs(server.endpoint, inputs, issuer.environment())).toMatchObject({ uploaded: 1 });
    expect(await site.outputs(server.endpoint, inputs, issuer.environment())).toMatchObject({ unchanged: 1 });
  });

  it('may do what its policy says and no more', async () => {
    const { bucket: other } = await createBucket(server);
    const refused = site.deploy(server.endpoint, { ...withRole(role), bucket: other }, issuer.environment());
    await expect(refused).rejects.toThrow('the credentials may not do this: allow s3:');
  });

  const refusals: readonly (readonly [says: string, token: () => string])[] = [
    [
      'another subject',
      () => issuer.mintToken({ audience: AUDIENCE, claims: { sub: 'repo:octo-org/other:ref:refs/heads/main' } }),
    ],
    [
      'a subject with ids, as repositories of today send it',
      () =>
        issuer.mintToken({
          audience: AUDIENCE,
          claims: { sub: 'repo:octo-org@65/octo-repo@74:ref:refs/heads/main' },
        }),
    ],
    ['another audience', () => issuer.mintToken({ audience: 'elsewhere' })],
    ['an expired token', () => issuer.mintToken({ audience: AUDIENCE, expiresIn: -10 })],
    ['a forged token', () => issuer.mintToken({ audience: AUDIENCE, isForged: true })],
    ['no token at all', () => 'garbage'],
  ];
  it.each(refusals)('is refused for %s in under a second, and says what the token said', async (says, mint) => {
    await using runner = await startTokenEndpoint(mint());
    const before = Date.now();
    const refused = site.deploy(server.endpoint, withRole(role), runner.environment);
    await expect(refused).rejects.toThrow(
      says === 'no token at all' ? 'is no JWT' : /sub: repo:[\s\S]*aud: [\s\S]*iss: http[\s\S]*form with(out)? ids/,
    );
    expect(Date.now() - before).toBeLessThan(1000);
  });

  it('trusts a subject with ids where its policy names them', async () => {
    const subject = 'repo:octo-org@65/octo-repo@74:ref:refs/heads/main';
    const trusting = await createRole(server, 'deploy-renamed', trustIn(subject), bucket);
    await using runner = await startTokenEndpoint(issuer.mintToken({ audience: AUDIENCE, claims: { sub: subject } }));
    await site.write('index.html', 'renamed');
    expect(await site.outputs(server.endpoint, withRole(trusting), runner.environment)).toMatchObject({ uploaded: 1 });
  });

  // The gateway does not serve GetCallerIdentity: the account of keys is asked for from a stand-in, in unit tests.
  it('writes nothing with keys whose account cannot be told', async () => {
    const { bucket: own, client } = await createBucket(server);
    const inputs = { bucket: own, 'sts-endpoint': server.endpoint, 'allowed-account-ids': '123456789012' };
    await expect(site.deploy(server.endpoint, inputs, keysOf(server))).rejects.toThrow('GetCallerIdentity');
    expect((await client.listPage('')).objects).toEqual([]);
  });

  it('is chained to by the credentials of the environment', async () => {
    const trust = { Principal: { AWS: ['arn:aws:iam:::user/tester'] }, Action: ['sts:AssumeRole'] };
    const chained = await createRole(server, 'chained-site', trust, bucket);
    await site.write('index.html', 'chained');
    const inputs = { ...withRole(chained), 'role-chaining': 'true' };
    expect(await site.outputs(server.endpoint, inputs, keysOf(server))).toMatchObject({ uploaded: 1 });
    const stranger = { ...inputs, 'role-to-assume': role };
    await expect(site.deploy(server.endpoint, stranger, keysOf(server))).rejects.toThrow('refused to chain');
  });
});
