import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { BuildFailure } from '../../core/buildkit/build-failure.ts';
import { MIN_BUILDX } from '../../core/buildkit/builder.ts';
import type { Step } from '../../core/buildkit/progress.ts';
import type { VertexWarning } from '../../core/buildkit/progress-events.ts';
import { type BakeResult, bakeWithRetries, runBake } from '../../core/buildkit/run-bake.ts';
import type { Environment } from '../../core/runner/commands.ts';
import type { Finding } from '../../core/runner/log.ts';
import type { ActionContext } from '../../core/runner/run-action.ts';
import type { BuildPlan } from './plan.ts';
import { createStepLog } from './step-log.ts';

export interface BuildRun {
  readonly builder: string;
  readonly folder: string;
  readonly environment: Environment;
  /** False where the cache is known not to answer. */
  readonly isCacheUsable: boolean;
  /** Milliseconds. */
  readonly deadline: number;
  readonly cacheDeadline: number;
}

const TRIES = 3;

/** The file in the private folder that buildx writes what it built to. */
export function metadataPath(folder: string): string {
  return join(folder, 'metadata.json');
}

/**
 * Runs the plan's build: again after a network fault, and without its caches when they may be what failed.
 *
 * A network fault that stays may be the cache's: BuildKit fetches a cached layer when it is needed, and its error does
 * not say whose layer it was.
 */
export async function build(plan: BuildPlan, run: BuildRun, context: ActionContext): Promise<BakeResult> {
  if (!run.isCacheUsable) return buildDefinition(plan.definitionWithoutCache, plan, run, context);
  const first = await buildDefinition(plan.definition, plan, run, context);
  const hasCache = plan.definition !== plan.definitionWithoutCache;
  if (first.isBuilt || !hasCache || !(first.failure.kind === 'cache' || first.failure.kind === 'network')) return first;
  context.log.warning(
    `the build cache may have failed the build, which is done again without it: ${first.failure.message.slice(0, 300)}`,
  );
  return buildDefinition(plan.definitionWithoutCache, plan, run, context);
}

/** Puts one target out again in another form, out of what the builder has in its cache by now. */
export async function rebuild(
  plan: BuildPlan,
  run: BuildRun,
  context: ActionContext,
  target: string,
  as: { readonly output: string; readonly tags?: string },
): Promise<boolean> {
  const only = { ...plan, asBuild: undefined, targets: [target] };
  const overrides = [
    `${target}.output=${as.output}`,
    `${target}.attest=type=provenance,disabled=true`,
    ...(as.tags === undefined ? [] : [`${target}.tags=${as.tags}`]),
  ];
  return (await buildDefinition(plan.definitionWithoutCache, only, run, context, overrides)).isBuilt;
}

async function buildDefinition(
  definition: string,
  plan: BuildPlan,
  run: BuildRun,
  context: ActionContext,
  overrides: readonly string[] = [],
): Promise<BakeResult> {
  const file = join(run.folder, 'docker-bake.json');
  await writeFile(file, definition, { mode: 0o600 });
  const bake = async (): Promise<BakeResult> => {
    const log = createStepLog(context.log);
    const result = await runBake(
      {
        file,
        metadataFile: overrides.length === 0 ? metadataPath(run.folder) : join(run.folder, 'other-metadata.json'),
        builder: run.builder,
        targets: plan.targets,
        overrides,
        build: definition === plan.definition ? plan.asBuild?.withCache : plan.asBuild?.withoutCache,
        labels: plan.labels,
        allow: plan.allow,
        cwd: context.workspace,
        env: run.environment,
        deadline: run.deadline,
        cacheDeadline: run.cacheDeadline,
      },
      context.runCommand,
      log,
    );
    await log.finish();
    return result;
  };
  return bakeWithRetries(bake, { tries: TRIES, say: context.log.info });
}

/** A failed build as an annotation, at the instruction in the Dockerfile where that is known. */
export function failureFinding(failure: BuildFailure, plan: BuildPlan): Finding {
  const { step, line, endLine, message } = failure;
  const file = dockerfileOf(plan, step?.target, failure.file);
  const title =
    step?.stage === undefined ? 'The build failed' : `Stage ${step.stage} failed at its step ${step.place ?? ''}`;
  const tail = step === undefined ? '' : lastWords(step).join('\n');
  return {
    title,
    message: [message, tail, refusalHint(message), oldBuildxHint(message)].filter((part) => part !== '').join('\n'),
    ...(file === undefined || line === undefined ? {} : { file, line }),
    ...(file === undefined || line === undefined || endLine === undefined ? {} : { endLine }),
  };
}

/** What a person can do about a registry's refusal. */
function refusalHint(message: string): string {
  const isRefused = /\b(?:401 Unauthorized|403 Forbidden)\b|denied|insufficient_scope|authorization failed/i.test(
    message,
  );
  return isRefused
    ? 'Give the job "permissions: packages: write" for GitHub’s registry, or "registry", "username" and "password" for another one.'
    : '';
}

/** buildx names the flag or the attribute that it does not know. */
function oldBuildxHint(message: string): string {
  return /unknown flag: --|invalid progress mode|invalid value "fs|unknown entitlement/.test(message)
    ? `This runner's buildx may be too old: ${MIN_BUILDX} or newer is needed.`
    : '';
}

/** The end of a step's output, and of its standard error when that does not stand there. */
function lastWords({ output, errorOutput }: Step): readonly string[] {
  const tail = output.slice(-10);
  const errors = errorOutput.slice(-5);
  return errors.every((line) => tail.includes(line)) ? tail : [...tail, ...errors];
}

/** What BuildKit's own checks say of a Dockerfile. */
export function warningFinding(warning: VertexWarning, plan: BuildPlan): Finding {
  const file = dockerfileOf(plan, undefined, warning.file);
  const more = warning.url === undefined ? '' : ` (${warning.url})`;
  return {
    title: 'Dockerfile check',
    message: `${warning.message.replace(/ \(line \d+\)$/, '')}${more}`,
    ...(file === undefined || warning.line === undefined ? {} : { file, line: warning.line }),
  };
}

/** BuildKit knows a Dockerfile by its last name only. With several of one name, the failed target says which it is. */
function dockerfileOf(plan: BuildPlan, target: string | undefined, name: string | undefined): string | undefined {
  const images = target === undefined ? plan.images : plan.images.filter((image) => image.name === target);
  const files = new Set((images.length === 0 ? plan.images : images).flatMap(({ dockerfile }) => dockerfile ?? []));
  const named = [...files].filter((file) => name === undefined || file.split('/').pop() === name);
  return named.length === 1 ? named[0] : undefined;
}

/** The command by which a person repeats the build from the definition in the log. */
export function repeatCommand(plan: BuildPlan, step: BuildFailure['step']): string {
  const target = step?.target ?? plan.images[0]?.name ?? 'default';
  return `docker buildx bake --file docker-bake.json --set '*.output=type=cacheonly' --set '*.cache-to=' --progress plain ${target}`;
}
