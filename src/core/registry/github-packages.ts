import { setTimeout as sleep } from 'node:timers/promises';
import { type Answer, request } from '../net/request.ts';
import { parseRetryAfter } from '../net/retry.ts';
import { ConfigurationError } from '../runner/errors.ts';
import { fieldOf, type RunnerEvent } from '../runner/event.ts';
import type { Log } from '../runner/log.ts';
import { isDigest } from './reference.ts';
import type { PackageVersion } from './retention-plan.ts';

/** The versions of one container package of GitHub's. */
export interface GithubPackage {
  /** Newest first, as GitHub has them; undefined when there is no such package, or the token may not see it. */
  listVersions(): Promise<readonly PackageVersion[] | undefined>;
  /** False for a version that GitHub will not delete, which is said in the log. One that is gone is deleted. */
  deleteVersion(version: PackageVersion): Promise<boolean>;
}

const PER_PAGE = 100;
const MAX_PAGES = 200;
/** Milliseconds that a rate limit is waited for: GitHub's secondary ones last a minute, the hour's does not come again. */
const LONGEST_LIMIT = 180_000;

/**
 * GitHub's REST API, "Packages". `owner` and `name` are those of the image: `acme` and `app/worker`.
 *
 * All throw ConfigurationError for a missing permission or role, and for a rate limit that lasts longer than three minutes.
 */
export async function openGithubPackage(options: {
  readonly owner: string;
  readonly name: string;
  readonly event: Pick<RunnerEvent, 'apiUrl'>;
  readonly token: string;
  readonly log: Log;
}): Promise<GithubPackage> {
  const { owner, name, event, log } = options;
  const call = (path: string, method: 'GET' | 'DELETE' = 'GET'): Promise<Answer> =>
    sendWithinLimits(`${event.apiUrl}${path}`, method, options.token, log);
  const kind = await ownerKind(call, owner);
  const home = `/${kind}/${encodeURIComponent(owner)}/packages/container/${encodeURIComponent(name)}/versions`;

  return {
    async listVersions() {
      const versions: PackageVersion[] = [];
      for (let page = 1; page <= MAX_PAGES; page += 1) {
        const answer = await call(`${home}?per_page=${PER_PAGE}&page=${page}`);
        if (answer.status === 404) return undefined;
        if (answer.status !== 200) throw refused(answer, `the versions of ${owner}/${name} were read`);
        const list: unknown = JSON.parse(answer.body.toString('utf8'));
        if (!Array.isArray(list)) throw new Error(`GitHub answered with versions of ${owner}/${name} that are no list`);
        versions.push(...list.map(readVersion));
        if (list.length < PER_PAGE) return versions;
      }
      throw new Error(`${owner}/${name} has more than ${MAX_PAGES * PER_PAGE} versions`);
    },
    async deleteVersion({ id, digest }) {
      const answer = await call(`${home}/${id}`, 'DELETE');
      if (answer.status === 204 || answer.status === 404) return true;
      // Popular versions, and the last tagged one of a package.
      if (answer.status !== 400) throw refused(answer, `${owner}/${name}@${digest} was deleted`);
      log.warning(`${owner}/${name}@${digest} stays: ${messageOf(answer)}`);
      return false;
    },
  };
}

/** Organizations and users have their packages under different paths. */
async function ownerKind(call: (path: string) => Promise<Answer>, owner: string): Promise<'orgs' | 'users'> {
  const answer = await call(`/users/${encodeURIComponent(owner)}`);
  if (answer.status !== 200) throw refused(answer, `the owner ${owner} was looked up`);
  return fieldOf(JSON.parse(answer.body.toString('utf8')), 'type') === 'Organization' ? 'orgs' : 'users';
}

/** One request; a rate limit, which GitHub tells with 403 as well as 429, is waited for. */
async function sendWithinLimits(url: string, method: 'GET' | 'DELETE', token: string, log: Log): Promise<Answer> {
  const headers = {
    accept: 'application/vnd.github+json',
    'x-github-api-version': '2022-11-28',
    ...(token === '' ? {} : { authorization: `Bearer ${token}` }),
  };
  for (let waited = 0; ; ) {
    const answer = await request({ url, method, headers, log });
    const pause = limitOf(answer, Date.now());
    if (pause === undefined) return answer;
    if (waited + pause > LONGEST_LIMIT) {
      throw new ConfigurationError(
        `GitHub's rate limit lasts another ${Math.ceil(pause / 1000)} s: ${messageOf(answer)}; run again later, it goes on where it stopped`,
      );
    }
    log.info(`GitHub's rate limit: waiting ${Math.ceil(pause / 1000)} s`);
    await sleep(pause);
    waited += pause;
  }
}

/** Milliseconds until the end of a rate limit; undefined for an answer that is none. Source: GitHub, "Rate limits for the REST API". */
function limitOf({ status, headers }: Answer, now: number): number | undefined {
  if (status !== 403 && status !== 429) return undefined;
  const after = parseRetryAfter(headers['retry-after'], now);
  if (after !== undefined) return Math.max(after, 1000);
  if (headers['x-ratelimit-remaining'] !== '0') return undefined;
  return Math.max(1000, Number(headers['x-ratelimit-reset'] ?? 0) * 1000 - now);
}

function readVersion(entry: unknown): PackageVersion {
  const [id, digest] = [fieldOf(entry, 'id'), fieldOf(entry, 'name')];
  const tags = fieldOf(entry, 'metadata', 'container', 'tags');
  const created = Date.parse(String(fieldOf(entry, 'created_at')));
  // A version that is not understood must not look like one without tags, which could be deleted.
  if (
    typeof id !== 'number' ||
    typeof digest !== 'string' ||
    !isDigest(digest) ||
    !Array.isArray(tags) ||
    Number.isNaN(created)
  )
    throw new Error(
      `GitHub answered with a package version that is not understood: ${JSON.stringify(entry)?.slice(0, 300)}`,
    );
  return { id, digest, created, tags: tags.map(String) };
}

function refused(answer: Answer, what: string): Error {
  const where = `GitHub answered ${answer.status} (${messageOf(answer)}) when ${what}`;
  if (![401, 403, 404].includes(answer.status)) return new Error(where);
  return new ConfigurationError(
    `${where}: "retain" needs "permissions: { packages: write }" and, to delete, the role Admin of this repository under "Manage Actions access" in the package's settings`,
  );
}

function messageOf({ body }: Answer): string {
  const text = body.toString('utf8').slice(0, 2000);
  try {
    const message = fieldOf(JSON.parse(text), 'message');
    if (typeof message === 'string') return message.replace(/\s+/g, ' ').slice(0, 300);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  return text.replace(/\s+/g, ' ').slice(0, 300);
}
