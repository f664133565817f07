import { createPublicKey, type JsonWebKey, verify } from 'node:crypto';
import { AwsError } from './xml-answer.ts';

/** A role's trust in one OIDC provider, as its AssumeRolePolicyDocument says it. */
export interface RoleTrust {
  readonly arn: string;
  readonly audience: string;
  /** `StringLike` pattern of the subject: `*` is any text, `?` any character. */
  readonly subject: string;
  /** Seconds; 3600. */
  readonly maxSessionDuration?: number;
}

export interface WebIdentity {
  readonly issuer: string;
  readonly audience: string;
  readonly subject: string;
}

interface Parts {
  readonly header: Readonly<Record<string, unknown>>;
  readonly claims: Readonly<Record<string, unknown>>;
  readonly signed: Buffer;
  readonly signature: Buffer;
}

/** Who a token speaks for; throws STS's own errors when it was not made by this issuer, or not for now. */
export async function verifyWebIdentity(token: string, issuer: string): Promise<WebIdentity> {
  const { header, claims, signed, signature } = parseToken(token);
  if (claims['iss'] !== issuer) {
    throw invalid(`No OpenIDConnect provider found in your account for ${String(claims['iss'])}`);
  }
  const key = (await fetchKeys(issuer)).find(({ kid }) => kid === header['kid']);
  if (key === undefined || header['alg'] !== 'RS256') {
    throw invalid(
      "Couldn't retrieve verification key from your identity provider, please reference AssumeRoleWithWebIdentity documentation for requirements",
    );
  }
  if (!verify('sha256', signed, createPublicKey({ key, format: 'jwk' }), signature)) {
    throw invalid('The ID Token signature is invalid');
  }
  const now = Math.floor(Date.now() / 1000);
  const { exp, sub, aud } = claims;
  if (typeof exp !== 'number' || typeof sub !== 'string' || typeof aud !== 'string') {
    throw invalid('Missing a required claim: exp, sub or aud');
  }
  if (exp <= now) {
    throw new AwsError(
      400,
      'ExpiredTokenException',
      `Token expired: current date/time ${now} must be before the expiration date/time ${exp}`,
    );
  }
  return { issuer, audience: aud, subject: sub };
}

/** Throws when the role's trust does not cover the identity. */
export function requireTrust(identity: WebIdentity, role: RoleTrust | undefined): RoleTrust {
  if (role !== undefined && identity.audience !== role.audience) throw invalid('Incorrect token audience');
  if (role === undefined || !isLike(identity.subject, role.subject)) {
    // The same words for a role that does not exist: STS does not say which roles an account has.
    throw new AwsError(403, 'AccessDenied', 'Not authorized to perform sts:AssumeRoleWithWebIdentity');
  }
  return role;
}

function parseToken(token: string): Parts {
  const [header, payload, signature, ...rest] = token.split('.');
  if (header === undefined || payload === undefined || signature === undefined || rest.length > 0) throw notAToken();
  return {
    header: parseJson(header),
    claims: parseJson(payload),
    signed: Buffer.from(`${header}.${payload}`),
    signature: Buffer.from(signature, 'base64url'),
  };
}

function parseJson(part: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(Buffer.from(part, 'base64url').toString());
    if (typeof value === 'object' && value !== null) return { ...value };
  } catch {
    // Not JSON: the same refusal as for JSON of another shape.
  }
  throw notAToken();
}

async function fetchKeys(issuer: string): Promise<readonly (JsonWebKey & { readonly kid?: unknown })[]> {
  try {
    const configuration: { jwks_uri: string } = JSON.parse(
      await fetchText(`${issuer}/.well-known/openid-configuration`),
    );
    const { keys }: { keys: JsonWebKey[] } = JSON.parse(await fetchText(configuration.jwks_uri));
    return keys;
  } catch (cause) {
    const message = `IDP communication error: ${String(cause)}`;
    throw new AwsError(400, 'IDPCommunicationError', message);
  }
}

async function fetchText(url: string): Promise<string> {
  const response = await fetch(url, { signal: AbortSignal.timeout(5000) });
  if (!response.ok) throw new Error(`${url} answered ${response.status}`);
  return response.text();
}

function isLike(text: string, pattern: string): boolean {
  const source = pattern
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  return new RegExp(`^${source}$`, 's').test(text);
}

function invalid(message: string): AwsError {
  return new AwsError(400, 'InvalidIdentityToken', message);
}

function notAToken(): AwsError {
  return invalid('The ID Token provided is not a valid JWT. (You may see this error if you sent an Access Token)');
}
