/** The state of steps that run one after the other: a job's, or those within a composite action. */

import { asMapping } from '../runner/action-file.ts';
import {
  type ExpressionFunction,
  type ExpressionScope,
  interpolate,
  resolveTemplate,
  type Status,
  statusFunctionsFor,
} from '../runner/expressions.ts';
import type { PreparedAction } from '../runner/run-action.ts';
import type { Outcome } from '../runner/run-step.ts';
import type { RunnerJob } from '../runner/runner-job.ts';
import { hashFiles } from './hash-files.ts';
import type { RunSettings } from './run-settings.ts';
import type { RunDefaults, StepDefinition } from './workflow-file.ts';
import type { StepExecution, StepResult } from './workflow-result.ts';

export interface PostStep {
  readonly name: string;
  readonly id: string | undefined;
  /** `undefined` when its condition says no. */
  readonly run: (status: Status) => Promise<StepExecution | undefined>;
}

/** One job while it runs. */
export interface JobSession {
  /** As people see it, with the matrix row's label. */
  readonly name: string;
  readonly job: RunnerJob;
  readonly settings: RunSettings;
  readonly signal: AbortSignal;
  /** vars, needs, matrix, strategy: what does not change while the job runs. */
  readonly contexts: Readonly<Record<string, unknown>>;
  readonly secrets: Readonly<Record<string, string>>;
  readonly posts: PostStep[];
  readonly results: StepResult[];
  /** Actions whose pre step ran when the job started. */
  readonly prepared: Map<StepDefinition, PreparedAction>;
}

export interface StepContext {
  readonly outputs: Readonly<Record<string, string>>;
  readonly outcome: Outcome;
  readonly conclusion: Outcome;
}

export interface StepSequence {
  readonly session: JobSession;
  readonly where: string;
  readonly defaults: RunDefaults;
  readonly inputs: Readonly<Record<string, unknown>>;
  /** The `env` of the steps around a composite action. */
  readonly env: Readonly<Record<string, string>>;
  readonly steps: Record<string, StepContext>;
  status: Status;
  /** Within a composite action: its folder. */
  readonly actionFolder: string | undefined;
  readonly depth: number;
}

/** Contexts and functions of a step's expressions. Conditions have no secrets, composite actions neither. */
export function stepScope(
  sequence: StepSequence,
  use: { readonly env?: Readonly<Record<string, string>>; readonly isCondition?: boolean } = {},
): ExpressionScope {
  const { session } = sequence;
  const { job } = session;
  const isComposite = sequence.actionFolder !== undefined;
  const github = isComposite
    ? { ...job.github, action_path: sequence.actionFolder, action_status: sequence.status }
    : job.github;
  const hasSecrets = !isComposite && use.isCondition !== true;
  return {
    contexts: {
      ...session.contexts,
      github,
      runner: job.runner,
      env: { ...Object.fromEntries(job.env), ...sequence.env, ...use.env },
      job: { status: sequence.status },
      steps: sequence.steps,
      inputs: sequence.inputs,
      ...(hasSecrets ? { secrets: session.secrets } : {}),
    },
    functions: [...statusFunctionsFor(sequence.status), hashFilesFunction(job.workspace)],
  };
}

function hashFilesFunction(workspace: string): ExpressionFunction {
  const call = (...patterns: unknown[]): string => hashFiles(workspace, patterns.map(String));
  return { name: 'hashFiles', minArgs: 1, maxArgs: 255, call };
}

/** Evaluates an `env:`, a mapping or an expression that gives one, to text values. */
export function resolveEnv(env: unknown, scope: ExpressionScope, where: string): Record<string, string> {
  const mapping = asMapping(resolveTemplate(env, scope), `${where}: env`);
  return Object.fromEntries(
    Object.entries(mapping).map(([name, value]) => [name, scalarText(value, `${where}: env.${name}`)]),
  );
}

/** Evaluates a `with:` to text values. */
export function resolveWith(
  mapping: Readonly<Record<string, unknown>>,
  scope: ExpressionScope,
  where: string,
): Record<string, string> {
  const text = ([name, value]: [string, unknown]): [string, string] => {
    const isText = typeof value === 'string';
    return [name, isText ? interpolate(value, scope) : scalarText(value, `${where}: with.${name}`)];
  };
  return Object.fromEntries(Object.entries(mapping).map(text));
}

function scalarText(value: unknown, where: string): string {
  if (value === null || value === undefined) return '';
  if (typeof value === 'object')
    throw new Error(`${where}: A ${Array.isArray(value) ? 'sequence' : 'mapping'} was not expected`);
  return String(value);
}
