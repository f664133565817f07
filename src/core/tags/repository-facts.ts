import type { Answer } from '../net/request.ts';
import type { RetryPolicy } from '../net/retry.ts';
import { messagesOf } from '../runner/errors.ts';
import { fieldOf, isRecord, type RunnerEvent } from '../runner/event.ts';
import type { Log } from '../runner/log.ts';
import type { RepositoryFacts } from './facts.ts';

/** Asks GitHub's REST API; undefined when there is no useful answer, which has then been said in the log. */
export type AskApi = (path: string, forWhat: string) => Promise<unknown>;

/** What the API knows is seldom worth a longer wait: without a network two retries end within 2 s. */
const TIMEOUT = 10_000;
const DEADLINE = 45_000;
const RETRY: RetryPolicy = { attempts: 3, firstPause: 500, longestPause: 5_000 };

/** Asks the API of the run's server, with the token when there is one. */
export function createApi(event: RunnerEvent, token: string | undefined, log: Log): AskApi {
  return async (path, forWhat) => {
    const without = (reason: string): undefined => {
      log.warning(`GitHub's API gave no ${forWhat} (${reason}); going on without`);
    };
    let answer: Answer;
    try {
      // Most events tell all that is needed: the HTTP client (13 ms to load) is imported for the others alone.
      const { request } = await import('../net/request.ts');
      answer = await request({
        url: `${event.apiUrl}/repos/${event.repository}${path}`,
        headers: {
          accept: 'application/vnd.github+json',
          'x-github-api-version': '2022-11-28',
          ...(token === undefined || token === '' ? {} : { authorization: `Bearer ${token}` }),
        },
        timeout: TIMEOUT,
        deadline: DEADLINE,
        retry: RETRY,
        log,
      });
    } catch (cause) {
      return without(messagesOf(cause).join(': '));
    }
    if (answer.status !== 200)
      return without(
        `status ${answer.status}${answer.status === 401 || answer.status === 403 ? '; "github-token" needs contents: read' : ''}`,
      );
    try {
      return JSON.parse(answer.body.toString('utf8'));
    } catch {
      return without('an answer that is no JSON');
    }
  };
}

/** What the event's payload says of the repository; fields it does not hold are undefined. */
export function repositoryOfPayload(event: RunnerEvent): RepositoryFacts {
  return readRepository(event.payload['repository'], event);
}

/** Asks the API for the repository. What it does not answer stays as the payload told it. */
export async function repositoryOfApi(event: RunnerEvent, ask: AskApi): Promise<RepositoryFacts> {
  const answer = await ask('', 'description, licence and default branch of the repository');
  const [known, told] = [readRepository(answer, event), repositoryOfPayload(event)];
  return {
    name: known.name ?? told.name,
    description: known.description ?? told.description,
    url: known.url ?? told.url,
    license: known.license ?? told.license,
    defaultBranch: known.defaultBranch ?? told.defaultBranch,
  };
}

function readRepository(value: unknown, event: RunnerEvent): RepositoryFacts {
  const textOf = (...path: readonly string[]): string | undefined => {
    const found = fieldOf(value, ...path);
    return typeof found === 'string' ? found : undefined;
  };
  // `null` says that the repository has none; a missing field says nothing.
  const isTold = (field: string): boolean => isRecord(value) && Object.hasOwn(value, field);
  const [, name] = event.repository.split('/');
  return {
    name: textOf('name') ?? (name || undefined),
    description: textOf('description') ?? (isTold('description') ? '' : undefined),
    url: textOf('html_url') ?? (event.repository === '' ? undefined : `${event.serverUrl}/${event.repository}`),
    license: textOf('license', 'spdx_id') ?? (isTold('license') ? '' : undefined),
    defaultBranch: textOf('default_branch'),
  };
}

/** The repository's git tags by the API, which gives all of them in one answer; undefined when it gave none. */
export async function gitTagsOfApi(ask: AskApi): Promise<readonly string[] | undefined> {
  const answer = await ask('/git/matching-refs/tags/', 'list of git tags, by which "latest" is guarded');
  if (!Array.isArray(answer)) return undefined;
  return answer
    .map((entry: unknown) => fieldOf(entry, 'ref'))
    .filter((ref) => typeof ref === 'string')
    .map((ref) => ref.replace(/^refs\/tags\//, ''));
}

/** When a commit was made, by the event's payload: pushes and merge groups carry theirs. */
export function commitDateOfPayload(event: RunnerEvent, sha: string): Date | undefined {
  const { commits, head_commit: head } = event.payload;
  const queued = fieldOf(event.payload, 'merge_group', 'head_commit');
  const all: readonly unknown[] = [...(Array.isArray(commits) ? commits : []), head, queued];
  return all
    .map((commit) => (fieldOf(commit, 'id') === sha ? dateOf(fieldOf(commit, 'timestamp')) : undefined))
    .find((date) => date !== undefined);
}

/** When a commit was made, by the API. */
export async function commitDateOfApi(sha: string, ask: AskApi): Promise<Date | undefined> {
  return dateOf(
    fieldOf(await ask(`/commits/${encodeURIComponent(sha)}`, 'date of the commit'), 'commit', 'committer', 'date'),
  );
}

/** An ISO 8601 date, if the value is one. */
export function dateOf(value: unknown): Date | undefined {
  if (typeof value !== 'string') return undefined;
  const date = new Date(value);
  return Number.isNaN(date.getTime()) ? undefined : date;
}
