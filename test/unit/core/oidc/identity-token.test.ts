import { describe, expect, it } from 'vitest';
import { readClaims, requestIdentityToken } from '../../../../src/core/oidc/identity-token.ts';
import { createLog } from '../../../../src/core/runner/log.ts';
import { jsonAnswer, listen } from '../../../harness/standins/listening-server.ts';

const wanted = { audience: 'sigstore', neededBy: '"attest"' };

/** The runner's token endpoint, which answers all requests alike. */
async function startRunner(status: number, body: unknown) {
  const asked: (readonly [path: string, authorization: string | undefined])[] = [];
  const server = await listen(({ url, headers }) => {
    asked.push([`${url.pathname}${url.search}`, headers.authorization]);
    return { ...jsonAnswer(body), status };
  });
  return {
    asked,
    environment: {
      ACTIONS_ID_TOKEN_REQUEST_URL: `${server.url}/token?api-version=2.0`,
      ACTIONS_ID_TOKEN_REQUEST_TOKEN: 'bearer-of-the-job',
    },
    [Symbol.asyncDispose]: () => server.stop(),
  };
}

describe('requestIdentityToken', () => {
  it('asks for the audience with the bearer of the job, and masks the token first', async () => {
    await using runner = await startRunner(200, { value: 'a.b.c' });
    const lines: string[] = [];
    const log = createLog((line) => lines.push(line), { debug: false });
    expect(await requestIdentityToken(runner.environment, wanted, log)).toBe('a.b.c');
    expect(runner.asked).toEqual([['/token?api-version=2.0&audience=sigstore', 'Bearer bearer-of-the-job']]);
    expect(lines).toEqual(['::add-mask::a.b.c']);
  });

  it.each([
    [403, { value: 'a.b.c' }, 'answered with status 403'],
    [200, { value: 1 }, 'answered without a token'],
    [200, {}, 'answered without a token'],
  ])('takes status %d with %j for no token', async (status, body, message) => {
    await using runner = await startRunner(status, body);
    const log = createLog(() => undefined, { debug: false });
    await expect(requestIdentityToken(runner.environment, wanted, log)).rejects.toThrow(message);
  });

  it.each([
    {},
    { ACTIONS_ID_TOKEN_REQUEST_URL: 'http://127.0.0.1:1/token' },
    { ACTIONS_ID_TOKEN_REQUEST_TOKEN: 'bearer' },
  ])('names the permission, and the input that needs it, in a job with %j', async (environment) => {
    const log = createLog(() => undefined, { debug: false });
    const refused = requestIdentityToken(environment, wanted, log);
    await expect(refused).rejects.toThrow(/which "attest" needs: add `permissions: { id-token: write/);
  });
});

describe('readClaims', () => {
  const tokenOf = (claims: unknown): string => `h.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.s`;

  it.each([
    [
      tokenOf({ sub: 'repo:o/r:x', aud: 'a', iss: 'https://i' }),
      { subject: 'repo:o/r:x', audience: 'a', issuer: 'https://i' },
    ],
    [tokenOf({}), { subject: '', audience: '', issuer: '' }],
    [tokenOf(['sub']), undefined],
    ['garbage', undefined],
    ['a.b.c', undefined],
  ])('reads %s', (token, claims) => {
    expect(readClaims(token)).toEqual(claims);
  });
});
