import { randomUUID } from 'node:crypto';
import { mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type BakeTarget, formatDefinition } from '../../core/buildkit/bake-definition.ts';
import {
  type CacheMounts,
  fillTarget,
  findCacheMounts,
  keepTarget,
  MOUNTS_FILE,
} from '../../core/buildkit/cache-mounts.ts';
import { fileDigest, type KeptFolders, withKeptFolders } from '../../core/buildkit/kept-folder.ts';
import { bakeArguments } from '../../core/buildkit/run-bake.ts';
import { parseDockerfile } from '../../core/dockerfile/stages.ts';
import { formatBytes } from '../../core/report/markdown.ts';
import { messagesOf } from '../../core/runner/errors.ts';
import type { ActionContext } from '../../core/runner/run-action.ts';
import type { BuildRun } from './build.ts';
import { patienceOf } from './cache-connection.ts';
import type { BuildPlan, PlannedImage } from './plan.ts';

/** The cache mounts of one image, and what was found for them. */
export interface KeptMounts {
  readonly image: PlannedImage;
  readonly mounts: CacheMounts;
  /** The same in every run: @actions/cache makes the path a part of an entry's identity. */
  readonly folder: string;
  readonly prefix: string;
  readonly restoredKey: string | undefined;
}

export interface MountLimits {
  readonly isWritable: boolean;
  /** Milliseconds. */
  readonly cacheTimeout: number;
}

const HELPER = 'slipway-cache-mounts';

/** Fills the cache mounts of the plan's images from GitHub's cache. What goes wrong is said, and nothing else. */
export async function fillCacheMounts(
  plan: BuildPlan,
  run: BuildRun,
  limits: MountLimits,
  context: ActionContext,
): Promise<readonly KeptMounts[]> {
  const wanted = await findMounts(plan, context);
  if (wanted.length === 0) return [];
  return guarded(wanted, 'filled', limits, context, async (folders) => {
    const filled: KeptMounts[] = [];
    for (const each of wanted) {
      await rm(each.folder, { recursive: true, force: true });
      await mkdir(each.folder, { recursive: true, mode: 0o700 });
      const restoredKey = await folders.restore(each.folder, each.prefix);
      filled.push({ ...each, restoredKey });
      if (restoredKey === undefined) continue;
      const size = (await stat(join(each.folder, MOUNTS_FILE))).size;
      await bakeHelper(fillTarget(each.mounts, sharedTarget(each), each.folder, randomUUID()), each, run, context);
      context.log.info(`The cache mounts ${namesOf(each)} are filled with ${formatBytes(size)} from GitHub's cache.`);
    }
    return filled;
  });
}

/** Saves the cache mounts where they changed. */
export async function saveCacheMounts(
  kept: readonly KeptMounts[],
  run: BuildRun,
  limits: MountLimits,
  context: ActionContext,
): Promise<void> {
  if (kept.length === 0 || !limits.isWritable) return;
  await guarded(kept, 'kept', limits, context, async (folders) => {
    for (const each of kept) {
      await rm(join(each.folder, MOUNTS_FILE), { force: true });
      await bakeHelper(keepTarget(each.mounts, sharedTarget(each), each.folder, randomUUID()), each, run, context);
      const file = join(each.folder, MOUNTS_FILE);
      const { size } = await stat(file);
      const key = `${each.prefix}${(await fileDigest(file)).slice(0, 16)}`;
      if (key === each.restoredKey) continue;
      if (size > each.image.mountShare) {
        context.log.notice(
          `the cache mounts ${namesOf(each)} hold ${formatBytes(size)}, more than their share of ${formatBytes(each.image.mountShare)}, and are not kept`,
        );
        continue;
      }
      await folders.save(each.folder, key);
      context.log.info(`The cache mounts ${namesOf(each)} are kept: ${formatBytes(size)}.`);
    }
    return kept;
  });
}

/** Removes the folders that mounts were carried in. */
export async function removeMountFolders(temp: string): Promise<void> {
  await rm(join(temp, HELPER), { recursive: true, force: true });
}

async function guarded(
  mounts: readonly KeptMounts[],
  verb: string,
  { cacheTimeout }: MountLimits,
  { environment, log }: ActionContext,
  use: (folders: KeptFolders) => Promise<readonly KeptMounts[]>,
): Promise<readonly KeptMounts[]> {
  try {
    return await withKeptFolders({ environment, patience: patienceOf(cacheTimeout), deadline: cacheTimeout, log }, use);
  } catch (error) {
    log.notice(`cache mounts were not ${verb}, and the build goes on: ${messagesOf(error).join(': ').slice(0, 300)}`);
    return mounts;
  }
}

async function findMounts(
  plan: BuildPlan,
  { environment, workspace, temp, log }: ActionContext,
): Promise<readonly KeptMounts[]> {
  if ((environment['ACTIONS_RESULTS_URL'] ?? '') === '' || (environment['ACTIONS_RUNTIME_TOKEN'] ?? '') === '')
    return [];
  const found: KeptMounts[] = [];
  for (const image of plan.images) {
    if (image.dockerfile === undefined) continue;
    try {
      const dockerfile = parseDockerfile(await readFile(join(workspace, image.dockerfile), 'utf8'), image.dockerfile);
      const { args = {}, contexts = {}, platforms = [], target = '' } = image.target;
      const known = Object.entries(args).filter((entry): entry is [string, string] => entry[1] !== null);
      const mounts = findCacheMounts(dockerfile, {
        target,
        args: new Map(known),
        platform: platforms[0] ?? 'linux/amd64',
        contexts: new Set(Object.keys(contexts)),
      });
      if (mounts === undefined) continue;
      const scope = image.cacheScope.replace(/[^\w.-]/g, '-');
      found.push({
        image,
        mounts,
        folder: join(temp, HELPER, scope),
        prefix: `slipway-mounts-${scope}-`,
        restoredKey: undefined,
      });
    } catch (error) {
      // The build itself says what is wrong with a Dockerfile, and better.
      log.debug(`the cache mounts of ${image.dockerfile} are not known: ${messagesOf(error).join(': ')}`);
    }
  }
  return found;
}

function sharedTarget({ image }: KeptMounts): BakeTarget {
  const { args, contexts, platforms } = image.target;
  return {
    ...(args === undefined ? {} : { args }),
    ...(contexts === undefined ? {} : { contexts }),
    ...(platforms === undefined ? {} : { platforms: platforms.slice(0, 1) }),
  };
}

async function bakeHelper(
  target: BakeTarget,
  { folder }: KeptMounts,
  run: BuildRun,
  context: ActionContext,
): Promise<void> {
  const file = join(run.folder, 'cache-mounts.json');
  const definition = { group: { default: { targets: [HELPER] } }, target: { [HELPER]: target } };
  await writeFile(file, formatDefinition(definition), { mode: 0o600 });
  const args = bakeArguments({
    file,
    metadataFile: join(run.folder, 'cache-mounts-metadata.json'),
    builder: run.builder,
    targets: [HELPER],
    allow: [`fs=${folder}`],
  });
  await context.runCommand('docker', args, {
    cwd: context.workspace,
    env: run.environment,
    deadline: run.cacheDeadline,
  });
}

function namesOf({ mounts }: KeptMounts): string {
  return mounts.mounts.map(({ id }) => id).join(', ');
}
