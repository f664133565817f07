import { GithubRefusal } from './github-refusal.ts';
import { type Answer, jsonAnswer, type ReceivedRequest } from './listening-server.ts';

export interface Commit {
  readonly sha: string;
  /** ISO 8601, of the committer; 2026-01-02T03:04:05Z. */
  readonly date?: string;
  readonly message?: string;
}

export interface Repository {
  /** `owner/name`. */
  readonly fullName: string;
  readonly description?: string;
  readonly defaultBranch?: string;
  readonly isPrivate?: boolean;
  /** SPDX identifier; none when absent. */
  readonly license?: string;
  readonly topics?: readonly string[];
  readonly htmlUrl?: string;
  readonly commits?: readonly Commit[];
  /** Branch names and the commits they point at. */
  readonly branches?: Readonly<Record<string, string>>;
  /** Tag names and the commits they point at. */
  readonly tags?: Readonly<Record<string, string>>;
}

/** `GET /repos/{owner}/{repo}` and what is below it; `encodedRest` is the path after that. */
export function repositoryAnswer({ method }: ReceivedRequest, repository: Repository, encodedRest: string): Answer {
  // Clients encode the slashes of a ref or leave them; both are found.
  const rest = decodeURIComponent(encodedRest);
  if (method !== 'GET') throw new GithubRefusal(404, 'Not Found');
  if (rest === '') return jsonAnswer(repositoryBody(repository));
  const commit = /^\/commits\/(.+)$/.exec(rest)?.[1];
  if (commit !== undefined) return jsonAnswer(commitBody(repository, commit));
  const prefix = /^\/git\/matching-refs\/tags(?:\/(.*))?$/.exec(rest);
  if (prefix !== null) return jsonAnswer(matchingTags(repository, prefix[1] ?? ''));
  throw new GithubRefusal(404, 'Not Found');
}

function repositoryBody(repository: Repository): object {
  const { fullName, license } = repository;
  const [owner = '', name = ''] = fullName.split('/');
  return {
    id: 74,
    name,
    full_name: fullName,
    owner: { login: owner, type: 'Organization' },
    private: repository.isPrivate ?? false,
    visibility: repository.isPrivate === true ? 'private' : 'public',
    html_url: repository.htmlUrl ?? `https://github.com/${fullName}`,
    description: repository.description ?? null,
    default_branch: repository.defaultBranch ?? 'main',
    license: license === undefined ? null : { key: license.toLowerCase(), name: license, spdx_id: license },
    topics: repository.topics ?? [],
  };
}

/** A commit by its whole sha, an unambiguous beginning of it, a branch or a tag. */
function commitBody({ fullName, commits = [], branches = {}, tags = {} }: Repository, ref: string): object {
  const sha = new Map([...Object.entries(tags), ...Object.entries(branches)]).get(ref) ?? ref;
  const found = commits.filter((commit) => sha.length >= 4 && commit.sha.startsWith(sha));
  const [commit] = found;
  if (commit === undefined || found.length > 1) throw new GithubRefusal(422, `No commit found for SHA: ${ref}`);
  const person = { name: 'Octo Cat', email: 'octocat@example.com', date: commit.date ?? '2026-01-02T03:04:05Z' };
  return {
    sha: commit.sha,
    html_url: `https://github.com/${fullName}/commit/${commit.sha}`,
    commit: { message: commit.message ?? 'Commit', author: person, committer: person },
    parents: [],
  };
}

/** Sorted by name, as the API answers: `v10` comes before `v2`. */
function matchingTags({ tags = {} }: Repository, prefix: string): readonly object[] {
  return Object.entries(tags)
    .filter(([name]) => name.startsWith(prefix))
    .toSorted(([one], [other]) => (one < other ? -1 : 1))
    .map(([name, sha]) => ({ ref: `refs/tags/${name}`, object: { type: 'commit', sha } }));
}
