/** Decides whether an event starts a workflow: event name, branches, tags, paths, types, schedule. */
import { asMapping, type YamlMapping } from '../runner/action-file.ts';
import type { TriggerEvent } from '../runner/trigger-event.ts';
import { parseFilter, passesFilter } from './filter-patterns.ts';

export interface TriggerDecision {
  readonly isTriggered: boolean;
  readonly reason: string;
}

const pullRequestEvents = new Set(['pull_request', 'pull_request_target']);
const defaultTypes = ['opened', 'synchronize', 'reopened'];
const skipInstruction = /\[(?:skip ci|ci skip|no ci|skip actions|actions skip)\]/;

/**
 * @param changedPaths Paths this event changed, or undefined when no comparison is possible: then path filters pass,
 * as they do on GitHub.
 */
export function decideTrigger(
  on: ReadonlyMap<string, unknown>,
  event: TriggerEvent,
  changedPaths: readonly string[] | undefined,
): TriggerDecision {
  if (!on.has(event.name)) return no(`the workflow does not listen to '${event.name}'`);
  if ((event.name === 'push' || event.name === 'pull_request') && skipInstruction.test(headMessage(event))) {
    return no('the commit message asks to skip');
  }
  if (event.name === 'schedule') return decideSchedule(on.get('schedule'), event);
  const filters = asMapping(on.get(event.name), `on.${event.name}`);
  const refused =
    refusedByType(filters, event) ?? refusedByRef(filters, event) ?? refusedByPaths(filters, event, changedPaths);
  return refused === undefined ? { isTriggered: true, reason: `'${event.name}' matches` } : no(refused);
}

function no(reason: string): TriggerDecision {
  return { isTriggered: false, reason };
}

function headMessage(event: TriggerEvent): string {
  const commit = asMapping(event.payload?.['head_commit'], 'head_commit');
  return String(commit['message'] ?? '');
}

function decideSchedule(schedules: unknown, event: TriggerEvent): TriggerDecision {
  const wanted = event.payload?.['schedule'];
  const crons = (Array.isArray(schedules) ? schedules : []).map((entry) => asMapping(entry, 'on.schedule')['cron']);
  if (crons.includes(wanted)) return { isTriggered: true, reason: `schedule '${String(wanted)}'` };
  return no(`schedule '${String(wanted)}' is none of ${crons.join(', ')}`);
}

function refusedByType(filters: YamlMapping, event: TriggerEvent): string | undefined {
  const action = event.payload?.['action'];
  const listed = filters['types'] ?? (pullRequestEvents.has(event.name) ? defaultTypes : undefined);
  if (listed === undefined || (action === undefined && filters['types'] === undefined)) return undefined;
  const types = (Array.isArray(listed) ? listed : [listed]).map(String);
  return types.includes(String(action)) ? undefined : `type '${String(action)}' is none of ${types.join(', ')}`;
}

function refusedByRef(filters: YamlMapping, event: TriggerEvent): string | undefined {
  const branches = parseFilter(filters['branches'], filters['branches-ignore'], 'branches');
  const hasBranches = (branches.include ?? branches.ignore) !== undefined;
  if (pullRequestEvents.has(event.name)) {
    const base = event.baseRef ?? '';
    return passesFilter(base, branches) ? undefined : `base branch '${base}' is filtered out`;
  }
  if (event.name === 'workflow_run') {
    const head = String(asMapping(event.payload?.['workflow_run'], 'workflow_run')['head_branch'] ?? '');
    return passesFilter(head, branches) ? undefined : `branch '${head}' is filtered out`;
  }
  if (event.name !== 'push') return undefined;
  const tags = parseFilter(filters['tags'], filters['tags-ignore'], 'tags');
  const hasTags = (tags.include ?? tags.ignore) !== undefined;
  const isTag = event.ref.startsWith('refs/tags/');
  const name = event.ref.replace(/^refs\/(?:tags|heads)\//, '');
  // A filter for one kind of ref alone leaves the other kind out.
  if (isTag && hasBranches && !hasTags) return `a tag was pushed and only branches are listed`;
  if (!isTag && hasTags && !hasBranches) return `a branch was pushed and only tags are listed`;
  return passesFilter(name, isTag ? tags : branches)
    ? undefined
    : `${isTag ? 'tag' : 'branch'} '${name}' is filtered out`;
}

function refusedByPaths(
  filters: YamlMapping,
  event: TriggerEvent,
  changedPaths: readonly string[] | undefined,
): string | undefined {
  const paths = parseFilter(filters['paths'], filters['paths-ignore'], 'paths');
  const isFiltered = (paths.include ?? paths.ignore) !== undefined;
  const appliesTo = pullRequestEvents.has(event.name) || event.name === 'push';
  // Path filters are not evaluated for pushes of tags.
  if (!isFiltered || !appliesTo || event.ref.startsWith('refs/tags/') || changedPaths === undefined) return undefined;
  return changedPaths.some((path) => passesFilter(path, paths)) ? undefined : 'no changed path matches';
}
