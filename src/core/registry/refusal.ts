import { ConfigurationError } from '../runner/errors.ts';
import { isRecord } from '../runner/event.ts';
import type { Access } from './access.ts';

/** An answer of a registry that is neither success nor something the user can mend at once. */
export class RegistryError extends Error {
  override readonly name = 'RegistryError';
  readonly status: number;
  /** The registry's own error code, such as `MANIFEST_UNKNOWN`; empty when it gave none. */
  readonly code: string;

  constructor(message: string, status: number, code: string) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

export interface Attempt {
  readonly registry: string;
  readonly accesses: readonly Access[];
  readonly hasCredentials: boolean;
  /** What was tried, as part of a sentence: `the manifest ghcr.io/acme/app:1 was read`. */
  readonly doing: string;
}

interface RefusedAnswer {
  readonly status: number;
  readonly body: Buffer;
}

/**
 * The error for a registry's refusal: ConfigurationError for 401, 403, 429 and a full quota, which say which permission or
 * setting is missing, RegistryError with the registry's own words for the rest.
 */
export function refusalOf(attempt: Attempt, answer: RefusedAnswer): ConfigurationError | RegistryError {
  const { code, message } = readErrors(answer.body);
  const said = [code, message].filter((part) => part !== '').join(': ');
  const where = `${attempt.registry} answered ${answer.status}${said === '' ? '' : ` (${said})`} when ${attempt.doing}`;
  if (isQuota(answer.status, said)) {
    return new ConfigurationError(
      `${where}: its storage or transfer is used up. Make room (the input "retain" deletes what is not kept), or raise the owner's spending limit.`,
    );
  }
  if (answer.status === 401 || answer.status === 403)
    return new ConfigurationError(`${where}. ${remedy(attempt, answer.status)}`);
  if (answer.status === 429) {
    return new ConfigurationError(
      `${where}: too many requests, also after waiting. ${attempt.hasCredentials ? 'Run fewer jobs at once, or run again later.' : 'Give a username and password: registries allow more to those who log in.'}`,
    );
  }
  const isMissing = answer.status === 404 && attempt.accesses.some(({ actions }) => actions === 'pull,push');
  if (isMissing && code === 'NAME_UNKNOWN') {
    return new ConfigurationError(`${where}: this registry makes no repositories by itself; create it there first.`);
  }
  return new RegistryError(where, answer.status, code);
}

/** No status is agreed on: registries answer 402, 413 and 507, and 403 with words of their own. */
function isQuota(status: number, said: string): boolean {
  if ([402, 413, 507].includes(status)) return true;
  return status === 403 && /\bquota\b|storage (?:limit|is full)|spending limit/i.test(said);
}

function remedy({ registry, accesses, hasCredentials }: Attempt, status: number): string {
  const names = accesses.map(({ name }) => `${registry}/${name}`).join(', ');
  const isPush = accesses.some(({ actions }) => actions === 'pull,push');
  if (registry === 'ghcr.io') {
    if (!hasCredentials) return `Without a password only public packages can be read: give "password" a token.`;
    const permission = `the job needs "permissions: { packages: ${isPush ? 'write' : 'read'} }"`;
    const [name = ''] = accesses.map((access) => access.name);
    return `With the default token ${permission} (a pull request of a fork never gets write), and if the package ${names} exists already, its settings must give this repository ${isPush ? 'the role Write' : 'access'} under "Manage Actions access" (package ${name.split('/').slice(1).join('/')}). A personal access token needs the scope "${isPush ? 'write' : 'read'}:packages".`;
  }
  if (!hasCredentials) return `Give "username" and "password" for ${registry}.`;
  return status === 401
    ? `The username or password for ${registry} is wrong or has expired.`
    : `This user may not ${isPush ? 'write to' : 'read'} ${names}: grant it in the registry.`;
}

/** The first entry of the `errors` list that registries answer with (OCI distribution specification 1.1, "Error Codes"). */
function readErrors(body: Buffer): { readonly code: string; readonly message: string } {
  let document: unknown;
  try {
    document = JSON.parse(body.subarray(0, 64 * 1024).toString('utf8'));
  } catch {
    // Proxies answer with HTML; the status then says all there is to say.
    return { code: '', message: '' };
  }
  const errors: unknown = isRecord(document) ? document['errors'] : undefined;
  const first: unknown = Array.isArray(errors) ? errors[0] : undefined;
  if (!isRecord(first)) return { code: '', message: '' };
  const text = (value: unknown): string =>
    typeof value === 'string' ? value.replace(/[\r\n]+/g, ' ').slice(0, 300) : '';
  return { code: text(first['code']), message: text(first['message']) };
}
