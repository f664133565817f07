import type { TokenClaims } from '../oidc/identity-token.ts';

/**
 * What a person needs in order to mend a refused AssumeRoleWithWebIdentity: the claims that were sent, and the
 * statement of a trust policy that would have let them through.
 *
 * STS never says which condition failed, so all that can differ is printed. Claims are public; the token is not.
 */
export function explainRefusedToken(roleArn: string, claims: TokenClaims | undefined, partition: string): string {
  if (claims === undefined) return 'The token sent is no JWT.';
  const issuer = claims.issuer.replace(/^https?:\/\//, '');
  const account = /^arn:[^:]+:iam::(\d{12}):/.exec(roleArn)?.[1] ?? 'ACCOUNT';
  const statement = {
    Effect: 'Allow',
    Principal: { Federated: `arn:${partition}:iam::${account}:oidc-provider/${issuer}` },
    Action: 'sts:AssumeRoleWithWebIdentity',
    Condition: { StringEquals: { [`${issuer}:aud`]: claims.audience, [`${issuer}:sub`]: claims.subject } },
  };
  return [
    'The token says:',
    `  sub: ${claims.subject}`,
    `  aud: ${claims.audience}`,
    `  iss: ${claims.issuer}`,
    `The role's trust policy needs a statement such as this, and the account an OIDC provider for ${claims.issuer} with client id ${claims.audience}:`,
    `  ${JSON.stringify(statement)}`,
    subjectHint(claims.subject),
  ].join('\n');
}

/**
 * Repositories that were created, renamed or transferred since mid-2026 send their ids in `sub`
 * (GitHub changelog, 23 April 2026): older policies no longer match them.
 */
function subjectHint(subject: string): string {
  const match = /^repo:([^/@:]+)(?:@(\d+))?\/([^/@:]+)(?:@(\d+))?:(.*)$/.exec(subject);
  if (match === null)
    return 'The subject has a form of its own: compare it with the policy letter by letter; it is case-sensitive.';
  const [, owner, ownerId, name, repositoryId, rest] = match;
  return ownerId === undefined || repositoryId === undefined
    ? `Policies made for a repository that was created, renamed or moved since mid-2026 hold repo:${owner}@OWNER-ID/${name}@REPOSITORY-ID:${rest}; this token has the form without ids.`
    : `This token has the form with ids that repositories created, renamed or moved since mid-2026 send; a policy with repo:${owner}/${name}:${rest} does not match it any more.`;
}
