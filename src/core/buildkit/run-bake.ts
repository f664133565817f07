import { randomInt } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { RunCommand } from '../runner/command.ts';
import type { Environment } from '../runner/commands.ts';
import { type BuildFailure, readFailure } from './build-failure.ts';
import { watchCache } from './cache-watch.ts';
import { followProgress, type Step, type TargetLabels } from './progress.ts';
import type { VertexWarning } from './progress-events.ts';

export interface BakeRun {
  /** The definition's file. */
  readonly file: string;
  readonly metadataFile: string;
  readonly builder: string | undefined;
  readonly targets: readonly string[];
  /** Changes to the definition for this run, as `target.key=value`. */
  readonly overrides?: readonly string[];
  /** Arguments of `docker buildx build` that take the definition's place, for what bake has no attribute for. */
  readonly build?: readonly string[] | undefined;
  readonly labels: TargetLabels;
  /** Folders outside of `cwd` that bake may read from and write to, and other things it must be allowed. */
  readonly allow: readonly string[];
  readonly cwd: string;
  readonly env: Environment;
  /** Milliseconds. */
  readonly deadline: number;
  /** Milliseconds that reading or writing a cache may take. */
  readonly cacheDeadline: number;
}

export interface BakeObserver {
  readonly onStep: (step: Step) => void;
  /** Called twice a minute with what runs, so that a long step is seen to live. */
  readonly onWaiting: (running: readonly Step[]) => void;
}

export type BakeResult = { readonly steps: readonly Step[]; readonly warnings: readonly VertexWarning[] } & (
  | { readonly isBuilt: true }
  | { readonly isBuilt: false; readonly failure: BuildFailure }
);

const HEARTBEAT = 30_000;

/** The arguments of one `docker buildx bake`: no secret and no cache token is among them. */
export function bakeArguments(
  run: Omit<BakeRun, 'cwd' | 'env' | 'deadline' | 'cacheDeadline' | 'labels' | 'build'>,
): readonly string[] {
  return [
    'buildx',
    'bake',
    ...(run.builder === undefined ? [] : ['--builder', run.builder]),
    '--file',
    run.file,
    '--progress',
    'rawjson',
    '--metadata-file',
    run.metadataFile,
    ...(run.overrides ?? []).flatMap((override) => ['--set', override]),
    ...run.allow.flatMap((entitlement) => ['--allow', entitlement]),
    ...run.targets,
  ];
}

function buildxArguments(run: BakeRun): readonly string[] {
  if (run.build === undefined) return bakeArguments(run);
  const builder = run.builder === undefined ? [] : ['--builder', run.builder];
  return ['buildx', 'build', ...builder, '--progress', 'rawjson', '--metadata-file', run.metadataFile, ...run.build];
}

/**
 * Runs one build. Its exit code alone decides (docker's own actions take an empty stderr for success).
 * Throws CommandError when buildx cannot be started or passes the deadline; a build that fails is a result.
 */
export async function runBake(run: BakeRun, runCommand: RunCommand, observer: BakeObserver): Promise<BakeResult> {
  const progress = followProgress(run.labels, observer.onStep);
  const heartbeat = setInterval(() => {
    const running = progress
      .steps()
      .filter(({ started, completed }) => started !== undefined && completed === undefined);
    if (running.length > 0) observer.onWaiting(running);
  }, HEARTBEAT);
  const controller = new AbortController();
  const watch = watchCache(progress.steps, run.cacheDeadline, () => controller.abort());
  try {
    const { exitCode } = await runCommand('docker', buildxArguments(run), {
      cwd: run.cwd,
      env: run.env,
      deadline: run.deadline,
      allowFailure: true,
      signal: controller.signal,
      onStderrLine: progress.read,
    });
    const seen = { steps: progress.steps(), warnings: progress.warnings() };
    if (exitCode === 0) return { isBuilt: true, ...seen };
    return { isBuilt: false, failure: readFailure(progress.text(), seen.steps), ...seen };
  } catch (error) {
    const late = watch.late();
    if (late === undefined) throw error;
    return {
      isBuilt: false,
      failure: lateCache(late, run.cacheDeadline),
      steps: progress.steps(),
      warnings: progress.warnings(),
    };
  } finally {
    watch.stop();
    clearInterval(heartbeat);
  }
}

function lateCache(instruction: string, limit: number): BuildFailure {
  const message = `${instruction} took longer than ${Math.round(limit / 1_000)} s`;
  return { message, kind: 'cache', step: undefined, file: undefined, line: undefined, endLine: undefined };
}

export interface RetryChoices {
  /** Tries of a build that fails for the network's sake, the first included. */
  readonly tries: number;
  readonly say: (message: string) => void;
  readonly wait?: (milliseconds: number) => Promise<unknown>;
}

/**
 * Runs a build again after a network fault of a pull or a push, with a growing pause; everything that was built is in
 * the builder's cache by then. A failed instruction, and all other failures, are returned at once.
 */
export async function bakeWithRetries(bake: () => Promise<BakeResult>, choices: RetryChoices): Promise<BakeResult> {
  const wait = choices.wait ?? sleep;
  for (let attempt = 1; ; attempt += 1) {
    const result = await bake();
    if (result.isBuilt || result.failure.kind !== 'network' || attempt >= choices.tries) return result;
    const pause = 2_000 * 3 ** (attempt - 1) + randomInt(1_000);
    choices.say(
      `the network failed the build (${firstLine(result.failure.message)}); trying again in ${Math.round(pause / 1000)} s`,
    );
    await wait(pause);
  }
}

function firstLine(text: string): string {
  return (text.split('\n')[0] ?? '').slice(0, 200);
}
