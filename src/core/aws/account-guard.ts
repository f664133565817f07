import { ConfigurationError } from '../runner/errors.ts';
import type { Log } from '../runner/log.ts';

export interface AccountRules {
  /** Empty: any account will do. */
  readonly allowed: readonly string[];
  readonly isMasked: boolean;
}

/**
 * Checks that what follows happens in an account that is allowed, and masks its number if that is wished.
 *
 * The account stands in the role's ARN, which costs nothing; for other credentials `askSts` tells it. Nothing is asked
 * where nobody wants to know. Throws ConfigurationError.
 */
export async function guardAccount(
  rules: AccountRules,
  roleArn: string | undefined,
  askSts: () => Promise<string>,
  log: Log,
): Promise<void> {
  if (rules.allowed.length === 0 && !rules.isMasked) return;
  const account = /^arn:[^:]+:iam::(\d{12}):/.exec(roleArn ?? '')?.[1] ?? (await askSts());
  if (rules.isMasked) log.mask(account);
  if (rules.allowed.length > 0 && !rules.allowed.includes(account)) {
    throw new ConfigurationError(
      `input "allowed-account-ids": the credentials belong to account ${account}, which is none of ${rules.allowed.join(', ')}; use credentials of one of these, or add it`,
    );
  }
}

/** Numbers of accounts, 12 digits each. Throws ConfigurationError. */
export function parseAccountIds(text: string): readonly string[] {
  const ids = text.split(/[\s,]+/).filter((id) => id !== '');
  const wrong = ids.find((id) => !/^\d{12}$/.test(id));
  if (wrong === undefined) return ids;
  throw new ConfigurationError(`${JSON.stringify(wrong)} is no account's number: it has 12 digits; quote it in YAML`);
}
