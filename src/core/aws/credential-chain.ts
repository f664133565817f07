import { requestIdentityToken } from '../oidc/identity-token.ts';
import type { Environment } from '../runner/commands.ts';
import { ConfigurationError } from '../runner/errors.ts';
import type { Log } from '../runner/log.ts';
import { type CredentialSource, type Credentials, renewing } from './credentials.ts';
import { assumeRole } from './sts-calls.ts';
import { assumeRoleWithWebIdentity, type RoleRequest } from './web-identity.ts';

export interface CredentialChoice {
  /** Undefined: the environment's usual credential chain. */
  readonly role: RoleRequest | undefined;
  /** The audience asked for in the job's token. */
  readonly audience: string;
  /** Whether the role trusts the environment's credentials, and not the job's token. */
  readonly isChained: boolean;
  /** Of a chained session. */
  readonly sessionTags: ReadonlyMap<string, string>;
}

/**
 * Where the credentials of a step come from: the role, by the job's OIDC token or by the credentials that follow; else the keys in `AWS_ACCESS_KEY_ID`
 * and its fellows; else the SDK's default chain (profiles, SSO, web identity files, container and instance roles),
 * which is loaded on this path alone.
 */
export function chooseCredentials(choice: CredentialChoice, environment: Environment, log: Log): CredentialSource {
  const { role, audience, isChained, sessionTags } = choice;
  if (role === undefined) return environmentCredentials(environment, log);
  if (isChained) {
    const source = environmentCredentials(environment, log);
    return renewing(() => assumeRole(role, sessionTags, source, log));
  }
  const token = { audience, neededBy: '"role-to-assume"' };
  return renewing(() => assumeRoleWithWebIdentity(role, () => requestIdentityToken(environment, token, log), log));
}

function environmentCredentials(environment: Environment, log: Log): CredentialSource {
  const keys = keysOf(environment, log);
  if (keys !== undefined) return async () => keys;
  return renewing(() => defaultChain(log));
}

function keysOf(environment: Environment, log: Log): Credentials | undefined {
  const accessKeyId = environment['AWS_ACCESS_KEY_ID'] ?? '';
  const secretAccessKey = environment['AWS_SECRET_ACCESS_KEY'] ?? '';
  const sessionToken = environment['AWS_SESSION_TOKEN'] ?? '';
  if (accessKeyId === '' && secretAccessKey === '') return undefined;
  if (accessKeyId === '' || secretAccessKey === '') {
    const missing = accessKeyId === '' ? 'AWS_ACCESS_KEY_ID' : 'AWS_SECRET_ACCESS_KEY';
    throw new ConfigurationError(`${missing} is not set, but its fellow is: give both, or "role-to-assume"`);
  }
  log.mask(secretAccessKey);
  if (sessionToken !== '') log.mask(sessionToken);
  return { accessKeyId, secretAccessKey, ...(sessionToken === '' ? {} : { sessionToken }) };
}

async function defaultChain(log: Log): Promise<Credentials> {
  const { defaultProvider } = await import('@aws-sdk/credential-provider-node');
  try {
    const found = await defaultProvider()();
    log.mask(found.secretAccessKey);
    if (found.sessionToken !== undefined) log.mask(found.sessionToken);
    return {
      accessKeyId: found.accessKeyId,
      secretAccessKey: found.secretAccessKey,
      ...(found.sessionToken === undefined ? {} : { sessionToken: found.sessionToken }),
      ...(found.expiration === undefined ? {} : { expiration: found.expiration.getTime() }),
    };
  } catch (cause) {
    throw new ConfigurationError(
      'no AWS credentials: give "role-to-assume" (with `permissions: id-token: write`), or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in the step\'s env',
      { cause },
    );
  }
}
