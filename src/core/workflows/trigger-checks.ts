import type { StaticFinding } from '../images/static-checks.ts';
import { ConfigurationError } from '../runner/errors.ts';
import { parseRules, type Rule } from '../tags/rules.ts';
import type { Workflow, WorkflowStep } from './workflow-file.ts';

/** Of these branches, those that the repository does not have; undefined when it cannot be asked. */
export type FindMissingBranches = (branches: readonly string[]) => Promise<ReadonlySet<string> | undefined>;

/** Events whose runs may stand for any other: a caller's, or whatever somebody sends. */
const OPEN_EVENTS = ['workflow_call', 'workflow_run', 'repository_dispatch'];

/**
 * Tag rules of a workflow that none of its triggers can make true: a nightly tag without a schedule, a tag of a
 * version where only pushes to branches start it.
 */
export function checkTagRules(workflow: Workflow): readonly StaticFinding[] {
  if (OPEN_EVENTS.some((event) => workflow.triggers.has(event))) return [];
  return workflow.steps
    .filter(({ action }) => /(?:^|\/)metadata-(?:action|tags)$/.test(action))
    .flatMap((step) => readRules(step).flatMap((rule) => checkRule(workflow, step, rule)));
}

function readRules(step: WorkflowStep): readonly Rule[] {
  try {
    return parseRules(step.input('tags') ?? '').toSorted((a, b) => a.line - b.line);
  } catch (error) {
    // What is wrong with a rule, the step that reads it says better.
    if (error instanceof ConfigurationError) return [];
    throw error;
  }
}

function checkRule(workflow: Workflow, step: WorkflowStep, rule: Rule): readonly StaticFinding[] {
  const needed = neededEvent(rule);
  if (needed === undefined || canHappen(needed, workflow.triggers)) return [];
  const isByHand = needed === 'tag' && workflow.triggers.has('workflow_dispatch');
  const isBlock = step.input('tags')?.includes('\n') === true;
  return [
    {
      level: isByHand ? 'notice' : 'problem',
      title: 'Tag rule',
      file: workflow.file,
      line: step.lineOf('tags') + (isBlock ? rule.line : 0),
      message: `"${rule.text}" ${
        isByHand ? 'fires only when this workflow is started by hand on a tag' : 'can never fire'
      }: ${FIX[needed]}`,
    },
  ];
}

type Needed = 'schedule' | 'tag' | 'pr' | 'branch';

const FIX: Readonly<Record<Needed, string>> = {
  schedule: 'no "schedule" starts this workflow',
  tag: 'no push of a tag and no release starts this workflow',
  pr: 'no "pull_request" starts this workflow',
  branch: 'nothing on a branch starts this workflow',
};

function neededEvent(rule: Rule): Needed | undefined {
  switch (rule.type) {
    case 'schedule':
      return 'schedule';
    case 'ref':
      return rule.event;
    case 'edge':
      return 'branch';
    case 'semver':
    case 'pep440':
    case 'match':
      return rule.value === '' ? 'tag' : undefined;
    case 'raw':
    case 'sha':
      return undefined;
  }
}

function canHappen(needed: Needed, triggers: Workflow['triggers']): boolean {
  const has = (...events: readonly string[]): boolean => events.some((event) => triggers.has(event));
  const push = triggers.get('push');
  // GitHub: a filter of one kind alone keeps pushes of the other kind out.
  const pushesTags = push !== undefined && (push.hasTagFilter || !push.hasBranchFilter);
  const pushesBranches = push !== undefined && (push.hasBranchFilter || !push.hasTagFilter);
  switch (needed) {
    case 'schedule':
      return has('schedule');
    case 'pr':
      return has('pull_request', 'pull_request_target');
    case 'tag':
      return pushesTags || has('release', 'create');
    case 'branch':
      return pushesBranches || has('schedule', 'workflow_dispatch', 'create', 'merge_group');
  }
}

const GLOB = /[*?+[\]!]/;

/** Branches, named without a glob, that start a workflow and do not exist. */
export async function checkTriggerBranches(
  workflows: readonly Workflow[],
  findMissing: FindMissingBranches,
): Promise<readonly StaticFinding[]> {
  const named = workflows.flatMap(({ file, triggers }) =>
    [...triggers].flatMap(([event, { branches, line }]) =>
      branches.filter((branch) => !GLOB.test(branch)).map((branch) => ({ file, event, branch, line })),
    ),
  );
  const missing = named.length === 0 ? undefined : await findMissing([...new Set(named.map(({ branch }) => branch))]);
  return named
    .filter(({ branch }) => missing?.has(branch) === true)
    .map(({ file, event, branch, line }) => ({
      level: 'problem' as const,
      title: 'Trigger',
      file,
      line,
      message: `"${event}" waits for the branch "${branch}", which does not exist`,
    }));
}
