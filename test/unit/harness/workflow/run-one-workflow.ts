/** Commits a workflow with the files it needs and runs it for a push. */
import { runWorkflow, type WorkflowRequest } from '../../../harness/workflow/run-workflow.ts';
import type { JobResult, WorkflowResult } from '../../../harness/workflow/workflow-result.ts';
import { createRepository } from './git-repository.ts';

export const file = '.github/workflows/ci.yml';

export async function runOneWorkflow(
  workflow: string,
  request: Partial<Omit<WorkflowRequest, 'event'>> & { event?: Partial<WorkflowRequest['event']> } = {},
  files: Readonly<Record<string, string>> = {},
): Promise<WorkflowResult> {
  await using repository = await createRepository();
  const text = /^on:/m.test(workflow) ? workflow : `on: [push]\n${workflow}`;
  const sha = await repository.commit({ [file]: text, ...files });
  const event = { name: 'push', ref: 'refs/heads/main', sha, repository: 'o/r', ...request.event };
  // Awaited here: the repository goes when this function ends.
  return await runWorkflow({ repository: repository.folder, file, ...request, event });
}

/** A workflow of one job with the given steps. */
export function oneJob(steps: string, job = ''): string {
  const indented = steps
    .trim()
    .split('\n')
    .map((line) => `      ${line}`)
    .join('\n');
  return `jobs:\n  only:\n    runs-on: ubuntu-latest\n${job}    steps:\n${indented}\n`;
}

export function jobNamed(result: WorkflowResult, name: string): JobResult {
  const job = result.jobs.find((candidate) => candidate.name === name);
  if (job === undefined) throw new Error(`no job '${name}' among ${result.jobs.map((known) => known.name).join(', ')}`);
  return job;
}
