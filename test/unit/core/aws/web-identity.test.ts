import http from 'node:http';
import { describe, expect, it } from 'vitest';
import { chooseCredentials } from '../../../../src/core/aws/credential-chain.ts';
import { renewing } from '../../../../src/core/aws/credentials.ts';
import { parseRoleArn } from '../../../../src/core/aws/role-credentials.ts';
import { stsEndpoint } from '../../../../src/core/aws/web-identity.ts';
import { createLog } from '../../../../src/core/runner/log.ts';

const roleArn = 'arn:aws:iam::123456789012:role/site';
const unchained = { isChained: false, sessionTags: new Map<string, string>() };

interface Answered {
  readonly status: number;
  readonly body: string;
}

/** The runner's token endpoint at `/token`, and STS at `/`; each form that STS gets is kept. */
async function startStsAndTokens(answer: (number: number) => Answered, subject = 'repo:o/r:ref:refs/heads/main') {
  const forms: URLSearchParams[] = [];
  let tokens = 0;
  const server = http.createServer(async (incoming, outgoing) => {
    let body = '';
    for await (const chunk of incoming) body += String(chunk);
    if (incoming.url?.startsWith('/token') === true) {
      tokens += 1;
      const claims = {
        sub: subject,
        aud: new URL(incoming.url, 'http://x').searchParams.get('audience'),
        iss: 'https://token.actions.githubusercontent.com',
        jti: tokens,
      };
      const payload = Buffer.from(JSON.stringify(claims)).toString('base64url');
      outgoing.end(JSON.stringify({ value: `eyJhbGciOiJSUzI1NiJ9.${payload}.c2lnbmF0dXJl` }));
      return;
    }
    forms.push(new URLSearchParams(body));
    const { status, body: text } = answer(forms.length);
    outgoing.writeHead(status, { 'content-type': 'text/xml' }).end(text);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = address === null || typeof address === 'string' ? 0 : address.port;
  return {
    forms,
    endpoint: `http://127.0.0.1:${port}`,
    environment: {
      ACTIONS_ID_TOKEN_REQUEST_URL: `http://127.0.0.1:${port}/token?api=1`,
      ACTIONS_ID_TOKEN_REQUEST_TOKEN: 'runner',
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** As STS answers a role that does not trust the token, word for word. */
const ACCESS_DENIED: Answered = {
  status: 403,
  body: '<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">\n  <Error>\n    <Type>Sender</Type>\n    <Code>AccessDenied</Code>\n    <Message>Not authorized to perform sts:AssumeRoleWithWebIdentity</Message>\n  </Error>\n  <RequestId>c6104cbe-af31-11e0-8154-cbc7ccf896c7</RequestId>\n</ErrorResponse>',
};
const granted = (expiration = '2099-01-01T00:00:00Z'): Answered => ({
  status: 200,
  body: `<AssumeRoleWithWebIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleWithWebIdentityResult><Credentials><SessionToken>session-token</SessionToken><SecretAccessKey>secret-key</SecretAccessKey><Expiration>${expiration}</Expiration><AccessKeyId>ASIAEXAMPLE</AccessKeyId></Credentials></AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>`,
});
const throttled: Answered = {
  status: 400,
  body: '<ErrorResponse><Error><Code>Throttling</Code><Message>Rate exceeded</Message></Error></ErrorResponse>',
};

function assume(
  site: { readonly endpoint: string; readonly environment: Readonly<Record<string, string>> },
  lines: string[] = [],
) {
  const role = {
    roleArn,
    sessionName: 'GitHubActions',
    durationSeconds: 900,
    endpoint: site.endpoint,
    region: 'eu-central-1',
  };
  const log = createLog((line) => lines.push(line), { debug: false });
  return chooseCredentials({ role, audience: 'sts.amazonaws.com', ...unchained }, site.environment, log)();
}

describe('the role of a job', () => {
  it('trades the token for credentials and masks them first', async () => {
    await using site = await startStsAndTokens(() => granted());
    const lines: string[] = [];
    const credentials = await assume(site, lines);
    expect(credentials).toMatchObject({
      accessKeyId: 'ASIAEXAMPLE',
      secretAccessKey: 'secret-key',
      sessionToken: 'session-token',
    });
    expect(Object.fromEntries(site.forms[0] ?? [])).toMatchObject({
      Action: 'AssumeRoleWithWebIdentity',
      RoleArn: roleArn,
      DurationSeconds: '900',
    });
    expect(lines).toEqual(expect.arrayContaining(['::add-mask::secret-key', '::add-mask::session-token']));
    expect(lines.filter((line) => !line.startsWith('::add-mask::')).join('\n')).not.toMatch(
      /secret-key|session-token|eyJ/,
    );
  });

  it('takes a refusal as final in under a second, and says what the token claimed', async () => {
    await using site = await startStsAndTokens(() => ACCESS_DENIED);
    const began = performance.now();
    const error = await assume(site).catch((reason: unknown) => reason);
    expect(performance.now() - began).toBeLessThan(1000);
    expect(site.forms).toHaveLength(1);
    const message = String(error);
    expect(message).toContain(
      'refused "role-to-assume" arn:aws:iam::123456789012:role/site: AccessDenied: Not authorized',
    );
    expect(message).toContain('sub: repo:o/r:ref:refs/heads/main');
    expect(message).toContain('aud: sts.amazonaws.com');
    expect(message).toContain('iss: https://token.actions.githubusercontent.com');
    expect(message).toContain('"token.actions.githubusercontent.com:sub":"repo:o/r:ref:refs/heads/main"');
    expect(message).toContain('repo:o@OWNER-ID/r@REPOSITORY-ID:ref:refs/heads/main');
    expect(message).not.toContain('eyJ');
  });

  it('says that a subject with ids does not match a policy without', async () => {
    await using site = await startStsAndTokens(() => ACCESS_DENIED, 'repo:o@12/r@34:environment:production');
    await expect(assume(site)).rejects.toThrow(
      'a policy with repo:o/r:environment:production does not match it any more',
    );
  });

  it('tries again after throttling, with a fresh token', async () => {
    await using site = await startStsAndTokens((number) => (number === 1 ? throttled : granted()));
    await assume(site);
    const [first, second] = site.forms.map((form) => form.get('WebIdentityToken'));
    expect(site.forms).toHaveLength(2);
    expect(first).not.toBe(second);
  });

  it('names the permission that a job lacks', async () => {
    await expect(assume({ endpoint: 'http://127.0.0.1:1', environment: {} })).rejects.toThrow('id-token: write');
  });
});

describe('renewing', () => {
  it('asks once for concurrent callers, and again before the credentials end', async () => {
    let asked = 0;
    let now = 0;
    const source = renewing(
      async () => {
        asked += 1;
        return { accessKeyId: `key-${asked}`, secretAccessKey: 's', expiration: now + 3_600_000 };
      },
      () => now,
    );
    await Promise.all([source(), source()]);
    expect(asked).toBe(1);
    now = 3_600_000 - 300_001;
    expect((await source()).accessKeyId).toBe('key-1');
    now += 2;
    expect((await source()).accessKeyId).toBe('key-2');
  });

  it('asks again after a failure', async () => {
    let asked = 0;
    const source = renewing(async () => {
      asked += 1;
      if (asked === 1) throw new Error('down');
      return { accessKeyId: 'a', secretAccessKey: 's' };
    });
    await expect(source()).rejects.toThrow('down');
    await expect(source()).resolves.toMatchObject({ accessKeyId: 'a' });
  });
});

describe('chooseCredentials', () => {
  const log = createLog(() => undefined, { debug: false });
  const none = { role: undefined, audience: '', ...unchained };

  it("takes the environment's keys without a role", async () => {
    const environment = { AWS_ACCESS_KEY_ID: 'AKIA', AWS_SECRET_ACCESS_KEY: 's', AWS_SESSION_TOKEN: 't' };
    expect(await chooseCredentials(none, environment, log)()).toEqual({
      accessKeyId: 'AKIA',
      secretAccessKey: 's',
      sessionToken: 't',
    });
  });

  it('names the half of a pair that is missing', () => {
    expect(() => chooseCredentials(none, { AWS_ACCESS_KEY_ID: 'AKIA' }, log)).toThrow(
      'AWS_SECRET_ACCESS_KEY is not set',
    );
  });
});

describe('role inputs', () => {
  it.each([
    ['eu-central-1', undefined, {}, 'https://sts.eu-central-1.amazonaws.com'],
    ['cn-north-1', undefined, {}, 'https://sts.cn-north-1.amazonaws.com.cn'],
    ['eu-central-1', undefined, { AWS_ENDPOINT_URL_STS: 'http://sts.test/' }, 'http://sts.test'],
    ['eu-central-1', 'https://given', { AWS_ENDPOINT_URL_STS: 'http://sts.test' }, 'https://given'],
  ])('finds STS for %s, %s, %o', (region, given, environment, expected) => {
    expect(stsEndpoint(region, given, environment)).toBe(expected);
  });

  it.each(['site-deploy', 'arn:aws:iam::1:role/x', 'arn:aws:iam::123456789012:user/x'])(
    'refuses the role %s',
    (text) => {
      expect(() => parseRoleArn(text)).toThrow('write it whole');
    },
  );
});
