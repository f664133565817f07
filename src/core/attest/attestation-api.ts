import { type Answer, request } from '../net/request.ts';
import { ConfigurationError } from '../runner/errors.ts';
import { fieldOf, type RunnerEvent } from '../runner/event.ts';
import type { Log } from '../runner/log.ts';
import type { SigstoreBundle } from './sign-statement.ts';

/** GitHub's store of attestations of one repository. */
export interface AttestationStore {
  /** Whether a digest has an attestation of this predicate's type. */
  has(digest: string, predicateType: string): Promise<boolean>;
  /** Keeps a bundle; the address of its page. */
  save(bundle: SigstoreBundle): Promise<string>;
}

/**
 * GitHub's REST API, "Attestations". Throws ConfigurationError when the token lacks the permission.
 */
export function createAttestationStore(
  event: Pick<RunnerEvent, 'apiUrl' | 'serverUrl' | 'repository'>,
  token: string,
  log: Log,
): AttestationStore {
  const home = `${event.apiUrl}/repos/${event.repository}/attestations`;
  const headers = {
    accept: 'application/vnd.github+json',
    'x-github-api-version': '2022-11-28',
    ...(token === '' ? {} : { authorization: `Bearer ${token}` }),
  };
  return {
    async has(digest, predicateType) {
      const query = new URLSearchParams({ predicate_type: predicateType, per_page: '1' });
      const answer = await request({ url: `${home}/${encodeURIComponent(digest)}?${query}`, headers, log });
      if (answer.status === 404) return false;
      if (answer.status !== 200) throw refused(answer, 'read', event.repository);
      const list = fieldOf(JSON.parse(answer.body.toString('utf8')), 'attestations');
      return Array.isArray(list) && list.length > 0;
    },
    async save(bundle) {
      const body = JSON.stringify({ bundle });
      const answer = await request({
        url: home,
        method: 'POST',
        headers: { ...headers, 'content-type': 'application/json' },
        body,
        log,
      });
      if (answer.status !== 201) throw refused(answer, 'kept', event.repository);
      const id = fieldOf(JSON.parse(answer.body.toString('utf8')), 'id');
      return `${event.serverUrl}/${event.repository}/attestations/${String(id)}`;
    },
  };
}

function refused(answer: Answer, what: string, repository: string): Error {
  const said = answer.body.toString('utf8').replace(/\s+/g, ' ').slice(0, 300);
  const where = `GitHub answered ${answer.status} when an attestation of ${repository} was ${what}`;
  if (![401, 403, 404].includes(answer.status)) return new Error(`${where}: ${said}`);
  return new ConfigurationError(
    `${where}: the job needs "permissions: { attestations: write, id-token: write }"; private repositories have attestations on GitHub Enterprise Cloud alone, else set "attest" to "false"`,
  );
}
