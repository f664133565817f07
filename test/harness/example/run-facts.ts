import type { JobResult, StepResult, WorkflowResult } from '../workflow/workflow-result.ts';

/** Jobs that failed, with their logs: an empty list for a run that did all it should. */
export function failuresOf({ jobs }: WorkflowResult): readonly string[] {
  return jobs.filter(({ result }) => result === 'failure').map(({ name, log }) => `${name}\n${log}`);
}

export function jobOf(run: WorkflowResult, id: string): JobResult {
  const found = run.jobs.find((job) => job.id === id);
  if (found === undefined)
    throw new Error(`the run has no job "${id}"; it has ${run.jobs.map((job) => job.id).join(', ')}`);
  return found;
}

/** The one step of an id. */
export function stepOf(run: WorkflowResult, id: string): StepResult {
  const [found, ...others] = run.jobs.flatMap(({ steps }) =>
    steps.filter((step) => step.id === id && step.stage === 'main'),
  );
  if (found === undefined || others.length > 0)
    throw new Error(`the run has ${others.length + (found ? 1 : 0)} steps "${id}"\n${run.log}`);
  return found;
}

/** The rows that were planned: why each is built, by id. */
export function reasonsOf(run: WorkflowResult): Readonly<Record<string, string>> {
  return JSON.parse(stepOf(run, 'plan').outputs['reasons'] ?? '{}');
}

/** Whether no job of the run may write anything, nor ask for an identity. */
export function isReadOnly({ jobs }: WorkflowResult): boolean {
  return jobs.every(({ permissions }) => Object.values(permissions).every((access) => access !== 'write'));
}

interface BakeTarget {
  readonly target?: string;
  readonly args?: Readonly<Record<string, string>>;
  readonly 'cache-from'?: readonly string[];
  readonly 'cache-to'?: readonly string[];
}

/** What was asked of BuildKit, by target, over all builds of a run. */
export function bakeTargets({ jobs }: WorkflowResult): Readonly<Record<string, BakeTarget>> {
  const definitions = jobs.flatMap(({ steps }) => steps.flatMap(({ outputs }) => outputs['definition'] ?? []));
  return Object.assign({}, ...definitions.map((text) => JSON.parse(text).target));
}

export function annotationsOf({ jobs }: WorkflowResult): JobResult['annotations'] {
  return jobs.flatMap(({ annotations }) => annotations);
}
