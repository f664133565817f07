import { createSign, randomUUID } from 'node:crypto';
import { type Answer, jsonAnswer, listen, type ReceivedRequest, type Standin } from './listening-server.ts';
import { generateSigningKey } from './self-signed-certificate.ts';

export type Claims = Readonly<Record<string, unknown>>;

export interface OidcIssuerOptions {
  readonly port?: number;
  /** Claims that differ from those of a push to `main` of `octo-org/octo-repo`. */
  readonly claims?: Claims;
  /** Host name in the issuer's URL; `localhost`, since AWS and Ceph name a provider by its host. */
  readonly host?: string;
  /** Seconds that a token lives; 300. */
  readonly lifetime?: number;
}

export interface TokenRequest {
  readonly audience?: string | undefined;
  readonly claims?: Claims;
  readonly expiresIn?: number;
  /** Signed with a key that the issuer does not publish, under the published key's id. */
  readonly isForged?: boolean;
}

/** GitHub's OIDC issuer and the runner's token endpoint, in one. */
export interface OidcIssuer extends Standin {
  /** The `iss` claim; its host name resolves to the stand-in. */
  readonly issuer: string;
  /** Self-signed certificate of the key: DER in base64. */
  readonly certificate: string;
  mintToken(request?: TokenRequest): string;
  /** From now on the token endpoint's tokens differ in these claims. */
  overrideClaims(claims: Claims): void;
  environment(): { readonly ACTIONS_ID_TOKEN_REQUEST_URL: string; readonly ACTIONS_ID_TOKEN_REQUEST_TOKEN: string };
}

const KEY_ID = 'stand-in-key';

export async function startOidcIssuer(options: OidcIssuerOptions = {}): Promise<OidcIssuer> {
  const host = options.host ?? 'localhost';
  const [key, otherKey] = await Promise.all([generateSigningKey(host), generateSigningKey(host)]);
  const requestToken = randomUUID();
  const server = await listen((request) => answer(request), options);
  const issuer = `http://${host}:${new URL(server.url).port}`;
  let overrides: Claims = options.claims ?? {};

  function mintToken({ audience, claims, expiresIn, isForged }: TokenRequest = {}): string {
    const payload = githubClaims(issuer, audience, expiresIn ?? options.lifetime ?? 300, { ...overrides, ...claims });
    const unsigned = `${encode({ typ: 'JWT', alg: 'RS256', kid: KEY_ID })}.${encode(payload)}`;
    const { privateKey } = isForged === true ? otherKey : key;
    return `${unsigned}.${createSign('RSA-SHA256').update(unsigned).sign(privateKey).toString('base64url')}`;
  }

  function answer(request: ReceivedRequest): Answer {
    switch (request.url.pathname) {
      case '/.well-known/openid-configuration':
        return jsonAnswer({
          issuer,
          jwks_uri: `${issuer}/.well-known/jwks`,
          subject_types_supported: ['public', 'pairwise'],
          response_types_supported: ['id_token'],
          id_token_signing_alg_values_supported: ['RS256'],
          scopes_supported: ['openid'],
        });
      case '/.well-known/jwks': {
        const jwk = key.publicKey.export({ format: 'jwk' });
        return jsonAnswer({ keys: [{ ...jwk, kid: KEY_ID, use: 'sig', alg: 'RS256', x5c: [key.certificate] }] });
      }
      case '/token': {
        if (request.headers.authorization !== `Bearer ${requestToken}`)
          return jsonAnswer({ message: 'Unauthorized' }, 401);
        const value = mintToken({ audience: request.url.searchParams.get('audience') ?? undefined });
        return jsonAnswer({ count: value.length, value });
      }
      default:
        return jsonAnswer({ message: 'Not Found' }, 404);
    }
  }

  return {
    ...server,
    issuer,
    certificate: key.certificate,
    mintToken,
    overrideClaims: (claims) => {
      overrides = { ...overrides, ...claims };
    },
    environment: () => ({
      // With a query, as the runner's has: clients append `&audience=…` to it.
      ACTIONS_ID_TOKEN_REQUEST_URL: `${server.url}/token?api-version=2.0`,
      ACTIONS_ID_TOKEN_REQUEST_TOKEN: requestToken,
    }),
  };
}

/** docs.github.com/actions/reference/openid-connect-reference#oidc-token-claims */
function githubClaims(issuer: string, audience: string | undefined, expiresIn: number, overrides: Claims): Claims {
  const now = Math.floor(Date.now() / 1000);
  const claims = {
    jti: randomUUID(),
    repository: 'octo-org/octo-repo',
    repository_id: '74',
    repository_visibility: 'private',
    ref: 'refs/heads/main',
    ref_type: 'branch',
    ref_protected: 'true',
    sha: '4c3f1f6a0f8f4e9a9d2b7c5e1a0b3d6f8e7c9a1b',
    event_name: 'push',
    actor: 'octocat',
    actor_id: '12',
    head_ref: '',
    base_ref: '',
    workflow: 'release',
    run_id: '1001',
    run_number: '7',
    run_attempt: '1',
    runner_environment: 'github-hosted',
    iss: issuer,
    iat: now,
    nbf: now - 60,
    exp: now + expiresIn,
    ...overrides,
  };
  const [owner = ''] = claims.repository.split('/');
  const workflow = `${claims.repository}/.github/workflows/release.yml@${claims.ref}`;
  return {
    repository_owner: owner,
    repository_owner_id: '65',
    aud: audience ?? `https://github.com/${owner}`,
    sub: subject(claims),
    job_workflow_ref: workflow,
    job_workflow_sha: claims.sha,
    workflow_ref: workflow,
    workflow_sha: claims.sha,
    ...claims,
  };
}

function subject(claims: { repository: string; ref: string; event_name: string; environment?: unknown }): string {
  if (typeof claims.environment === 'string') return `repo:${claims.repository}:environment:${claims.environment}`;
  if (claims.event_name === 'pull_request') return `repo:${claims.repository}:pull_request`;
  return `repo:${claims.repository}:ref:${claims.ref}`;
}

function encode(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}
