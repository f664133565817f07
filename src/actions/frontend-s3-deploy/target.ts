import { guardAccount } from '../../core/aws/account-guard.ts';
import { createAdaptiveConcurrency } from '../../core/aws/adaptive-concurrency.ts';
import { chooseCredentials } from '../../core/aws/credential-chain.ts';
import type { CredentialSource } from '../../core/aws/credentials.ts';
import { createS3Client, type S3Client } from '../../core/aws/s3-client.ts';
import { locateBucket, objectUrl, type S3Location } from '../../core/aws/s3-location.ts';
import { callerAccount } from '../../core/aws/sts-calls.ts';
import { stsEndpoint } from '../../core/aws/web-identity.ts';
import type { InputsOf } from '../../core/runner/contract.ts';
import { ConfigurationError } from '../../core/runner/errors.ts';
import type { ActionContext } from '../../core/runner/run-action.ts';
import type { contract } from './contract.ts';
import { type Preview, previewOf, previewUrl } from './preview.ts';

/** Where a deploy goes to, and what it goes there with. */
export interface Target {
  readonly location: S3Location;
  /** Empty, or with a slash at its end. */
  readonly prefix: string;
  readonly preview: Preview | undefined;
  readonly url: string;
  readonly client: S3Client;
  readonly credentials: CredentialSource;
}

/** As many connections as the agent keeps; S3 takes 3,500 writes a second, and SlowDown lowers it. */
const MAX_CONCURRENCY = 64;

/** Finds the bucket, the folder in it and the credentials. Sends no request: `checkAccount` does. */
export function chooseTarget(inputs: InputsOf<typeof contract>, { environment, event, log }: ActionContext): Target {
  const location = locateBucket({ ...inputs, pathStyle: inputs.forcePathStyle }, environment);
  const preview = inputs.preview ? previewOf(event) : undefined;
  const prefix = `${inputs.prefix ?? ''}${preview === undefined ? '' : `${preview.name}/`}`;
  if (inputs.sessionTags.size > 0 && !inputs.roleChaining) {
    throw new ConfigurationError(
      'input "session-tags" needs "role-chaining": with an OIDC token, STS takes tags out of the token alone',
    );
  }
  if (inputs.roleChaining && inputs.roleToAssume === undefined) {
    throw new ConfigurationError('input "role-chaining" needs "role-to-assume"');
  }
  const credentials = chooseCredentials(
    {
      role: roleOf(inputs, location.region, environment),
      audience: inputs.audience,
      isChained: inputs.roleChaining,
      sessionTags: inputs.sessionTags,
    },
    environment,
    log,
  );
  const max = inputs.concurrency ?? MAX_CONCURRENCY;
  const concurrency = createAdaptiveConcurrency({ initial: max, max });
  const url = inputs.url === undefined ? objectUrl(location, `${prefix}index.html`) : previewUrl(inputs.url, preview);
  return {
    location,
    prefix,
    preview,
    url,
    credentials,
    client: createS3Client({ location, credentials, concurrency, log }),
  };
}

/** Fails when the credentials are of an account that `allowed-account-ids` does not name. */
export async function checkAccount(
  inputs: InputsOf<typeof contract>,
  { location, credentials }: Target,
  { environment, log }: ActionContext,
): Promise<void> {
  const endpoint = stsEndpoint(location.region, inputs.stsEndpoint, environment);
  await guardAccount(
    { allowed: inputs.allowedAccountIds ?? [], isMasked: inputs.maskAccountId },
    inputs.roleToAssume,
    () => callerAccount({ endpoint, region: location.region, credentials, log }),
    log,
  );
}

function roleOf(inputs: InputsOf<typeof contract>, region: string, environment: ActionContext['environment']) {
  if (inputs.roleToAssume === undefined) return undefined;
  return {
    roleArn: inputs.roleToAssume,
    sessionName: inputs.roleSessionName,
    durationSeconds: inputs.roleDurationSeconds,
    endpoint: stsEndpoint(region, inputs.stsEndpoint, environment),
    region,
  };
}
