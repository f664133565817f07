/** What started a run, and the `github` context and GITHUB_* variables that follow from it. */

export interface TriggerEvent {
  readonly name: string;
  readonly payload?: Readonly<Record<string, unknown>>;
  /** Full ref: refs/heads/main, refs/tags/v1, refs/pull/7/merge. */
  readonly ref: string;
  readonly sha: string;
  readonly repository?: string;
  readonly actor?: string;
  readonly runId?: number;
  readonly runNumber?: number;
  readonly runAttempt?: number;
  readonly serverUrl?: string;
  readonly apiUrl?: string;
  readonly graphqlUrl?: string;
  readonly workflow?: string;
  /** Path of the workflow file, for `github.workflow_ref`. */
  readonly workflowFile?: string;
  readonly job?: string;
  readonly baseRef?: string;
  readonly headRef?: string;
  /** `github.token`. Masked in every log. */
  readonly token?: string;
}

/** The keys of `github` that the runner passes on as GITHUB_* variables (actions/runner, GitHubContext.cs). */
const variableKeys = (
  'action action_path action_ref action_repository actor actor_id api_url base_ref event_name event_path graphql_url ' +
  'head_ref job ref ref_name ref_protected ref_type repository repository_id repository_owner repository_owner_id ' +
  'retention_days run_attempt run_id run_number server_url sha triggering_actor workflow workflow_ref workflow_sha workspace'
).split(' ');

function shortRef(ref: string): string {
  return ref.replace(/^refs\/(?:heads|tags|pull)\//, '');
}

/** The `github` context, without the parts that a job adds (workspace, event_path, action). */
export function githubContext(event: TriggerEvent): Record<string, unknown> {
  const repository = event.repository ?? 'octo-org/octo-app';
  const actor = event.actor ?? 'octocat';
  const serverUrl = event.serverUrl ?? 'https://github.com';
  const workflow = event.workflow ?? 'CI';
  return {
    token: event.token ?? '',
    job: event.job ?? 'job',
    ref: event.ref,
    sha: event.sha,
    repository,
    repository_owner: repository.split('/')[0] ?? '',
    repository_owner_id: '1001',
    repositoryUrl: `git://github.com/${repository}.git`,
    repository_id: '2002',
    run_id: String(event.runId ?? 1),
    run_number: String(event.runNumber ?? 1),
    run_attempt: String(event.runAttempt ?? 1),
    retention_days: '90',
    actor,
    actor_id: '3003',
    triggering_actor: actor,
    workflow,
    workflow_ref: `${repository}/${event.workflowFile ?? '.github/workflows/ci.yml'}@${event.ref}`,
    workflow_sha: event.sha,
    head_ref: event.headRef ?? '',
    base_ref: event.baseRef ?? '',
    event_name: event.name,
    event: event.payload ?? {},
    server_url: serverUrl,
    api_url: event.apiUrl ?? 'https://api.github.com',
    graphql_url: event.graphqlUrl ?? 'https://api.github.com/graphql',
    ref_name: shortRef(event.ref),
    ref_protected: false,
    ref_type: event.ref.startsWith('refs/tags/') ? 'tag' : 'branch',
    secret_source: 'Actions',
  };
}

export function githubVariables(context: Readonly<Record<string, unknown>>): Record<string, string> {
  const variables: Record<string, string> = {};
  for (const key of variableKeys) {
    const value = context[key];
    if (value !== undefined && value !== null) variables[`GITHUB_${key.toUpperCase()}`] = String(value);
  }
  return variables;
}
