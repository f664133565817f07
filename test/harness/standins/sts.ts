import { randomUUID } from 'node:crypto';
import { type Answer, listen, type Standin } from './listening-server.ts';
import { type RoleTrust, requireTrust, verifyWebIdentity } from './web-identity.ts';
import { AwsError, awsErrorAnswer, type XmlNode, xmlAnswer } from './xml-answer.ts';

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
  /** Who may call by key: AssumeRole for every role, and GetCallerIdentity. */
  readonly callers?: readonly { readonly accessKeyId: string; readonly account: string }[];
  /** Seconds after which sessions end whatever was asked for, to see them renewed. */
  readonly sessionsEndAfter?: number;
}

export interface Session {
  readonly roleArn: string;
  readonly sessionName: string;
  /** Of the token; the access key that called, for a chained session. */
  readonly subject: string;
  readonly tags: Readonly<Record<string, string>>;
  /** Seconds. */
  readonly duration: number;
}

/**
 * AWS's Security Token Service for an S3 server that has none: AssumeRoleWithWebIdentity, with the token really verified;
 * AssumeRole and GetCallerIdentity for known keys, whose signatures are not.
 */
export interface Sts extends Standin {
  readonly sessions: readonly Session[];
}

const NAMESPACE = 'https://sts.amazonaws.com/doc/2011-06-15/';
const DEFAULT_DURATION = 3600;
/** The longest session that AssumeRole gives to a role's own session. */
const CHAINED_DURATION = 3600;

export async function startSts(options: StsOptions): Promise<Sts> {
  const sessions: Session[] = [];

  async function assumeRoleWithWebIdentity(form: URLSearchParams, requestId: string): Promise<Answer> {
    const token = required(form, 'WebIdentityToken', 'webIdentityToken');
    const identity = await verifyWebIdentity(token, options.issuer);
    const { roleArn, sessionName } = wantedSession(form);
    const role = requireTrust(
      identity,
      options.roles.find(({ arn }) => arn === roleArn),
    );
    const session = { roleArn, sessionName, subject: identity.subject, tags: {} };
    return grant('AssumeRoleWithWebIdentity', session, form, role.maxSessionDuration ?? 3600, requestId, [
      ['Audience', identity.audience],
      ['Provider', identity.issuer.replace(/^https?:\/\//, '')],
      ['SubjectFromWebIdentityToken', identity.subject],
    ]);
  }

  function assumeRole(form: URLSearchParams, caller: Caller, requestId: string): Answer {
    const session = { ...wantedSession(form), subject: caller.accessKeyId, tags: tagsOf(form) };
    if (!options.roles.some(({ arn }) => arn === session.roleArn)) {
      const message = `User: ${caller.accessKeyId} is not authorized to perform: sts:AssumeRole on resource: ${session.roleArn}`;
      throw new AwsError(403, 'AccessDenied', message);
    }
    return grant('AssumeRole', session, form, CHAINED_DURATION, requestId, []);
  }

  function grant(
    action: string,
    session: Omit<Session, 'duration'>,
    form: URLSearchParams,
    longest: number,
    requestId: string,
    more: readonly XmlNode[],
  ): Answer {
    const { roleArn, sessionName } = session;
    const duration = Number(form.get('DurationSeconds') ?? DEFAULT_DURATION);
    if (!Number.isInteger(duration) || duration < 900) {
      throw validation(
        `Value '${duration}' at 'durationSeconds' failed to satisfy constraint: Member must have value greater than or equal to 900`,
      );
    }
    if (duration > longest) {
      throw new AwsError(
        400,
        'ValidationError',
        'The requested DurationSeconds exceeds the MaxSessionDuration set for this role.',
      );
    }
    sessions.push({ ...session, duration });
    const { accessKeyId, secretAccessKey, sessionToken } = options.credentials;
    const end = new Date(Date.now() + (options.sessionsEndAfter ?? duration) * 1000);
    const arn = `${roleArn.replace(':iam:', ':sts:').replace(':role/', ':assumed-role/')}/${sessionName}`;
    const result: XmlNode[] = [
      [
        'AssumedRoleUser',
        [
          ['AssumedRoleId', `AROASTANDIN:${sessionName}`],
          ['Arn', arn],
        ],
      ],
      [
        'Credentials',
        [
          ['AccessKeyId', accessKeyId],
          ['SecretAccessKey', secretAccessKey],
          ['SessionToken', sessionToken],
          ['Expiration', end.toISOString().replace(/\.\d+Z$/, 'Z')],
        ],
      ],
      ...more,
    ];
    return answerOf(action, result, requestId);
  }

  function callerOf(authorization: string | undefined): Caller {
    const [, key] =
      /^AWS4-HMAC-SHA256 Credential=([^/,]+)\/\d{8}\/[^/]+\/sts\/aws4_request,/.exec(authorization ?? '') ?? [];
    const caller = options.callers?.find(({ accessKeyId }) => accessKeyId === key);
    if (caller === undefined) {
      throw new AwsError(403, 'InvalidClientTokenId', 'The security token included in the request is invalid.');
    }
    return caller;
  }

  async function answer(form: URLSearchParams, authorization: string | undefined, requestId: string): Promise<Answer> {
    const action = form.get('Action') ?? '';
    switch (action) {
      case 'AssumeRoleWithWebIdentity':
        return assumeRoleWithWebIdentity(form, requestId);
      case 'AssumeRole':
        return assumeRole(form, callerOf(authorization), requestId);
      case 'GetCallerIdentity':
        return answerOf(action, [['Account', callerOf(authorization).account]], requestId);
      default:
        throw new AwsError(
          400,
          'InvalidAction',
          `Could not find operation ${action} for version ${form.get('Version')}`,
        );
    }
  }

  const server = await listen(
    async (request) => {
      const requestId = randomUUID();
      try {
        if (request.method !== 'POST') throw new AwsError(400, 'InvalidAction', 'only POST is spoken here');
        return await answer(
          new URLSearchParams((await request.body()).toString()),
          request.headers.authorization,
          requestId,
        );
      } catch (error) {
        if (error instanceof AwsError) return awsErrorAnswer(error, NAMESPACE, requestId);
        throw error;
      }
    },
    options.port === undefined ? {} : { port: options.port },
  );
  return { ...server, sessions };
}

type Caller = NonNullable<StsOptions['callers']>[number];

function answerOf(action: string, result: readonly XmlNode[], requestId: string): Answer {
  const response: XmlNode = [
    `${action}Response`,
    [
      [`${action}Result`, result],
      ['ResponseMetadata', [['RequestId', requestId]]],
    ],
  ];
  return xmlAnswer(200, response, NAMESPACE, { 'x-amzn-requestid': requestId });
}

function wantedSession(form: URLSearchParams): { readonly roleArn: string; readonly sessionName: string } {
  return {
    roleArn: required(form, 'RoleArn', 'roleArn'),
    sessionName: required(form, 'RoleSessionName', 'roleSessionName', /^[\w+=,.@-]{2,64}$/),
  };
}

function tagsOf(form: URLSearchParams): Readonly<Record<string, string>> {
  const tags: [string, string][] = [];
  for (let number = 1; form.has(`Tags.member.${number}.Key`); number += 1) {
    tags.push([form.get(`Tags.member.${number}.Key`) ?? '', form.get(`Tags.member.${number}.Value`) ?? '']);
  }
  return Object.fromEntries(tags);
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
