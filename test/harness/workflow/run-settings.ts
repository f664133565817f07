/** What all jobs of one run share. */
import type { RunnerJob } from '../runner/runner-job.ts';
import type { TriggerEvent } from '../runner/trigger-event.ts';
import type { Slots } from './job-slots.ts';
import type { MatrixRow } from './matrix.ts';
import type { Permissions } from './permissions.ts';
import type { WorkflowDefinition } from './workflow-file.ts';
import type { Progress } from './workflow-result.ts';

/** What a test is told of a job when it gives the job its environment. */
export interface JobFacts {
  readonly id: string;
  readonly name: string;
  readonly matrix: MatrixRow;
  readonly permissions: Permissions;
}

export interface BuiltinStep {
  readonly uses: string;
  readonly ref: string;
  readonly inputs: Readonly<Record<string, string>>;
  readonly env: Readonly<Record<string, string>>;
  readonly job: RunnerJob;
  /** Aborts when the job is cancelled or the step's time is over. */
  readonly signal: AbortSignal;
  print(line: string): void;
}

export interface BuiltinResult {
  readonly outputs?: Readonly<Record<string, string>>;
  /** Carried to later steps, as GITHUB_ENV and GITHUB_PATH do. */
  readonly env?: Readonly<Record<string, string>>;
  readonly path?: readonly string[];
  readonly post?: () => Promise<void>;
}

/** Stands in for an action of someone else's; throwing fails the step. */
export type BuiltinAction = (step: BuiltinStep) => Promise<BuiltinResult>;

export interface RunSettings {
  readonly repository: string;
  readonly repositoryName: string;
  readonly event: TriggerEvent;
  readonly root: string;
  readonly vars: Readonly<Record<string, string>>;
  readonly environment: Readonly<Record<string, string>>;
  readonly runnerEnvironment: (job: JobFacts) => Readonly<Record<string, string>>;
  /** `owner/name` in lower case to a local folder. */
  readonly repositories: ReadonlyMap<string, string>;
  /** `owner/name[/path]` in lower case. */
  readonly builtins: ReadonlyMap<string, BuiltinAction>;
  readonly slots: Slots;
  readonly isFork: boolean;
  readonly debug: boolean;
  readonly signal: AbortSignal | undefined;
  readonly report: (progress: Progress) => void;
}

/** One workflow file being run: the one that was started, or one that a job calls. */
export interface RunContext {
  readonly settings: RunSettings;
  readonly workflow: WorkflowDefinition;
  readonly where: string;
  readonly inputs: Readonly<Record<string, unknown>>;
  readonly secrets: Readonly<Record<string, string>>;
  readonly callerPermissions: Permissions | undefined;
  /** Names of the calling jobs, outermost first. */
  readonly callers: readonly string[];
  /** The repository whose files `./` means: undefined for the one being run. */
  readonly origin: { readonly repository: string; readonly folder: string } | undefined;
}
