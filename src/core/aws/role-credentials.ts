import { ConfigurationError } from '../runner/errors.ts';
import type { Log } from '../runner/log.ts';
import type { Credentials } from './credentials.ts';
import { parseXml, textAt } from './xml.ts';

/** Reads the credentials out of an answer of STS, and masks them before it returns. `result` names the element. */
export function readRoleCredentials(source: string, result: string, log: Log): Credentials {
  const document = parseXml(source);
  const at = (name: string): string => {
    const text = textAt(document, result, 'Credentials', name) ?? '';
    if (text === '') throw new Error(`STS answered without ${name}`);
    return text;
  };
  const secretAccessKey = at('SecretAccessKey');
  log.mask(secretAccessKey);
  const sessionToken = at('SessionToken');
  log.mask(sessionToken);
  const accessKeyId = at('AccessKeyId');
  log.mask(accessKeyId);
  const expiration = Date.parse(at('Expiration'));
  if (Number.isNaN(expiration)) throw new Error('STS answered with an expiration that is no date');
  return { accessKeyId, secretAccessKey, sessionToken, expiration };
}

/** A role's ARN. Throws ConfigurationError for a bare name: only its account makes it one role. */
export function parseRoleArn(text: string): string {
  if (/^arn:aws[a-z-]*:iam::(\d{12}|[A-Za-z][\w$]*|):role\/[\w+=,.@/-]{1,512}$/.test(text)) return text;
  throw new ConfigurationError(
    `${JSON.stringify(text)} is no ARN of a role; write it whole, such as arn:aws:iam::123456789012:role/site-deploy`,
  );
}

/** A session's name as STS takes it. Throws ConfigurationError. */
export function parseSessionName(text: string): string {
  if (/^[\w+=,.@-]{2,64}$/.test(text)) return text;
  throw new ConfigurationError(`${JSON.stringify(text)} is no session name: 2 to 64 letters, digits and _+=,.@-`);
}
