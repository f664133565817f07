/** Runs steps one after the other: conditions, `env`, `continue-on-error`, timeouts, and at the end the post steps. */
import { evaluateCondition, interpolate, resolveTemplate, type Status } from '../runner/expressions.ts';
import type { Outcome } from '../runner/run-step.ts';
import { type ActionStepOptions, runActionStep, runPreStep } from './action-step.ts';
import { runScript } from './script-step.ts';
import { resolveEnv, type StepSequence, stepScope } from './step-sequence.ts';
import { UnsupportedError } from './workflow-error.ts';
import type { StepDefinition } from './workflow-file.ts';
import { executionOf, type StepExecution, type StepResult } from './workflow-result.ts';

export async function runSteps(
  steps: readonly StepDefinition[],
  sequence: StepSequence,
): Promise<readonly StepExecution[]> {
  const executions: StepExecution[] = [];
  for (const step of steps) executions.push(await runOne(step, sequence));
  return executions;
}

async function runOne(step: StepDefinition, sequence: StepSequence): Promise<StepExecution> {
  const { session } = sequence;
  if (session.signal.aborted && sequence.status !== 'cancelled') sequence.status = 'cancelled';
  const name = displayName(step, sequence);
  const before = { action: session.job.github['action'] };
  session.job.github['action'] = step.id ?? `__${(step.uses ?? 'run').replace(/[^A-Za-z0-9]+/g, '_')}`;
  const execution = await attempt(sequence, () => executeStep(step, name, sequence));
  session.job.github['action'] = before.action;
  const isForgiven = execution.outcome === 'failure' && (await attemptFlag(step.continueOnError, sequence));
  const conclusion: Outcome = isForgiven ? 'success' : execution.outcome;
  if (step.id !== undefined)
    sequence.steps[step.id] = { outputs: execution.outputs, outcome: execution.outcome, conclusion };
  settleStatus(sequence, conclusion);
  // What happens within a composite action is told by the step that uses it.
  if (sequence.actionFolder === undefined)
    session.results.push(stepResult(step.id, name, 'main', execution, conclusion));
  session.settings.report({ kind: 'step-end', job: session.name, step: name, outcome: execution.outcome });
  return execution;
}

function settleStatus(sequence: StepSequence, conclusion: Outcome): void {
  if (conclusion === 'cancelled' || sequence.session.signal.aborted) sequence.status = 'cancelled';
  else if (conclusion === 'failure' && sequence.status === 'success') sequence.status = 'failure';
}

function stepResult(
  id: string | undefined,
  name: string,
  stage: StepResult['stage'],
  execution: StepExecution,
  conclusion: Outcome,
): StepResult {
  const { outcome, outputs, log, rawLog, annotations, summary, durationMs, cpuMs } = execution;
  return { id, name, stage, outcome, conclusion, outputs, log, rawLog, annotations, summary, durationMs, cpuMs };
}

/** Errors of a template or of a missing action fail the step; what this runner cannot do ends the run. */
async function attempt(sequence: StepSequence, body: () => Promise<StepExecution>): Promise<StepExecution> {
  try {
    return await body();
  } catch (error) {
    if (error instanceof UnsupportedError) throw error;
    const message = error instanceof Error ? error.message : String(error);
    return executionOf('failure', sequence.session.job.masks.mask(message));
  }
}

async function executeStep(step: StepDefinition, name: string, sequence: StepSequence): Promise<StepExecution> {
  const { session } = sequence;
  // A step's own env is part of its condition's contexts.
  const env = resolveEnv(step.env, stepScope(sequence), sequence.where);
  if (!evaluateCondition(step.if, stepScope(sequence, { env, isCondition: true }))) return executionOf('skipped');
  session.settings.report({ kind: 'step-start', job: session.name, step: name });
  const options: ActionStepOptions = {
    name,
    env,
    timeoutMs: minutesToMs(resolveTemplate(step.timeoutMinutes, stepScope(sequence, { env }))),
    onLine: (text) => session.settings.report({ kind: 'line', job: session.name, text }),
  };
  return step.run === undefined ? runActionStep(step, sequence, options, runSteps) : runScript(step, sequence, options);
}

export function minutesToMs(minutes: unknown): number | undefined {
  return minutes === undefined || minutes === null ? undefined : Number(minutes) * 60_000;
}

async function attemptFlag(value: unknown, sequence: StepSequence): Promise<boolean> {
  return String(resolveTemplate(value, stepScope(sequence)) ?? false) === 'true';
}

function displayName(step: StepDefinition, sequence: StepSequence): string {
  const name =
    step.name ?? (step.run === undefined ? `Run ${step.uses ?? ''}` : `Run ${step.run.trim().split('\n')[0] ?? ''}`);
  try {
    return sequence.session.job.masks.mask(interpolate(name, stepScope(sequence)));
  } catch {
    return name; // the step itself reports an expression that does not evaluate
  }
}

/** The pre steps of actions from other repositories run before everything else in the job. */
export async function runPreSteps(steps: readonly StepDefinition[], sequence: StepSequence): Promise<void> {
  for (const step of steps) {
    const name = displayName(step, sequence);
    const options: ActionStepOptions = { name, env: {}, timeoutMs: undefined, onLine: () => undefined };
    let isRun = true;
    const execution = await attempt(sequence, async () => {
      const run = await runPreStep(step, sequence, options);
      isRun = run !== undefined;
      return run ?? executionOf('skipped');
    });
    if (!isRun) continue;
    settleStatus(sequence, execution.outcome);
    sequence.session.results.push(stepResult(undefined, `Pre ${name}`, 'pre', execution, execution.outcome));
  }
}

/** Post steps, last registered first; each sees how the job stands by then. */
export async function runPostSteps(sequence: StepSequence): Promise<Status> {
  const { session } = sequence;
  for (let post = session.posts.pop(); post !== undefined; post = session.posts.pop()) {
    const { run, name } = post;
    const execution = await attempt(sequence, async () => (await run(sequence.status)) ?? executionOf('skipped'));
    if (execution.outcome === 'skipped') continue;
    settleStatus(sequence, execution.outcome);
    session.results.push(stepResult(post.id, name, 'post', execution, execution.outcome));
  }
  return sequence.status;
}
