/** Runs a workflow file of a git repository for an event, as GitHub would, on this machine. */
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { isAbsolute, join, resolve } from 'node:path';
import { asMapping } from '../runner/action-file.ts';
import { createSecretMasker } from '../runner/masks.ts';
import { githubContext, type TriggerEvent } from '../runner/trigger-event.ts';
import { createCheckout } from './checkout.ts';
import { changedPaths, readAtCommit } from './git.ts';
import { createSlots } from './job-slots.ts';
import { isForkPullRequest } from './permissions.ts';
import { callWorkflow } from './reusable-workflow.ts';
import { permissionsOf, runJobs } from './run-jobs.ts';
import { combinedResult, readConcurrency } from './run-rows.ts';
import type { BuiltinAction, JobFacts, RunContext, RunSettings } from './run-settings.ts';
import { decideTrigger } from './triggers.ts';
import { resolveUse } from './uses.ts';
import { parseWorkflow, type WorkflowDefinition } from './workflow-file.ts';
import { settleWorkflowInputs } from './workflow-inputs.ts';
import type { Progress, WorkflowResult } from './workflow-result.ts';

export interface WorkflowRequest {
  /** A git checkout; jobs see its commits, not its working tree. */
  readonly repository: string;
  /** Path in the repository at the event's commit, or an absolute path on this machine. */
  readonly file: string;
  readonly event: TriggerEvent;
  readonly secrets?: Readonly<Record<string, string>>;
  readonly vars?: Readonly<Record<string, string>>;
  /** For workflow_dispatch. */
  readonly inputs?: Readonly<Record<string, unknown>>;
  /** Environment of every job's machine. */
  readonly env?: Readonly<Record<string, string>>;
  /** Environment of one job's machine; GITHUB_TOKEN becomes the job's token and no variable. */
  readonly runnerEnvironment?: (job: JobFacts) => Readonly<Record<string, string>>;
  /** `OWNER/name` to a folder that stands for it, for actions and reusable workflows of that repository. */
  readonly repositories?: Readonly<Record<string, string>>;
  /** `owner/name[/path]` to a stand-in for somebody else's action. actions/checkout is there already. */
  readonly builtins?: Readonly<Record<string, BuiltinAction>>;
  /** Jobs at once; 1 unless told. */
  readonly parallelJobs?: number;
  /** Folder for the jobs' machines; kept when given, otherwise made and removed. */
  readonly root?: string;
  readonly debug?: boolean;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: Progress) => void;
}

/**
 * @throws WorkflowError for a workflow GitHub would not start, UnsupportedError for what this runner cannot do.
 * Everything else, failing jobs included, is in the result.
 */
export async function runWorkflow(request: WorkflowRequest): Promise<WorkflowResult> {
  const repository = resolve(request.repository);
  const text = isAbsolute(request.file)
    ? await readFile(request.file, 'utf8')
    : await readAtCommit(repository, request.event.sha, request.file);
  const workflow = parseWorkflow(text, request.file);
  const decision = decideTrigger(workflow.on, request.event, await eventPaths(repository, request.event));
  if (!decision.isTriggered) {
    return {
      name: workflow.name,
      ...decision,
      conclusion: 'skipped',
      jobs: [],
      needs: {},
      concurrency: undefined,
      log: '',
    };
  }
  const root = request.root ?? (await mkdtemp(join(tmpdir(), 'workflow-')));
  await mkdir(root, { recursive: true });
  try {
    return await runTriggered(request, workflow, decision.reason, openSettings(request, repository, root));
  } finally {
    if (request.root === undefined) await rm(root, { recursive: true, force: true });
  }
}

async function runTriggered(
  request: WorkflowRequest,
  workflow: WorkflowDefinition,
  reason: string,
  settings: RunSettings,
): Promise<WorkflowResult> {
  const given = settings.isFork ? {} : (request.secrets ?? {});
  const context: RunContext = {
    settings,
    workflow,
    where: request.file,
    inputs: dispatchInputs(request, workflow),
    secrets: given,
    callerPermissions: undefined,
    callers: [],
    origin: undefined,
  };
  for (const job of workflow.jobs.values()) {
    permissionsOf(context, job);
    for (const step of job.steps)
      if (step.uses !== undefined) resolveUse(step.uses, settings, `${request.file}: job '${job.id}'`);
  }
  const scope = { contexts: { github: githubContext(settings.event), inputs: context.inputs, vars: settings.vars } };
  const concurrency = readConcurrency(workflow.concurrency, scope);
  const outcomes = await runJobs(context, callWorkflow);
  const jobs = [...outcomes.values()].flatMap((outcome) => outcome.rows);
  const needs = Object.fromEntries([...outcomes].map(([id, { result, outputs }]) => [id, { result, outputs }]));
  const masks = createSecretMasker(Object.values(given));
  return {
    name: workflow.name,
    isTriggered: true,
    reason,
    conclusion: combinedResult([...outcomes.values()].map((outcome) => outcome.result)),
    jobs,
    needs,
    concurrency,
    log: masks.mask(jobs.map((job) => `=== ${job.name} (${job.result}) ${job.reason ?? ''}\n${job.log}`).join('\n')),
  };
}

function openSettings(request: WorkflowRequest, repository: string, root: string): RunSettings {
  const repositoryName = String(githubContext(request.event)['repository']);
  const repositories = new Map(
    Object.entries(request.repositories ?? {}).map(([name, folder]) => [name.toLowerCase(), resolve(folder)]),
  );
  const checkout = createCheckout({ repository, name: repositoryName }, request.event, repositories);
  const builtins = Object.entries({ 'actions/checkout': checkout, ...request.builtins });
  const payload = request.inputs === undefined ? {} : { payload: { ...request.event.payload, inputs: request.inputs } };
  return {
    repository,
    repositoryName,
    event: { ...(isAbsolute(request.file) ? {} : { workflowFile: request.file }), ...request.event, ...payload },
    root,
    vars: request.vars ?? {},
    environment: request.env ?? {},
    runnerEnvironment: request.runnerEnvironment ?? (() => ({})),
    repositories,
    builtins: new Map(builtins.map(([name, action]) => [name.toLowerCase(), action])),
    slots: createSlots(request.parallelJobs ?? 1),
    isFork: isForkPullRequest(request.event, repositoryName),
    debug: request.debug ?? false,
    signal: request.signal,
    report: request.onProgress ?? (() => undefined),
  };
}

function dispatchInputs(request: WorkflowRequest, workflow: WorkflowDefinition): Readonly<Record<string, unknown>> {
  if (request.event.name !== 'workflow_dispatch') return {};
  const dispatch = asMapping(workflow.on.get('workflow_dispatch'), 'on.workflow_dispatch');
  return settleWorkflowInputs(dispatch['inputs'], request.inputs ?? {}, request.file);
}

/** The paths that path filters look at: two-dot for pushes, three-dot for pull requests. */
async function eventPaths(repository: string, event: TriggerEvent): Promise<readonly string[] | undefined> {
  if (event.name === 'push') return changedPaths(repository, [String(event.payload?.['before'] ?? ''), event.sha]);
  const pull = asMapping(event.payload?.['pull_request'], 'pull_request');
  const [base, head] = [asMapping(pull['base'], 'base')['sha'], asMapping(pull['head'], 'head')['sha']];
  if (base === undefined || head === undefined) return undefined;
  return changedPaths(repository, [`${String(base)}...${String(head)}`]);
}
