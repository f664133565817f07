/** Reads a workflow file into jobs and steps; expressions stay as they are written. Unknown keys are errors. */
import { parse } from 'yaml';
import { asMapping, asText, type YamlMapping } from '../runner/action-file.ts';
import { UnsupportedError, WorkflowError } from './workflow-error.ts';

export interface RunDefaults {
  readonly shell: string | undefined;
  readonly workingDirectory: string | undefined;
}

export interface StepDefinition {
  readonly id: string | undefined;
  readonly name: string | undefined;
  readonly if: unknown;
  readonly run: string | undefined;
  readonly uses: string | undefined;
  readonly with: YamlMapping;
  /** A mapping, or an expression that gives one. */
  readonly env: unknown;
  readonly shell: string | undefined;
  readonly workingDirectory: string | undefined;
  readonly continueOnError: unknown;
  readonly timeoutMinutes: unknown;
}

export interface JobDefinition {
  readonly id: string;
  readonly name: string | undefined;
  readonly needs: readonly string[];
  readonly if: unknown;
  readonly runsOn: unknown;
  readonly permissions: unknown;
  readonly concurrency: unknown;
  readonly outputs: YamlMapping;
  readonly env: unknown;
  readonly defaults: RunDefaults;
  readonly steps: readonly StepDefinition[];
  readonly timeoutMinutes: unknown;
  readonly strategy: unknown;
  readonly continueOnError: unknown;
  /** A reusable workflow. */
  readonly uses: string | undefined;
  readonly with: YamlMapping;
  readonly secrets: unknown;
}

export interface WorkflowDefinition {
  readonly name: string;
  /** Event name to its filters. */
  readonly on: ReadonlyMap<string, unknown>;
  readonly env: unknown;
  readonly defaults: RunDefaults;
  readonly permissions: unknown;
  readonly concurrency: unknown;
  readonly jobs: ReadonlyMap<string, JobDefinition>;
}

const workflowKeys = ['name', 'run-name', 'on', 'env', 'defaults', 'permissions', 'concurrency', 'jobs'];
// An `environment` is taken as one without rules: nobody approves, and the repository's variables and secrets are its own.
const jobKeys = (
  'name needs if runs-on environment permissions concurrency outputs env defaults steps timeout-minutes strategy ' +
  'continue-on-error uses with secrets'
).split(' ');
const unsupportedJobKeys = ['container', 'services', 'snapshot'];
const stepKeys = 'id name if run uses with env shell working-directory continue-on-error timeout-minutes'.split(' ');
const identifier = /^[A-Za-z_][A-Za-z0-9_-]*$/;

/** @throws WorkflowError or UnsupportedError, naming the file and the key. */
export function parseWorkflow(text: string, file: string): WorkflowDefinition {
  const root = asMapping(parseYaml(text, file), file);
  checkKeys(root, workflowKeys, file);
  const jobs = Object.entries(asMapping(root['jobs'], `${file}: jobs`)).map(
    ([id, job]) => [id, parseJob(id, asMapping(job, `${file}: job ${id}`), `${file}: job '${id}'`)] as const,
  );
  if (jobs.length === 0) throw new WorkflowError(`${file}: a workflow needs at least one job`);
  const definition = {
    name: asText(root['name']) ?? file,
    on: parseOn(root['on'], file),
    env: root['env'],
    defaults: parseDefaults(root['defaults'], file),
    permissions: root['permissions'],
    concurrency: root['concurrency'],
    jobs: new Map(jobs),
  };
  checkNeeds(definition.jobs, file);
  return definition;
}

function parseYaml(text: string, file: string): unknown {
  try {
    return parse(text);
  } catch (cause) {
    throw new WorkflowError(`${file}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
}

function checkKeys(mapping: YamlMapping, known: readonly string[], where: string): void {
  for (const key of Object.keys(mapping)) {
    if (!known.includes(key)) throw new WorkflowError(`${where}: Unexpected value '${key}'`);
  }
}

function parseOn(value: unknown, file: string): ReadonlyMap<string, unknown> {
  if (typeof value === 'string') return new Map([[value, undefined]]);
  if (Array.isArray(value)) return new Map(value.map((name) => [String(name), undefined]));
  const events = Object.entries(asMapping(value, `${file}: on`));
  if (events.length === 0) throw new WorkflowError(`${file}: 'on' names no event`);
  return new Map(events);
}

function parseDefaults(value: unknown, where: string): RunDefaults {
  const defaults = asMapping(value, `${where}: defaults`);
  checkKeys(defaults, ['run'], `${where}: defaults`);
  const run = asMapping(defaults['run'], `${where}: defaults.run`);
  checkKeys(run, ['shell', 'working-directory'], `${where}: defaults.run`);
  return { shell: asText(run['shell']), workingDirectory: asText(run['working-directory']) };
}

function parseJob(id: string, job: YamlMapping, where: string): JobDefinition {
  if (!identifier.test(id))
    throw new WorkflowError(
      `${where}: a job's id must start with a letter or '_' and hold only letters, digits, '-' and '_'`,
    );
  for (const key of unsupportedJobKeys) {
    if (Object.hasOwn(job, key)) throw new UnsupportedError(`${where}: '${key}' is not supported by this runner`);
  }
  checkKeys(job, jobKeys, where);
  const uses = asText(job['uses']);
  const steps: unknown = job['steps'] ?? [];
  if (!Array.isArray(steps)) throw new WorkflowError(`${where}: steps must be a list`);
  if (uses === undefined && steps.length === 0) throw new WorkflowError(`${where}: needs steps`);
  if (uses === undefined && job['runs-on'] === undefined)
    throw new WorkflowError(`${where}: Required property is missing: runs-on`);
  if (uses !== undefined && (steps.length > 0 || job['runs-on'] !== undefined)) {
    throw new WorkflowError(`${where}: a job that calls a workflow can have neither steps nor runs-on`);
  }
  const needs: unknown = job['needs'] ?? [];
  return {
    id,
    name: asText(job['name']),
    needs: (Array.isArray(needs) ? needs : [needs]).map(String),
    if: job['if'],
    runsOn: job['runs-on'],
    permissions: job['permissions'],
    concurrency: job['concurrency'],
    outputs: asMapping(job['outputs'], `${where}: outputs`),
    env: job['env'],
    defaults: parseDefaults(job['defaults'], where),
    steps: parseSteps(steps, where),
    timeoutMinutes: job['timeout-minutes'],
    strategy: job['strategy'],
    continueOnError: job['continue-on-error'],
    uses,
    with: asMapping(job['with'], `${where}: with`),
    secrets: job['secrets'],
  };
}

/** Steps of a job or of a composite action. */
export function parseSteps(steps: readonly unknown[], where: string): readonly StepDefinition[] {
  const ids = new Set<string>();
  return steps.map((value, index) => {
    const place = `${where}: step ${index + 1}`;
    const step = asMapping(value, place);
    checkKeys(step, stepKeys, place);
    const [run, uses, id] = [asText(step['run']), asText(step['uses']), asText(step['id'])];
    if ((run === undefined) === (uses === undefined)) throw new WorkflowError(`${place}: needs either 'run' or 'uses'`);
    if (run !== undefined && step['with'] !== undefined) throw new WorkflowError(`${place}: 'with' belongs to 'uses'`);
    if (uses !== undefined && (step['shell'] ?? step['working-directory']) !== undefined) {
      throw new WorkflowError(`${place}: 'shell' and 'working-directory' belong to 'run'`);
    }
    if (id !== undefined && (!identifier.test(id) || ids.has(id.toLowerCase()))) {
      throw new WorkflowError(`${place}: The identifier '${id}' is invalid or used twice`);
    }
    if (id !== undefined) ids.add(id.toLowerCase());
    return {
      id,
      name: asText(step['name']),
      if: step['if'],
      run,
      uses,
      with: asMapping(step['with'], `${place}: with`),
      env: step['env'],
      shell: asText(step['shell']),
      workingDirectory: asText(step['working-directory']),
      continueOnError: step['continue-on-error'],
      timeoutMinutes: step['timeout-minutes'],
    };
  });
}

function checkNeeds(jobs: ReadonlyMap<string, JobDefinition>, file: string): void {
  const visit = (id: string, path: readonly string[]): void => {
    if (path.includes(id))
      throw new WorkflowError(`${file}: the jobs need each other in a circle: ${[...path, id].join(' → ')}`);
    for (const need of jobs.get(id)?.needs ?? []) {
      if (!jobs.has(need)) throw new WorkflowError(`${file}: job '${id}' depends on unknown job '${need}'`);
      visit(need, [...path, id]);
    }
  };
  for (const id of jobs.keys()) visit(id, []);
}

/** All jobs a job waits for, directly or through others. */
export function ancestorsOf(id: string, jobs: ReadonlyMap<string, JobDefinition>): ReadonlySet<string> {
  const found = new Set<string>();
  const visit = (job: string): void => {
    for (const need of jobs.get(job)?.needs ?? []) {
      if (!found.has(need)) visit(need);
      found.add(need);
    }
  };
  visit(id);
  return found;
}
