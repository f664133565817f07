import { createHmac, timingSafeEqual } from 'node:crypto';

/** A cache scope of a job: a ref, and what the job may do there (1 read, 2 write, 3 both). */
export interface CacheScope {
  readonly scope: string;
  readonly permission: number;
}

export interface RuntimeTokenClaims {
  /** Backend ids of the workflow run and of the job in it; any text without a colon. */
  readonly runId: string;
  readonly jobId: string;
  readonly scopes: readonly CacheScope[];
  /** Seconds from now; negative for a token that expired. */
  readonly expiresIn?: number;
}

export type RuntimeToken = Omit<RuntimeTokenClaims, 'expiresIn'>;

/**
 * The runner's ACTIONS_RUNTIME_TOKEN. BuildKit parses the whole token although it has no key for it: all three parts must be
 * base64url, `ac` must be a string that holds JSON, `exp` and `nbf` must be numbers.
 */
export function mintRuntimeToken(key: Uint8Array, claims: RuntimeTokenClaims): string {
  const now = Math.floor(Date.now() / 1000);
  const payload = {
    iss: 'https://token.actions.githubusercontent.com',
    aud: 'https://token.actions.githubusercontent.com',
    ac: JSON.stringify(claims.scopes.map(({ scope, permission }) => ({ Scope: scope, Permission: permission }))),
    scp: `Actions.GenericRead:00000000-0000-0000-0000-000000000000 Actions.Results:${claims.runId}:${claims.jobId}`,
    nbf: now - 300,
    iat: now,
    exp: now + (claims.expiresIn ?? 21_600),
  };
  const unsigned = `${encode({ typ: 'JWT', alg: 'HS256' })}.${encode(payload)}`;
  return `${unsigned}.${sign(key, unsigned).toString('base64url')}`;
}

/** The token's claims, or undefined for one that is malformed, of another key, or out of its time. */
export function verifyRuntimeToken(key: Uint8Array, token: string): RuntimeToken | undefined {
  const [header, payload, signature, ...rest] = token.split('.');
  if (header === undefined || payload === undefined || signature === undefined || rest.length > 0) return undefined;
  const expected = sign(key, `${header}.${payload}`);
  const given = Buffer.from(signature, 'base64url');
  if (given.length !== expected.length || !timingSafeEqual(given, expected)) return undefined;
  // The signature is ours, so what it covers was written by mintRuntimeToken.
  const claims: { ac: string; scp: string; nbf: number; exp: number } = JSON.parse(
    Buffer.from(payload, 'base64url').toString(),
  );
  const now = Date.now() / 1000;
  if (claims.exp <= now || claims.nbf > now) return undefined;
  const results = /(?:^| )Actions\.Results:([^: ]+):([^: ]+)/.exec(claims.scp);
  if (results?.[1] === undefined || results[2] === undefined) return undefined;
  const scopes: { Scope: string; Permission: number }[] = JSON.parse(claims.ac);
  return {
    runId: results[1],
    jobId: results[2],
    scopes: scopes.map(({ Scope, Permission }) => ({ scope: Scope, permission: Permission })),
  };
}

function sign(key: Uint8Array, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}

function encode(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}
