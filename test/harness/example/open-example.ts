import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { makeWorkspace } from '../../../scripts/start/workspace.ts';
import type { TriggerEvent } from '../runner/trigger-event.ts';
import type { JobFacts } from '../workflow/run-settings.ts';
import { runWorkflow } from '../workflow/run-workflow.ts';
import type { WorkflowResult } from '../workflow/workflow-result.ts';
import { startWorld, type World } from '../world.ts';
import type { Change } from './changes.ts';
import { createExampleGit, type ExampleGit } from './example-git.ts';
import { type PublishedImages, readPublishedImages } from './published-images.ts';

const root = path.resolve(import.meta.dirname, '../../..');
const NO_COMMIT = '0'.repeat(40);
export const TOKEN = 'ghs_token_of_the_example';

export interface ExampleOptions {
  /** A folder of `examples/`. */
  readonly name: string;
  /** Where its files are, if not there. */
  readonly source?: string;
  /** `Owner/Name`, in the case its owner chose. */
  readonly repository: string;
  /** The default branch; `main` unless told. */
  readonly branch?: string;
  /** The repository's variables and secrets, beside `REGISTRY`; they are known once the world is. */
  readonly vars?: (world: World) => Readonly<Record<string, string>>;
  readonly secrets?: (world: World) => Readonly<Record<string, string>>;
  /** More of each job's environment: addresses of services that the world has none of. */
  readonly environment?: () => Readonly<Record<string, string>>;
  readonly log?: (line: string) => void;
}

/** An example as a repository of its own, in a world of its own, with the events that start its workflows. */
export interface Example extends AsyncDisposable {
  readonly world: World;
  readonly folder: string;
  readonly git: ExampleGit;
  readonly images: PublishedImages;
  /** The push that made the default branch. */
  firstPush(file: string): Promise<WorkflowResult>;
  /** Commits the changes on the default branch and pushes them. */
  push(file: string, ...changes: readonly Change[]): Promise<WorkflowResult>;
  pullRequest(file: string, from: 'branch' | 'fork', ...changes: readonly Change[]): Promise<WorkflowResult>;
  schedule(file: string, cron: string): Promise<WorkflowResult>;
  dispatch(file: string, inputs?: Readonly<Record<string, unknown>>): Promise<WorkflowResult>;
  pushTag(file: string, tag: string): Promise<WorkflowResult>;
  /** A release of a tag that is there. */
  release(file: string, tag: string): Promise<WorkflowResult>;
}

type Occasion = Pick<TriggerEvent, 'name' | 'ref' | 'sha'> & Partial<TriggerEvent>;

export async function openExample(options: ExampleOptions): Promise<Example> {
  const { name, repository, branch = 'main', log = () => undefined } = options;
  await using started = new AsyncDisposableStack();
  const folder = await mkdtemp(path.join(tmpdir(), `slipway-${name}-`));
  started.defer(() => rm(folder, { recursive: true, force: true }));
  // The engine is the one that the set-up of the end-to-end tests started, and has its base images from there.
  const world = started.use(
    await startWorld({ folder: path.join(folder, 'world'), repository, defaultBranch: branch, images: [], log }),
  );
  const source = options.source ?? path.join(root, 'examples', name);
  const workspace = makeWorkspace(source, path.join(folder, 'repository'));
  const git = createExampleGit(workspace.folder, branch);
  if (branch !== 'main') git.run('branch', '--move', 'main', branch);
  const running = started.move();

  const mainRef = `refs/heads/${branch}`;
  let runId = 0;
  let pullRequests = 0;
  // As on GitHub's machines, folders have the same names in every run: @actions/cache makes them part of an entry's.
  const machines = path.join(folder, 'machines');
  const start = async (
    file: string,
    occasion: Occasion,
    inputs?: Readonly<Record<string, unknown>>,
  ): Promise<WorkflowResult> => {
    runId += 1;
    const run = { ref: occasion.ref, runId };
    await rm(machines, { recursive: true, force: true });
    return runWorkflow({
      root: machines,
      repository: workspace.folder,
      file: path.isAbsolute(file) ? file : `.github/workflows/${file}`,
      event: {
        ...occasion,
        runId,
        repository,
        apiUrl: world.api.url,
        token: TOKEN,
        payload: { ...occasion.payload, repository: { full_name: repository, default_branch: branch, private: false } },
      },
      ...(inputs === undefined ? {} : { inputs }),
      vars: { REGISTRY: world.registry.host, ...options.vars?.(world) },
      secrets: options.secrets?.(world) ?? {},
      repositories: { 'slipway-actions/slipway': root },
      parallelJobs: 2,
      runnerEnvironment: (job) => ({ ...environmentOf(world, job, run, mainRef), ...options.environment?.() }),
    });
  };
  const pushOf = (file: string, ref: string, before: string): Promise<WorkflowResult> =>
    start(file, { name: 'push', ref, sha: git.head(), payload: { ref, before, after: git.head() } });

  return {
    world,
    folder: workspace.folder,
    git,
    images: readPublishedImages(world.registry.host, repository.toLowerCase()),
    firstPush: (file) => pushOf(file, mainRef, NO_COMMIT),
    push: (file, ...changes) => pushOf(file, mainRef, git.commit(changes)),
    pullRequest(file, from, ...changes) {
      pullRequests += 1;
      const { number, base, head, merge } = git.openPullRequest(pullRequests, changes);
      const source = from === 'fork' ? `somebody/${repository.split('/')[1]}` : repository;
      const sides = {
        head: { sha: head, ref: `change-${number}`, repo: { full_name: source, fork: from === 'fork' } },
        base: { sha: base, ref: branch, repo: { full_name: repository, fork: false } },
      };
      return start(file, {
        name: 'pull_request',
        ref: `refs/pull/${number}/merge`,
        sha: merge,
        baseRef: branch,
        headRef: `change-${number}`,
        payload: { action: 'opened', number, pull_request: { number, ...sides } },
      });
    },
    schedule: (file, cron) =>
      start(file, { name: 'schedule', ref: mainRef, sha: git.head(), payload: { schedule: cron } }),
    dispatch: (file, inputs = {}) =>
      start(file, { name: 'workflow_dispatch', ref: mainRef, sha: git.head(), payload: { ref: mainRef } }, inputs),
    pushTag(file, tag) {
      git.tag(tag);
      return pushOf(file, `refs/tags/${tag}`, NO_COMMIT);
    },
    release: (file, tag) =>
      start(file, {
        name: 'release',
        ref: `refs/tags/${tag}`,
        sha: git.head(),
        payload: { action: 'released', release: { tag_name: tag, prerelease: false, draft: false } },
      }),
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

/** As on GitHub, a run writes caches for its own ref, and reads those of the default branch too. */
function environmentOf(
  world: World,
  job: JobFacts,
  run: { readonly ref: string; readonly runId: number },
  mainRef: string,
): Readonly<Record<string, string>> {
  const scopes = [
    { scope: run.ref, permission: 3 },
    ...(run.ref === mainRef ? [] : [{ scope: mainRef, permission: 1 }]),
  ];
  const caches = world.results.environment({
    runId: `run-${run.runId}`,
    jobId: job.name.replace(/[^\w-]+/g, '-'),
    scopes,
  });
  return { ...world.environmentOf(job, run), ...caches };
}
