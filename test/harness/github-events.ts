/** Events as GitHub sends them: the ref and commit of the run, and a payload of the real shape, shortened in its lists. */
import type { TriggerEvent } from './runner/trigger-event.ts';

export const SHA = '860c1904a1ce19322e91ac35af1ab07466440c37';
const HEAD = 'f11cf1a1c51e3e5ba5ff3b6dc1d6c5b9fd0c7a3e';
const BEFORE = '5b3d5e2f1c6a4b0e9d8c7f6a5b4c3d2e1f0a9b8c';
const ZERO = '0'.repeat(40);
const COMMITTED = '2026-03-04T23:30:00+01:00';

const owner = {
  login: 'acme',
  id: 1001,
  node_id: 'O_kgDOAA',
  type: 'Organization',
  site_admin: false,
  html_url: 'https://github.com/acme',
};
const sender = { login: 'octocat', id: 583231, node_id: 'MDQ6VXNlcjU4MzIzMQ==', type: 'User', site_admin: false };

export const repository = {
  id: 2002,
  node_id: 'R_kgDOAB',
  name: 'app',
  full_name: 'acme/app',
  private: false,
  owner,
  html_url: 'https://github.com/acme/app',
  description: 'An app',
  fork: false,
  url: 'https://api.github.com/repos/acme/app',
  clone_url: 'https://github.com/acme/app.git',
  default_branch: 'main',
  license: { key: 'mit', name: 'MIT License', spdx_id: 'MIT', url: 'https://api.github.com/licenses/mit' },
  topics: [],
  visibility: 'public',
  archived: false,
  pushed_at: 1772663400,
};

function event(name: string, ref: string, payload: object, more: Partial<TriggerEvent> = {}): TriggerEvent {
  return {
    name,
    ref,
    sha: SHA,
    repository: 'acme/app',
    payload: { ...payload, repository, organization: owner, sender },
    ...more,
  };
}

const commit = {
  id: SHA,
  tree_id: 'c4d9a7a1f5f0c8d0f5b77a3b6e8b9a2d0e1f3c4b',
  distinct: true,
  message: 'Add a thing',
  timestamp: COMMITTED,
  url: `https://github.com/acme/app/commit/${SHA}`,
  author: { name: 'Octo Cat', email: 'octocat@example.com', username: 'octocat' },
  committer: { name: 'GitHub', email: 'noreply@github.com', username: 'web-flow' },
  added: ['thing'],
  removed: [],
  modified: [],
};

/** `push`: of a branch, or of a tag, which names the branch it was pushed from in `base_ref`. */
export function push(ref: string, more: { readonly before?: string; readonly base_ref?: string } = {}): TriggerEvent {
  const before = more.before ?? (ref.startsWith('refs/tags/') ? ZERO : BEFORE);
  return event('push', ref, {
    ref,
    before,
    after: SHA,
    base_ref: more.base_ref ?? null,
    created: before === ZERO,
    deleted: false,
    forced: false,
    compare: `https://github.com/acme/app/compare/${before.slice(0, 12)}...${SHA.slice(0, 12)}`,
    commits: ref.startsWith('refs/tags/') ? [] : [commit],
    head_commit: commit,
    pusher: { name: 'octocat', email: 'octocat@example.com' },
  });
}

/** What a pull request's events say of it. The head's repository is null once a fork is deleted. */
function pullRequest(number: number, head: 'fork' | 'deleted fork' | 'branch') {
  const fork = { ...repository, id: 3003, full_name: 'octocat/app', fork: true, owner: sender, description: 'A fork' };
  return {
    url: `https://api.github.com/repos/acme/app/pulls/${number}`,
    id: 9001,
    number,
    state: 'open',
    title: 'Add a thing',
    user: sender,
    draft: false,
    merged: false,
    mergeable: null,
    merge_commit_sha: SHA,
    head: {
      label: `${head === 'branch' ? 'acme' : 'octocat'}:feature/login`,
      ref: 'feature/login',
      sha: HEAD,
      repo: head === 'fork' ? fork : head === 'branch' ? repository : null,
      user: sender,
    },
    base: { label: 'acme:main', ref: 'main', sha: BEFORE, repo: repository, user: owner },
    labels: [],
    author_association: 'CONTRIBUTOR',
  };
}

export function pullRequestEvent(
  name: 'pull_request' | 'pull_request_target',
  number: number,
  head: 'fork' | 'deleted fork' | 'branch' = 'branch',
): TriggerEvent {
  const ref = name === 'pull_request' ? `refs/pull/${number}/merge` : 'refs/heads/main';
  const payload = {
    action: 'synchronize',
    number,
    pull_request: pullRequest(number, head),
    before: BEFORE,
    after: HEAD,
  };
  return event(name, ref, payload, { baseRef: 'main', headRef: 'feature/login' });
}

export function mergeGroup(number: number, base = 'main'): TriggerEvent {
  const ref = `refs/heads/gh-readonly-queue/${base}/pr-${number}-${BEFORE}`;
  return event('merge_group', ref, {
    action: 'checks_requested',
    merge_group: {
      head_sha: SHA,
      head_ref: ref,
      base_sha: BEFORE,
      base_ref: `refs/heads/${base}`,
      head_commit: { id: SHA, tree_id: commit.tree_id, message: commit.message, timestamp: COMMITTED },
    },
  });
}

export function schedule(): TriggerEvent {
  return event('schedule', 'refs/heads/main', { schedule: '30 5 * * 1', workflow: '.github/workflows/ci.yml' });
}

export function workflowDispatch(ref: string): TriggerEvent {
  return event('workflow_dispatch', ref, { ref, inputs: null, workflow: '.github/workflows/ci.yml' });
}

/** Runs on the default branch whatever branch or fork the finished run was for. */
export function workflowRun(): TriggerEvent {
  return event('workflow_run', 'refs/heads/main', {
    action: 'completed',
    workflow_run: {
      id: 77,
      name: 'CI',
      head_branch: 'feature/login',
      head_sha: HEAD,
      event: 'pull_request',
      status: 'completed',
      conclusion: 'success',
      pull_requests: [],
      head_repository: { full_name: 'octocat/app', fork: true },
    },
    workflow: { id: 5, name: 'CI', path: '.github/workflows/ci.yml', state: 'active' },
  });
}

export function release(tag: string, isPrerelease = false): TriggerEvent {
  return event('release', `refs/tags/${tag}`, {
    action: 'published',
    release: {
      id: 11,
      tag_name: tag,
      target_commitish: 'main',
      name: tag,
      draft: false,
      prerelease: isPrerelease,
      created_at: '2026-03-04T22:30:00Z',
      published_at: '2026-03-04T22:40:00Z',
      author: sender,
      assets: [],
      body: '',
    },
  });
}

/** `create`: of a branch or tag, in its short form; not of the first commit's branch. */
export function create(refType: 'branch' | 'tag', name: string): TriggerEvent {
  return event('create', `refs/${refType === 'tag' ? 'tags' : 'heads'}/${name}`, {
    ref: name,
    ref_type: refType,
    master_branch: 'main',
    description: 'An app',
    pusher_type: 'user',
  });
}

export function issueOpened(): TriggerEvent {
  return event('issues', 'refs/heads/main', {
    action: 'opened',
    issue: { id: 21, number: 21, title: 'It fails', state: 'open', user: sender, labels: [], body: 'Help' },
  });
}

export function repositoryDispatch(): TriggerEvent {
  return event('repository_dispatch', 'refs/heads/main', {
    action: 'rebuild',
    branch: 'main',
    client_payload: { tag: 'v9.9.9' },
  });
}

/** One of each kind, by a name for tables. */
export const githubEvents: Readonly<Record<string, TriggerEvent>> = {
  'push main': push('refs/heads/main'),
  'push feature/login': push('refs/heads/feature/login'),
  'first push': push('refs/heads/main', { before: ZERO }),
  'tag v1.2.3': push('refs/tags/v1.2.3', { base_ref: 'refs/heads/main' }),
  'tag v0.4.0': push('refs/tags/v0.4.0'),
  'tag v2.0.8-beta.67': push('refs/tags/v2.0.8-beta.67'),
  'tag 1.2.3rc2': push('refs/tags/1.2.3rc2'),
  'tag 2026.1': push('refs/tags/2026.1'),
  'tag sometag': push('refs/tags/sometag'),
  'tag app/v1.0.0': push('refs/tags/app/v1.0.0'),
  pull_request: pullRequestEvent('pull_request', 12),
  'pull_request of a fork': pullRequestEvent('pull_request', 13, 'fork'),
  'pull_request of a deleted fork': pullRequestEvent('pull_request', 14, 'deleted fork'),
  'pull_request_target of a fork': pullRequestEvent('pull_request_target', 15, 'fork'),
  merge_group: mergeGroup(104),
  schedule: schedule(),
  'workflow_dispatch of a branch': workflowDispatch('refs/heads/dev'),
  'workflow_dispatch of a tag': workflowDispatch('refs/tags/v1.2.3'),
  workflow_run: workflowRun(),
  release: release('v1.2.3'),
  'create of a branch': create('branch', 'topic'),
  issues: issueOpened(),
  repository_dispatch: repositoryDispatch(),
};
