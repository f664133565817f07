/** What a run of a workflow leaves behind. */
import type { Outcome, StepRun } from '../runner/run-step.ts';
import type { Annotation } from '../runner/step-log.ts';
import type { MatrixRow } from './matrix.ts';
import type { Permissions } from './permissions.ts';

export interface StepResult {
  readonly id: string | undefined;
  readonly name: string;
  readonly stage: 'pre' | 'main' | 'post';
  /** Before and after `continue-on-error`. */
  readonly outcome: Outcome;
  readonly conclusion: Outcome;
  readonly outputs: Readonly<Record<string, string>>;
  /** Secrets hidden. */
  readonly log: string;
  /** As the process printed it, secrets included. */
  readonly rawLog: string;
  readonly annotations: readonly Annotation[];
  readonly summary: string;
  readonly durationMs: number;
  readonly cpuMs: number;
}

/** What one execution of a step's body gives, before conditions and `continue-on-error` are weighed in. */
export type StepExecution = Pick<
  StepRun,
  'outcome' | 'outputs' | 'log' | 'rawLog' | 'annotations' | 'summary' | 'durationMs' | 'cpuMs'
>;

export interface Concurrency {
  readonly group: string;
  readonly cancelInProgress: boolean;
}

/** One row of a job; a job without a matrix has one. */
export interface JobResult {
  /** `caller/job` within a reusable workflow. */
  readonly id: string;
  readonly name: string;
  readonly matrix: MatrixRow;
  readonly result: Outcome;
  /** Why a job was skipped or could not start. */
  readonly reason: string | undefined;
  readonly outputs: Readonly<Record<string, string>>;
  readonly steps: readonly StepResult[];
  readonly permissions: Permissions;
  readonly concurrency: Concurrency | undefined;
  readonly runsOn: unknown;
  readonly annotations: readonly Annotation[];
  readonly summary: string;
  /** All steps' logs with a heading each, secrets hidden. */
  readonly log: string;
  readonly durationMs: number;
}

export interface WorkflowResult {
  readonly name: string;
  readonly isTriggered: boolean;
  /** Why the event did or did not start the workflow. */
  readonly reason: string;
  readonly conclusion: Outcome;
  readonly jobs: readonly JobResult[];
  /** Result and outputs of each job as `needs` would show them. */
  readonly needs: Readonly<
    Record<string, { readonly result: Outcome; readonly outputs: Readonly<Record<string, string>> }>
  >;
  readonly concurrency: Concurrency | undefined;
  readonly log: string;
}

export type Progress =
  | { readonly kind: 'job-start'; readonly job: string }
  | { readonly kind: 'job-end'; readonly job: string; readonly result: Outcome; readonly durationMs: number }
  | { readonly kind: 'step-start'; readonly job: string; readonly step: string }
  | { readonly kind: 'step-end'; readonly job: string; readonly step: string; readonly outcome: Outcome }
  | { readonly kind: 'line'; readonly job: string; readonly text: string };

/** A step that ended in the runner itself. */
export function executionOf(outcome: Outcome, message?: string): StepExecution {
  const annotations: Annotation[] = message === undefined ? [] : [{ level: 'error', message }];
  const log = message === undefined ? '' : `##[error]${message}`;
  return { outcome, outputs: {}, log, rawLog: log, annotations, summary: '', durationMs: 0, cpuMs: 0 };
}
