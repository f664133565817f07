/** What the steps of one job share: folders, the event file, masks, variables and PATH entries that earlier steps set. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { killGroup } from './child-process.ts';
import { createSecretMasker, type SecretMasker } from './masks.ts';
import { githubContext, githubVariables, type TriggerEvent } from './trigger-event.ts';

export interface RunnerJobOptions {
  readonly event: TriggerEvent;
  readonly workspace: string;
  /** Where temp, home and tool cache go; a folder that is given here is kept, otherwise it is made and removed. */
  readonly root?: string;
  /** What the machine itself has set: DOCKER_HOST, ACTIONS_RESULTS_URL, GITHUB_API_URL, … Overrides what follows from the event. */
  readonly environment?: Readonly<Record<string, string>>;
  readonly secrets?: readonly string[];
  readonly debug?: boolean;
  readonly masks?: SecretMasker;
}

export interface RunnerJob extends AsyncDisposable {
  readonly workspace: string;
  readonly root: string;
  readonly temp: string;
  readonly toolCache: string;
  readonly home: string;
  readonly eventPath: string;
  readonly debug: boolean;
  readonly masks: SecretMasker;
  readonly github: Record<string, unknown>;
  readonly runner: Readonly<Record<string, string>>;
  readonly environment: Readonly<Record<string, string>>;
  /** Variables from GITHUB_ENV of the steps so far. */
  readonly env: Map<string, string>;
  /** Entries from GITHUB_PATH of the steps so far, oldest first. */
  readonly path: string[];
  readonly processGroups: Set<number>;
}

export async function openRunnerJob(options: RunnerJobOptions): Promise<RunnerJob> {
  const root = options.root ?? (await mkdtemp(join(tmpdir(), 'runner-')));
  const [temp, toolCache, home] = [join(root, '_temp'), join(root, '_tool'), join(root, 'home')];
  await Promise.all([temp, toolCache, home, options.workspace].map((folder) => mkdir(folder, { recursive: true })));
  const eventPath = join(temp, '_github_workflow', 'event.json');
  await mkdir(join(temp, '_github_workflow'), { recursive: true });
  await writeFile(eventPath, JSON.stringify(options.event.payload ?? {}));

  const masks = options.masks ?? createSecretMasker();
  for (const secret of [...(options.secrets ?? []), options.event.token ?? '']) masks.add(secret);
  const environment = options.environment ?? {};
  const github: Record<string, unknown> = {
    ...githubContext(options.event),
    workspace: options.workspace,
    event_path: eventPath,
  };
  const debug = options.debug ?? false;
  const runner = {
    os: 'Linux',
    arch: process.arch === 'arm64' ? 'ARM64' : 'X64',
    name: 'Test Runner',
    environment: 'github-hosted',
    temp,
    tool_cache: toolCache,
    ...(debug ? { debug: '1' } : {}),
  };
  overrideContext(github, 'GITHUB_', environment);
  overrideContext(runner, 'RUNNER_', environment);
  const processGroups = new Set<number>();
  return {
    workspace: options.workspace,
    root,
    temp,
    toolCache,
    home,
    eventPath,
    debug,
    masks,
    github,
    runner,
    environment,
    env: new Map(),
    path: [],
    processGroups,
    async [Symbol.asyncDispose]() {
      for (const group of processGroups) killGroup(group);
      if (options.root === undefined) await rm(root, { recursive: true, force: true });
    },
  };
}

/** Lets the machine's GITHUB_* and RUNNER_* variables decide the contexts, so that variables and expressions agree. */
function overrideContext(
  context: Record<string, unknown>,
  prefix: string,
  environment: Readonly<Record<string, string>>,
): void {
  for (const [name, value] of Object.entries(environment)) {
    const key = name.slice(prefix.length).toLowerCase();
    if (name.startsWith(prefix) && name !== 'GITHUB_TOKEN' && Object.hasOwn(context, key)) context[key] = value;
  }
}

/** Variables that the runner gives to actions but not to `run:` steps. */
export const actionOnlyVariables: ReadonlySet<string> = new Set([
  'ACTIONS_CACHE_SERVICE_V2',
  'ACTIONS_CACHE_URL',
  'ACTIONS_RESULTS_URL',
  'ACTIONS_RUNTIME_TOKEN',
  'ACTIONS_RUNTIME_URL',
]);

/**
 * The whole environment of one process. Later wins: the machine, GITHUB_ENV, the step's `env`, then what only the
 * runner may set.
 */
export function processEnvironment(
  job: RunnerJob,
  step: Readonly<Record<string, string>>,
  runnerSet: Readonly<Record<string, string>>,
  kind: 'action' | 'script',
): Record<string, string> {
  const machine = Object.entries(job.environment).filter(
    ([name]) => kind === 'action' || !actionOnlyVariables.has(name),
  );
  const variables: Record<string, string> = {
    CI: 'true',
    LANG: 'C.UTF-8',
    ...Object.fromEntries(machine),
    HOME: job.environment['HOME'] ?? job.home,
    ...Object.fromEntries(job.env),
    ...step,
    ...githubVariables(job.github),
    GITHUB_ACTIONS: 'true',
    ...runnerVariables(job.runner),
    RUNNER_WORKSPACE: join(job.workspace, '..'),
    ...runnerSet,
  };
  const path = step['PATH'] ?? job.env.get('PATH') ?? job.environment['PATH'] ?? machinePath();
  variables['PATH'] = [...job.path.toReversed(), path].join(delimiter);
  return variables;
}

function runnerVariables(runner: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(runner).map(([key, value]) => [`RUNNER_${key.toUpperCase()}`, value]));
}

/** The machine's PATH without this project's node_modules: an action must not find tools there. */
function machinePath(): string {
  const entries = (process.env['PATH'] ?? '/usr/local/bin:/usr/bin:/bin').split(delimiter);
  return entries.filter((entry) => !entry.includes('node_modules')).join(delimiter);
}
