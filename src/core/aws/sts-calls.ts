import { ConfigurationError } from '../runner/errors.ts';
import type { Log } from '../runner/log.ts';
import { createAdaptiveConcurrency } from './adaptive-concurrency.ts';
import { AwsError } from './aws-error.ts';
import type { CredentialSource, Credentials } from './credentials.ts';
import { readRoleCredentials } from './role-credentials.ts';
import { sendSigned } from './signed-request.ts';
import type { RoleRequest } from './web-identity.ts';
import { parseXml, textAt } from './xml.ts';

interface StsAccess {
  /** The address of STS, without a slash at its end. */
  readonly endpoint: string;
  readonly region: string;
  readonly credentials: CredentialSource;
  readonly log: Log;
}

/**
 * Trades credentials for those of a role that trusts them (STS AssumeRole): role chaining.
 *
 * A chained session lasts an hour at most. Throws ConfigurationError for a refusal, which is final at once.
 */
export async function assumeRole(
  role: RoleRequest,
  tags: ReadonlyMap<string, string>,
  source: CredentialSource,
  log: Log,
): Promise<Credentials> {
  const tagParameters = [...tags].flatMap(([key, value], index) => [
    [`Tags.member.${index + 1}.Key`, key],
    [`Tags.member.${index + 1}.Value`, value],
  ]);
  try {
    const answer = await callSts({ ...role, credentials: source, log }, 'AssumeRole', [
      ['RoleArn', role.roleArn],
      ['RoleSessionName', role.sessionName],
      ['DurationSeconds', String(role.durationSeconds)],
      ...tagParameters,
    ]);
    return readRoleCredentials(answer, 'AssumeRoleResult', log);
  } catch (error) {
    if (!(error instanceof AwsError) || error.status >= 500) throw error;
    throw new ConfigurationError(
      `STS at ${new URL(role.endpoint).host} refused to chain to "role-to-assume" ${role.roleArn}: ${error.code}: ${error.detail}. The role's trust policy must allow sts:AssumeRole${tags.size === 0 ? '' : ' and sts:TagSession'} to the credentials of the environment, and they must be allowed to do it; a chained session lasts 3600 seconds at most.`,
      { cause: error, title: 'Role refused' },
    );
  }
}

/** The account that credentials belong to (STS GetCallerIdentity, which every identity may call). */
export async function callerAccount(access: StsAccess): Promise<string> {
  const answer = parseXml(await callSts(access, 'GetCallerIdentity', []));
  const account = textAt(answer, 'GetCallerIdentityResult', 'Account') ?? '';
  if (!/^\d{12}$/.test(account)) throw new Error('STS answered GetCallerIdentity without an account');
  return account;
}

async function callSts(
  { endpoint, region, credentials, log }: StsAccess,
  action: string,
  parameters: readonly (readonly string[])[],
): Promise<string> {
  const form = new URLSearchParams({ Action: action, Version: '2011-06-15' });
  for (const [name = '', value = ''] of parameters) form.append(name, value);
  const answer = await sendSigned(
    {
      endpoint,
      scope: { service: 'sts', region },
      credentials,
      concurrency: createAdaptiveConcurrency({ initial: 1, max: 1 }),
      log,
    },
    {
      method: 'POST',
      path: '/',
      headers: { 'content-type': 'application/x-www-form-urlencoded', accept: 'text/xml' },
      body: async () => form.toString(),
      describe: action,
    },
  );
  return answer.body.toString('utf8');
}
