import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { BuildFailure } from '../../core/buildkit/build-failure.ts';
import { parseMetadata } from '../../core/buildkit/build-metadata.ts';
import { writeSecretFiles } from '../../core/buildkit/build-secrets.ts';
import { buildTimeline, type Timeline } from '../../core/buildkit/build-timeline.ts';
import { removeBuilder } from '../../core/buildkit/builder.ts';
import { nextFolder } from '../../core/buildkit/cache.ts';
import { isInside } from '../../core/buildkit/confined-path.ts';
import { parseEntries, parsePairs } from '../../core/buildkit/csv-records.ts';
import type { RegistryLogin } from '../../core/buildkit/docker-config.ts';
import { rowPaths } from '../../core/buildkit/image-targets.ts';
import type { Environment } from '../../core/runner/commands.ts';
import { ConfigurationError } from '../../core/runner/errors.ts';
import { inInput } from '../../core/runner/inputs.ts';
import {
  type ActionContext,
  ActionFailure,
  type ActionResult,
  type Post,
  type Run,
} from '../../core/runner/run-action.ts';
import { build, failureFinding, metadataPath, rebuild, repeatCommand, warningFinding } from './build.ts';
import { createLeaveBuildRecord, recordsOf } from './build-records.ts';
import { connectCache } from './cache-connection.ts';
import { callFrontend } from './call-frontend.ts';
import { checkExports, failedExportChecks } from './check-exports.ts';
import { BUILDER_STATE, chooseBuilder } from './choose-builder.ts';
import { isFromFork } from './choose-cache.ts';
import { readCommitTime } from './commit-time.ts';
import type { BuildInputs, contract } from './contract.ts';
import { prepareExports } from './export-folders.ts';
import { type FinishedImage, failedChecks, pushImages, readImages, titleOf } from './finish-images.ts';
import { freeDiskSpace } from './free-disk-space.ts';
import { requestImages } from './image-requests.ts';
import { fillCacheMounts, removeMountFolders, saveCacheMounts } from './keep-cache-mounts.ts';
import { endOrphanBuilds } from './orphan-builds.ts';
import { withParentImages } from './parent-images.ts';
import { type BuildPlan, planBuild, smokePrefix } from './plan.ts';
import { readPublished, sizesOf } from './published-images.ts';
import { createRegistryCalls } from './push-image.ts';
import { chooseLogin, logIn, registriesOf } from './registry-login.ts';
import { imageOutputs, timingOutputs } from './result-outputs.ts';
import { removeSmokeImages, smokeImages } from './smoke-images.ts';
import { stepName } from './step-log.ts';
import { buildSummary, type ImageResult } from './summary.ts';

type Result = ActionResult<typeof contract>;

const FOLDER_STATE = 'folder';

export const run: Run<typeof contract> = async (given, context) => {
  maskSecrets(given, context);
  const inputs = { ...given, image: await withParentImages(given.image, context) };
  const folder = await mkdtemp(join(context.temp, 'slipway-build-'));
  context.state.save(FOLDER_STATE, folder);
  try {
    return await buildIn(folder, inputs, context);
  } finally {
    await removeTraces(folder, inputs, context);
  }
};

/** Removes what a main step left that was ended before it could clean up, and the builder that it created. */
export const post: Post<typeof contract> = async (inputs, context) => {
  const { state, environment, runCommand } = context;
  const folder = state.get(FOLDER_STATE);
  // A main step that came to its end has removed it.
  if (folder !== undefined && existsSync(folder)) await endOrphanBuilds(folder);
  if (folder !== undefined) await removeTraces(folder, inputs, context);
  const builder = state.get(BUILDER_STATE);
  if (builder !== undefined) await removeBuilder(builder, { runCommand, env: environment });
};

async function removeTraces(folder: string, inputs: BuildInputs, context: ActionContext): Promise<void> {
  await rm(folder, { recursive: true, force: true });
  await removeMountFolders(context.temp);
  if (inputs.smoke.length > 0) await removeSmokeImages(smokePrefix(folder), context.environment, context);
}

async function buildIn(folder: string, inputs: BuildInputs, context: ActionContext): Promise<Result> {
  const { event, environment, workspace, log } = context;
  await freeDiskSpace(inputs, requestImages(inputs, event), context);
  const [builder, commitTime, published] = await Promise.all([
    chooseBuilder(inputs, context),
    readCommitTime(context),
    readPublished(inputs, context),
  ]);
  const facts = { event, environment, workspace, folder, builder, commitTime, publishedSizes: sizesOf(published) };
  const plan = planBuild(inputs, facts);
  await sayPlan(plan, builder.name, context);
  await checkRowPaths(plan, workspace);
  await prepareExports(plan.exports, workspace, log);
  await writeSecretFiles(plan.secrets, folder);
  const { login, dockerEnvironment } = await prepareLogin(plan, inputs, folder, context);

  await using cache = await connectCache(plan, builder, inputs.cacheTimeout, context);
  const run = {
    builder: builder.name,
    folder,
    environment: { ...dockerEnvironment, ...cache.environment },
    isCacheUsable: cache.isUsable,
    deadline: inputs.timeout,
    cacheDeadline: inputs.cacheTimeout,
  };
  if (inputs.call !== 'build') return callFrontend(inputs.call, plan, run, context);
  const limits = { isWritable: !isFromFork(event), cacheTimeout: inputs.cacheTimeout };
  // With `no-cache`, BuildKit gives every step new mounts.
  const keepsMounts = !inputs.noCache && inputs.cacheMounts === 'auto' && inputs.cache !== 'off' && cache.isUsable;
  const mounts = keepsMounts ? await fillCacheMounts(plan, run, limits, context) : [];
  const result = await build(plan, run, context);
  const timeline = buildTimeline(result.steps);
  if (inputs.dockerfileChecks) for (const warning of result.warnings) log.warning(warningFinding(warning, plan));
  if (!result.isBuilt) throw buildFailed(result.failure, plan, timeline, context);
  await keepLocalCaches(plan);
  await saveCacheMounts(mounts, run, limits, context);

  const metadata = await readMetadata(plan, folder);
  const registry = createRegistryCalls(login, log);
  const told = metadata === '' ? new Map() : parseMetadata(metadata);
  const read = await readImages(plan, told, published, registry.readPublished);
  const exports = await checkExports(plan, folder, (target, layout) =>
    rebuild(plan, run, context, target, { output: `type=oci,tar=false,dest=${layout}` }),
  );
  const built = await smokeImages(
    plan,
    read,
    {
      prefix: smokePrefix(folder),
      environment: dockerEnvironment,
      deadline: inputs.smokeTimeout,
      loadImage: (target, tags) => rebuild(plan, run, context, target, { output: 'type=docker', tags }),
    },
    context,
  );
  const failures = [...failedChecks(built), ...failedExportChecks(exports)];
  const push = failures.length === 0 ? inputs.push : 'false';
  const images = await pushImages(built, push, registry.pushImage, registry.readPublished);
  const done: Result = {
    outputs: { ...timingOutputs(plan, timeline), ...imageOutputs(images, plan, metadata, workspace) },
    summary: buildSummary(images.map(toImageResult), exports, timeline, plan.definition),
  };
  if (failures.length > 0) throw checksFailed(failures, inputs, done, context);
  if (inputs.push === 'by-digest') await leaveRecords(images, context);
  return done;
}

/** What buildx told, by target also where one build was run without bake; `''` where it told nothing. */
async function readMetadata(plan: BuildPlan, folder: string): Promise<string> {
  if (!existsSync(metadataPath(folder))) return '';
  const text = await readFile(metadataPath(folder), 'utf8');
  return plan.asBuild === undefined ? text : JSON.stringify({ [plan.images[0]?.name ?? '']: JSON.parse(text) });
}

function maskSecrets(inputs: BuildInputs, { log }: ActionContext): void {
  for (const value of inInput('secrets', () => parsePairs(parseEntries(inputs.secrets), 'id=value')).values())
    log.mask(value);
}

/** A row's text may come from a pull request: a link in it must not have the runner's own files sent to the build. */
async function checkRowPaths({ images }: BuildPlan, workspace: string): Promise<void> {
  for (const { row } of images) {
    for (const path of row === undefined ? [] : rowPaths(row)) {
      if (!(await isInside(workspace, path)))
        throw new ConfigurationError(`the path "${path}" of row "${row?.id ?? ''}" leads out of the repository`);
    }
  }
}

async function sayPlan(plan: BuildPlan, builder: string, { log }: ActionContext): Promise<void> {
  for (const notice of plan.notices) log.notice(notice);
  for (const warning of plan.warnings) log.warning(warning);
  await log.group(
    `Bake definition: ${plan.images.map(titleOf).join(', ')}, with the builder "${builder}"`,
    async () => {
      for (const line of plan.definition.trimEnd().split('\n')) log.info(line);
    },
  );
}

async function prepareLogin(
  plan: BuildPlan,
  inputs: BuildInputs,
  folder: string,
  context: ActionContext,
): Promise<{ readonly login: RegistryLogin | undefined; readonly dockerEnvironment: Environment }> {
  const { login, isNew } = await chooseLogin(inputs, registriesOf(plan, inputs), context);
  const added = login !== undefined && isNew ? await logIn(login, folder, context.environment) : {};
  // The inputs of this action, a password among them, are no business of the programs it runs.
  const own = Object.entries(context.environment).filter(([name]) => !name.startsWith('INPUT_'));
  return {
    login,
    dockerEnvironment: { ...Object.fromEntries(own), ...added, ...Object.fromEntries(plan.secrets.environment) },
  };
}

/** Puts caches that were written to folders in the place of those that were read. */
async function keepLocalCaches({ images }: BuildPlan): Promise<void> {
  for (const { localCacheFolder: folder } of images) {
    if (folder === undefined || !existsSync(nextFolder(folder))) continue;
    await rm(folder, { recursive: true, force: true });
    await rename(nextFolder(folder), folder);
  }
}

async function leaveRecords(images: readonly FinishedImage[], { environment, log }: ActionContext): Promise<void> {
  const records = recordsOf(images);
  const leave = createLeaveBuildRecord(environment, log);
  if (leave === undefined && records.length > 0)
    log.notice('the runner offers no artifact service: give the output "digests" to the job that publishes');
  for (const record of records) await leave?.(record);
}

function toImageResult(image: FinishedImage): ImageResult {
  return {
    title: titleOf(image),
    digest: image.digest,
    refs: image.refs,
    platforms: image.platforms,
    published: image.publishedImages,
    checks: image.checks,
  };
}

function buildFailed(failure: BuildFailure, plan: BuildPlan, timeline: Timeline, { log }: ActionContext): Error {
  log.error(failureFinding(failure, plan));
  log.info(
    `To repeat the build, save the bake definition above as docker-bake.json and run:\n  ${repeatCommand(plan, failure.step)}`,
  );
  const where = failure.step?.stage === undefined ? (failure.message.split('\n')[0] ?? '') : stepName(failure.step);
  const result: Result = {
    outputs: timingOutputs(plan, timeline),
    summary: buildSummary(plan.images.map(unbuilt), [], timeline, plan.definition, {
      where,
      output: failure.step?.output ?? [],
    }),
  };
  return new ActionFailure(`the build failed: ${where}`, result);
}

function unbuilt(image: BuildPlan['images'][number]): ImageResult {
  return { title: titleOf(image), digest: undefined, refs: [], platforms: [], published: [], checks: [] };
}

function checksFailed(failures: readonly string[], inputs: BuildInputs, result: Result, { log }: ActionContext): Error {
  for (const failure of failures) log.error({ title: 'Check on the image', message: failure });
  const pushed = inputs.push === 'false' ? '' : '; nothing was pushed';
  return new ActionFailure(
    `${failures.length} check${failures.length === 1 ? '' : 's'} on the image failed${pushed}`,
    result,
  );
}
