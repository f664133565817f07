/** What a job's token may do. */
import { asMapping } from '../runner/action-file.ts';
import type { TriggerEvent } from '../runner/trigger-event.ts';
import { WorkflowError } from './workflow-error.ts';

export type Access = 'none' | 'read' | 'write';
export type Permissions = Readonly<Record<string, Access>>;

const scopes = (
  'actions artifact-metadata attestations checks contents deployments discussions id-token issues models packages pages ' +
  'pull-requests repository-projects security-events statuses'
).split(' ');
const strength: Readonly<Record<Access, number>> = { none: 0, read: 1, write: 2 };

function everything(access: Access): Permissions {
  return Object.fromEntries(scopes.map((scope) => [scope, access]));
}

/** GitHub's default for new repositories: read access to contents and packages. */
const restricted: Permissions = { ...everything('none'), contents: 'read', packages: 'read' };

function isAccess(value: unknown): value is Access {
  return value === 'none' || value === 'read' || value === 'write';
}

export function parsePermissions(value: unknown, where: string): Permissions {
  if (value === 'read-all') return { ...everything('read'), 'id-token': 'none' };
  if (value === 'write-all') return { ...everything('write'), models: 'read' };
  const granted: Record<string, Access> = { ...everything('none') };
  for (const [scope, access] of Object.entries(asMapping(value, `${where}: permissions`))) {
    if (!scopes.includes(scope)) throw new WorkflowError(`${where}: permissions: Unexpected value '${scope}'`);
    if (!isAccess(access) || (scope === 'id-token' && access === 'read')) {
      throw new WorkflowError(`${where}: permissions: ${scope}: Unexpected value '${String(access)}'`);
    }
    granted[scope] = access;
  }
  return granted;
}

/** A pull request from a fork runs with read access, without secrets and without identity tokens. */
export function isForkPullRequest(event: TriggerEvent, repository: string): boolean {
  if (event.name !== 'pull_request') return false;
  const head = asMapping(asMapping(event.payload?.['pull_request'], 'pull_request')['head'], 'head');
  const name = asMapping(head['repo'], 'repo')['full_name'];
  return name !== undefined && name !== repository;
}

/**
 * A job's permissions replace the workflow's as a whole. A called workflow may not ask for more than its caller has.
 * @throws WorkflowError when it does.
 */
export function jobPermissions(
  job: unknown,
  workflow: unknown,
  limits: { readonly isFork: boolean; readonly caller: Permissions | undefined },
  where: string,
): Permissions {
  const declared = job ?? workflow;
  let granted = limits.caller ?? restricted;
  if (declared !== undefined) granted = parsePermissions(declared, where);
  if (limits.isFork) {
    const reduced = Object.entries(granted).map(([scope, access]): [string, Access] => [
      scope,
      access === 'none' ? 'none' : 'read',
    ]);
    granted = { ...Object.fromEntries(reduced), 'id-token': 'none' };
  }
  if (limits.caller !== undefined) {
    for (const [scope, access] of Object.entries(granted)) {
      const allowed = limits.caller[scope] ?? 'none';
      if (strength[access] > strength[allowed]) {
        throw new WorkflowError(
          `${where}: The workflow is requesting '${scope}: ${access}', but is only allowed '${scope}: ${allowed}'`,
        );
      }
    }
  }
  return granted;
}
