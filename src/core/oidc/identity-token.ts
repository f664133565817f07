import { request } from '../net/request.ts';
import type { Environment } from '../runner/commands.ts';
import { ConfigurationError } from '../runner/errors.ts';
import { isRecord } from '../runner/event.ts';
import type { Log } from '../runner/log.ts';

/** What a token says of the job it was made for. All of it is public; the token itself is a secret. */
export interface TokenClaims {
  readonly subject: string;
  readonly audience: string;
  readonly issuer: string;
}

/** Answers of the runner's token endpoint are a JWT of some 2 KiB in a little JSON. */
const MAX_ANSWER = 64 * 1024;

export interface TokenRequest {
  /** The `aud` that the token is to have. */
  readonly audience: string;
  /** The input that wants the token, in quotes, for the error of a job that may not have one. */
  readonly neededBy: string;
}

/**
 * Asks the runner for an OIDC token of this job ("OpenID Connect reference", GitHub docs), masked before it is returned.
 *
 * Throws ConfigurationError when the job may not have one: its workflow lacks `id-token: write`.
 */
export async function requestIdentityToken(
  environment: Environment,
  { audience, neededBy }: TokenRequest,
  log: Log,
): Promise<string> {
  const address = environment['ACTIONS_ID_TOKEN_REQUEST_URL'] ?? '';
  const bearer = environment['ACTIONS_ID_TOKEN_REQUEST_TOKEN'] ?? '';
  if (address === '' || bearer === '') {
    throw new ConfigurationError(
      `this job may not ask for an identity token, which ${neededBy} needs: add \`permissions: { id-token: write, contents: read }\` to the job. Workflows started by a pull request from a fork never get one.`,
      { title: 'Missing id-token permission' },
    );
  }
  const url = new URL(address);
  url.searchParams.set('audience', audience);
  const answer = await request({
    url,
    headers: { authorization: `Bearer ${bearer}`, accept: 'application/json' },
    maxBytes: MAX_ANSWER,
    deadline: 60_000,
    timeout: 10_000,
    log,
  });
  if (answer.status !== 200) throw new Error(`the runner's token endpoint answered with status ${answer.status}`);
  const parsed: unknown = JSON.parse(answer.body.toString('utf8'));
  const token = isRecord(parsed) ? parsed['value'] : undefined;
  if (typeof token !== 'string' || token === '')
    throw new Error("the runner's token endpoint answered without a token");
  log.mask(token);
  return token;
}

/** Reads a token's claims without verifying it: they are shown, never trusted. Undefined for what is no JWT. */
export function readClaims(token: string): TokenClaims | undefined {
  const payload = token.split('.')[1];
  if (payload === undefined) return undefined;
  let claims: unknown;
  try {
    claims = JSON.parse(Buffer.from(payload, 'base64url').toString('utf8'));
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
  if (!isRecord(claims)) return undefined;
  const { sub, aud, iss } = claims;
  return { subject: String(sub ?? ''), audience: String(aud ?? ''), issuer: String(iss ?? '') };
}
