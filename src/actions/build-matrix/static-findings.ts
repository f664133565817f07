import type { Git } from '../../core/git/git.ts';
import { checkBundlerOutputs } from '../../core/images/bundler-output.ts';
import { checkRunners } from '../../core/images/runner-checks.ts';
import { checkStatically, missingSources, type StaticFinding } from '../../core/images/static-checks.ts';
import { fieldOf, type RunnerEvent } from '../../core/runner/event.ts';
import { checkCacheScopes } from '../../core/workflows/scope-checks.ts';
import { checkTagRules, checkTriggerBranches } from '../../core/workflows/trigger-checks.ts';
import { readWorkflows } from '../../core/workflows/workflow-file.ts';
import { findGitIgnored, type HeadPlan, type Inputs } from './plan.ts';

/** Everything the static checks find in images and workflows; nothing when they are off. */
export async function findStatically(
  git: Git,
  head: HeadPlan,
  inputs: Inputs,
  event: RunnerEvent,
): Promise<readonly StaticFinding[]> {
  if (inputs.staticChecks === 'off') return [];
  const { rows, discovery, snapshot } = head;
  const ignored = await findGitIgnored(git, missingSources(rows));
  const workflows = await readWorkflows(snapshot);
  const hasEmulation = workflows.some(({ steps }) => steps.some(({ action }) => action === 'docker/setup-qemu-action'));
  return [
    ...checkStatically(rows, discovery.refused, snapshot, ignored),
    ...(await checkBundlerOutputs(rows, snapshot)),
    ...checkRunners(rows, inputs.runners, hasEmulation),
    ...checkCacheScopes(workflows),
    ...workflows.flatMap(checkTagRules),
    ...(await checkTriggerBranches(workflows, (branches) => findMissingBranches(git, branches, event))),
  ];
}

/** Asks the origin, and only for branches that neither the event nor this clone knows. */
async function findMissingBranches(
  git: Git,
  branches: readonly string[],
  { ref, baseRef, payload }: RunnerEvent,
): Promise<ReadonlySet<string> | undefined> {
  const { stdout: local } = await git.run(['for-each-ref', '--format=%(refname)', 'refs/heads', 'refs/remotes/origin']);
  const known = new Set(local.split('\n').map((name) => name.replace(/^refs\/(?:heads|remotes\/origin)\//, '')));
  const byDefault = fieldOf(payload, 'repository', 'default_branch');
  const unknown = branches.filter(
    (branch) => !known.has(branch) && branch !== byDefault && branch !== baseRef && ref !== `refs/heads/${branch}`,
  );
  if (unknown.length === 0) return new Set();
  const refs = unknown.map((branch) => `refs/heads/${branch}`);
  const { exitCode, stdout } = await git.run(['ls-remote', '--heads', 'origin', ...refs], { allowFailure: true });
  if (exitCode !== 0) return undefined;
  const there = new Set(stdout.split('\n').map((line) => line.split('\t')[1] ?? ''));
  return new Set(unknown.filter((branch) => !there.has(`refs/heads/${branch}`)));
}
