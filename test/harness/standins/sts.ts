import { randomUUID } from 'node:crypto';
import { type Answer, listen, type Standin } from './listening-server.ts';
import { type RoleTrust, requireTrust, verifyWebIdentity } from './web-identity.ts';
import { AwsError, awsErrorAnswer, xmlAnswer } from './xml-answer.ts';

export interface StsOptions {
  readonly port?: number;
  /** The one OIDC provider of the account: the `iss` of its tokens, from where the keys are fetched too. */
  readonly issuer: string;
  readonly roles: readonly RoleTrust[];
  /** What every role's session gets: credentials that the S3 server beside it knows. */
  readonly credentials: {
    readonly accessKeyId: string;
    readonly secretAccessKey: string;
    readonly sessionToken: string;
  };
}

export interface Session {
  readonly roleArn: string;
  readonly sessionName: string;
  readonly subject: string;
  /** Seconds. */
  readonly duration: number;
}

/** AWS's Security Token Service for an S3 server that has none: AssumeRoleWithWebIdentity, with the token really verified. */
export interface Sts extends Standin {
  readonly sessions: readonly Session[];
}

const NAMESPACE = 'https://sts.amazonaws.com/doc/2011-06-15/';
const DEFAULT_DURATION = 3600;

export async function startSts(options: StsOptions): Promise<Sts> {
  const sessions: Session[] = [];

  async function assumeRole(form: URLSearchParams, requestId: string): Promise<Answer> {
    if (form.get('Action') !== 'AssumeRoleWithWebIdentity') {
      const action = form.get('Action') ?? '';
      throw new AwsError(400, 'InvalidAction', `Could not find operation ${action} for version ${form.get('Version')}`);
    }
    const token = required(form, 'WebIdentityToken', 'webIdentityToken');
    const roleArn = required(form, 'RoleArn', 'roleArn');
    const sessionName = required(form, 'RoleSessionName', 'roleSessionName', /^[\w+=,.@-]{2,64}$/);
    const duration = Number(form.get('DurationSeconds') ?? DEFAULT_DURATION);
    const identity = await verifyWebIdentity(token, options.issuer);
    const role = requireTrust(
      identity,
      options.roles.find(({ arn }) => arn === roleArn),
    );
    if (!Number.isInteger(duration) || duration < 900) {
      throw validation(
        `Value '${duration}' at 'durationSeconds' failed to satisfy constraint: Member must have value greater than or equal to 900`,
      );
    }
    if (duration > (role.maxSessionDuration ?? 3600)) {
      throw new AwsError(
        400,
        'ValidationError',
        'The requested DurationSeconds exceeds the MaxSessionDuration set for this role.',
      );
    }
    sessions.push({ roleArn, sessionName, subject: identity.subject, duration });
    const { accessKeyId, secretAccessKey, sessionToken } = options.credentials;
    const expiration = new Date(Date.now() + duration * 1000).toISOString().replace(/\.\d+Z$/, 'Z');
    const arn = `${roleArn.replace(':iam:', ':sts:').replace(':role/', ':assumed-role/')}/${sessionName}`;
    return xmlAnswer(
      200,
      [
        'AssumeRoleWithWebIdentityResponse',
        [
          [
            'AssumeRoleWithWebIdentityResult',
            [
              ['Audience', identity.audience],
              [
                'AssumedRoleUser',
                [
                  ['AssumedRoleId', `AROASTANDIN:${sessionName}`],
                  ['Arn', arn],
                ],
              ],
              ['Provider', identity.issuer.replace(/^https?:\/\//, '')],
              [
                'Credentials',
                [
                  ['AccessKeyId', accessKeyId],
                  ['SecretAccessKey', secretAccessKey],
                  ['SessionToken', sessionToken],
                  ['Expiration', expiration],
                ],
              ],
              ['SubjectFromWebIdentityToken', identity.subject],
            ],
          ],
          ['ResponseMetadata', [['RequestId', requestId]]],
        ],
      ],
      NAMESPACE,
      { 'x-amzn-requestid': requestId },
    );
  }

  const server = await listen(
    async (request) => {
      const requestId = randomUUID();
      try {
        if (request.method !== 'POST') throw new AwsError(400, 'InvalidAction', 'only POST is spoken here');
        return await assumeRole(new URLSearchParams((await request.body()).toString()), requestId);
      } catch (error) {
        if (error instanceof AwsError) return awsErrorAnswer(error, NAMESPACE, requestId);
        throw error;
      }
    },
    options.port === undefined ? {} : { port: options.port },
  );
  return { ...server, sessions };
}

function required(form: URLSearchParams, name: string, member: string, pattern = /./s): string {
  const value = form.get(name);
  if (value === null)
    throw validation(`Value null at '${member}' failed to satisfy constraint: Member must not be null`);
  if (!pattern.test(value)) {
    throw validation(
      `Value '${value}' at '${member}' failed to satisfy constraint: Member must satisfy regular expression pattern: ${pattern.source}`,
    );
  }
  return value;
}

function validation(message: string): AwsError {
  return new AwsError(400, 'ValidationError', `1 validation error detected: ${message}`);
}
