import { createHash } from 'node:crypto';
import { linkStages, type StageGraph } from '../dockerfile/graph.ts';
import { readMounts } from '../dockerfile/mounts.ts';
import type { Dockerfile, Stage } from '../dockerfile/stages.ts';
import type { BakeTarget } from './bake-definition.ts';

/** A folder of `RUN --mount=type=cache`. */
export interface CacheMount {
  /** As BuildKit knows it: the target where the Dockerfile gives no other. */
  readonly id: string;
  /** The options that BuildKit makes part of the folder's identity. */
  readonly owner: Readonly<Record<string, string>>;
}

export interface CacheMounts {
  /** In the order of their ids, each once. */
  readonly mounts: readonly CacheMount[];
  /** An image or a named context that has a shell, since a RUN with such a mount runs in it. */
  readonly base: string;
}

/**
 * The cache mounts that a build of a target uses, and the base of the first stage with one.
 *
 * Left out are mounts that start from another stage's files (`from`), whose identity only the builder knows, and those
 * with a variable in their options. Undefined where there is none.
 */
export function findCacheMounts(
  dockerfile: Dockerfile,
  build: {
    readonly target: string;
    readonly args: ReadonlyMap<string, string>;
    readonly platform: string;
    readonly contexts: ReadonlySet<string>;
  },
): CacheMounts | undefined {
  const graph = linkStages(dockerfile, build.target, build, build.contexts);
  const found = new Map<string, CacheMount>();
  let base: string | undefined;
  for (const stage of graph.reached) {
    const mounts = stage.instructions
      .filter(({ keyword }) => keyword === 'run')
      .flatMap((instruction) => readMounts(instruction))
      .flatMap(toCacheMount);
    if (mounts.length > 0) base ??= baseImage(stage, graph);
    for (const mount of mounts) found.set(JSON.stringify(mount), mount);
  }
  if (base === undefined || found.size === 0) return undefined;
  return { mounts: [...found.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, mount]) => mount), base };
}

function toCacheMount(mount: ReturnType<typeof readMounts>[number]): readonly CacheMount[] {
  const { type, from, options } = mount;
  if (type !== 'cache' || from !== undefined || [...options.values()].some((value) => value.includes('$'))) return [];
  const target = options.get('target') ?? options.get('dst') ?? options.get('destination');
  const id = options.get('id') ?? target?.replace(/\/+$/, '');
  if (id === undefined || !/^[\w./@:+-]+$/.test(id)) return [];
  const owner = ['uid', 'gid', 'mode'].flatMap((name) => {
    const value = options.get(name);
    return value === undefined || !/^\d+$/.test(value) ? [] : [[name, value]];
  });
  return [{ id, owner: Object.fromEntries(owner) }];
}

function baseImage(stage: Stage, graph: StageGraph): string | undefined {
  const origin = graph.baseOf(stage);
  if (origin.kind === 'stage') return baseImage(origin.stage, graph);
  if (origin.kind === 'context') return origin.name;
  return origin.kind === 'image' ? origin.reference : undefined;
}

/** The tar file that holds all mounts of one image, in the folder that is kept. */
export const MOUNTS_FILE = 'mounts.tar';

/** Fills those mounts that are empty from the kept file, which is the context's only one. */
export function fillTarget(mounts: CacheMounts, shared: BakeTarget, folder: string, run: string): BakeTarget {
  const fill = 'if [ -d "$kept" ] && [ -z "$(ls -A "$mount")" ]; then cp -a "$kept/." "$mount/"; fi';
  return helperTarget(shared, folder, run, [
    'FROM scratch AS slipway-kept',
    `ADD ${MOUNTS_FILE} /`,
    ...runLines(
      mounts,
      ['--mount=type=bind,from=slipway-kept,target=/slipway/kept'],
      (name) => `kept=/slipway/kept/${name}; mount=/slipway/mounts/${name}; ${fill}`,
    ),
  ]);
}

/** Copies the mounts into a tar file, with owners and modes, which a folder of the runner's user could not hold. */
export function keepTarget(mounts: CacheMounts, shared: BakeTarget, folder: string, run: string): BakeTarget {
  return {
    ...helperTarget(shared, folder, run, [
      ...runLines(
        mounts,
        [],
        (name) => `mkdir -p /slipway/kept/${name} && cp -a /slipway/mounts/${name}/. /slipway/kept/${name}/`,
      ),
      'FROM scratch',
      'COPY --from=slipway-mounts /slipway/kept /',
    ]),
    output: [`type=tar,dest=${folder}/${MOUNTS_FILE}`],
  };
}

function helperTarget(shared: BakeTarget, folder: string, run: string, lines: readonly string[]): BakeTarget {
  return {
    context: folder,
    'dockerfile-inline': `${lines.join('\n')}\n`,
    args: { ...shared.args, SLIPWAY_RUN: run },
    ...(shared.contexts === undefined ? {} : { contexts: shared.contexts }),
    ...(shared.platforms === undefined ? {} : { platforms: shared.platforms }),
    attest: ['type=provenance,disabled=true'],
    output: ['type=cacheonly'],
  };
}

/** One RUN that sees all mounts. Its argument keeps it from being taken from the cache. */
function runLines(
  { mounts, base }: CacheMounts,
  more: readonly string[],
  commandFor: (name: string) => string,
): readonly string[] {
  const flags = mounts.map((mount) => {
    const owner = Object.entries(mount.owner).map(([key, value]) => `,${key}=${value}`);
    return `--mount=type=cache,id=${mount.id},target=/slipway/mounts/${mountName(mount)},sharing=locked${owner.join('')}`;
  });
  return [
    `FROM ${base} AS slipway-mounts`,
    'USER 0:0',
    'ARG SLIPWAY_RUN',
    `RUN --network=none ${[...more, ...flags].join(' ')} ${mounts.map((mount) => commandFor(mountName(mount))).join(' && ')}`,
  ];
}

/** A folder's name for a mount, the same in every run. */
function mountName({ id, owner }: CacheMount): string {
  return createHash('sha256')
    .update(JSON.stringify([id, owner]))
    .digest('hex')
    .slice(0, 16);
}
