import { createHash } from 'node:crypto';
import { createAdaptiveConcurrency } from '../../src/core/aws/adaptive-concurrency.ts';
import { sendSigned } from '../../src/core/aws/signed-request.ts';
import type { S3Server } from './site-bucket.ts';

/** A call of the gateway's IAM API, by a user who may manage roles and identity providers. */
export async function callIam(server: S3Server, parameters: Readonly<Record<string, string>>): Promise<string> {
  const body = new URLSearchParams({ Version: '2010-05-08', ...parameters }).toString();
  const answer = await sendSigned(
    {
      endpoint: server.endpoint,
      scope: { service: 'iam', region: 'us-east-1' },
      credentials: async () => server,
      concurrency: createAdaptiveConcurrency({ initial: 1, max: 1 }),
    },
    {
      method: 'POST',
      path: '/',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: async () => body,
      describe: parameters['Action'] ?? '',
    },
  );
  return answer.body.toString();
}

/** Makes the gateway trust an issuer of tokens; `certificate` is DER in base64. */
export async function trustIssuer(
  server: S3Server,
  { issuer, certificate }: { readonly issuer: string; readonly certificate: string },
  audience: string,
): Promise<void> {
  await callIam(server, {
    Action: 'CreateOpenIDConnectProvider',
    Url: issuer,
    'ClientIDList.member.1': audience,
    'ThumbprintList.member.1': createHash('sha1')
      .update(Buffer.from(certificate, 'base64'))
      .digest('hex')
      .toUpperCase(),
  });
}

/** Makes a role with a trust policy, which may do everything in one bucket; returns its ARN. */
export async function createRole(server: S3Server, name: string, trust: object, bucket: string): Promise<string> {
  const statement = (more: object) =>
    JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: 'Allow', ...more }] });
  const answer = await callIam(server, {
    Action: 'CreateRole',
    RoleName: name,
    Path: '/',
    AssumeRolePolicyDocument: statement(trust),
  });
  await callIam(server, {
    Action: 'PutRolePolicy',
    RoleName: name,
    PolicyName: 'site',
    PolicyDocument: statement({ Action: 's3:*', Resource: [`arn:aws:s3:::${bucket}`, `arn:aws:s3:::${bucket}/*`] }),
  });
  const arn = /<Arn>([^<]+)<\/Arn>/.exec(answer)?.[1];
  if (arn === undefined) throw new Error(`the gateway made a role without an ARN: ${answer}`);
  return arn;
}
