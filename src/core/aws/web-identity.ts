import { setTimeout as sleep } from 'node:timers/promises';
import { RequestError, request } from '../net/request.ts';
import { isWorthRetrying, pauseBefore } from '../net/retry.ts';
import { readClaims } from '../oidc/identity-token.ts';
import type { Environment } from '../runner/commands.ts';
import { ConfigurationError } from '../runner/errors.ts';
import type { Log } from '../runner/log.ts';
import { AwsError, readRefusal } from './aws-error.ts';
import type { Credentials } from './credentials.ts';
import { partitionOf } from './regions.ts';
import { readRoleCredentials } from './role-credentials.ts';
import { explainRefusedToken } from './trust-policy.ts';

export interface RoleRequest {
  readonly roleArn: string;
  readonly sessionName: string;
  readonly durationSeconds: number;
  /** The address of STS, without a slash at its end. */
  readonly endpoint: string;
  readonly region: string;
}

const RETRY = { attempts: 4, firstPause: 500, longestPause: 5000 };

/** What STS answers, with status 400, when the identity was never judged. */
const PASSING =
  /^(Throttling|ThrottlingException|IDPCommunicationError|InternalFailure|ServiceUnavailable|RequestLimitExceeded)$/;

/**
 * Trades a token of the job for credentials of a role (STS AssumeRoleWithWebIdentity, API version 2011-06-15).
 *
 * Throttling and network faults are tried again, each time with a fresh token; a refusal is final at once and says
 * what the token claimed (`ConfigurationError`). Secrets are masked before this returns; nothing is exported to later
 * steps of the job.
 */
export async function assumeRoleWithWebIdentity(
  role: RoleRequest,
  requestToken: () => Promise<string>,
  log: Log,
): Promise<Credentials> {
  for (let attempt = 1; ; attempt += 1) {
    const token = await requestToken();
    const fault = await tryToken(role, token, log);
    if (!(fault instanceof Error)) return fault;
    if (!isPassing(fault)) throw fault instanceof AwsError ? explain(role, token, fault) : fault;
    if (attempt >= RETRY.attempts) throw fault;
    const pause = pauseBefore(attempt, RETRY, undefined, Math.random());
    log.info(
      `${fault.message}; trying again with a fresh token in ${(pause / 1000).toFixed(1)} s (${attempt} of ${RETRY.attempts - 1})`,
    );
    await sleep(pause);
  }
}

/** One token is sent once: STS takes a repeated one for what it is, and `request` must not retry on its own. */
async function tryToken(role: RoleRequest, token: string, log: Log): Promise<Credentials | Error> {
  try {
    const answer = await request({
      url: `${role.endpoint}/`,
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded', accept: 'text/xml' },
      body: formOf(role, token),
      maxBytes: 256 * 1024,
      deadline: 20_000,
      timeout: 10_000,
      retry: false,
    });
    if (answer.status === 200)
      return readRoleCredentials(answer.body.toString('utf8'), 'AssumeRoleWithWebIdentityResult', log);
    return new AwsError({ of: 'AssumeRoleWithWebIdentity', ...readRefusal(answer) });
  } catch (error) {
    if (error instanceof RequestError) return error;
    throw error;
  }
}

function isPassing(fault: Error): boolean {
  return fault instanceof AwsError ? PASSING.test(fault.code) || isWorthRetrying(fault.status) : true;
}

/** The address of STS in a region, unless `sts-endpoint` or `AWS_ENDPOINT_URL_STS` names another. */
export function stsEndpoint(region: string, given: string | undefined, environment: Environment): string {
  const override = given ?? environment['AWS_ENDPOINT_URL_STS'] ?? '';
  return override === '' ? `https://sts.${region}.${partitionOf(region).dnsSuffix}` : override.replace(/\/+$/, '');
}

function formOf(role: RoleRequest, token: string): string {
  return new URLSearchParams({
    Action: 'AssumeRoleWithWebIdentity',
    Version: '2011-06-15',
    RoleArn: role.roleArn,
    RoleSessionName: role.sessionName,
    DurationSeconds: String(role.durationSeconds),
    WebIdentityToken: token,
  }).toString();
}

function explain(role: RoleRequest, token: string, error: AwsError): Error {
  const reason = `STS at ${new URL(role.endpoint).host} refused "role-to-assume" ${role.roleArn}: ${error.code}${error.detail === '' ? '' : `: ${error.detail}`}`;
  if (error.code === 'ValidationError' && /DurationSeconds|MaxSessionDuration/i.test(error.detail)) {
    return new ConfigurationError(
      `${reason}. Lower "role-duration-seconds" or raise the role's maximum session duration.`,
      { cause: error },
    );
  }
  const help = explainRefusedToken(role.roleArn, readClaims(token), partitionOf(role.region).name);
  return new ConfigurationError(`${reason}\n${help}`, { cause: error, title: 'Role refused' });
}
