import { createHash } from 'node:crypto';
import type { ConfigurationError } from '../runner/errors.ts';
import {
  type Candidate,
  type InputParts,
  inputDigest,
  inputParts,
  resolveCandidates,
  widenCandidate,
} from './candidate.ts';
import type { ContextFiles } from './context-files.ts';
import { type ImageDefinition, nameOf } from './definition.ts';
import { type Links, linkCandidates, orderByWaves } from './local-images.ts';
import type { Row } from './row.ts';
import type { Snapshot } from './snapshot.ts';

/** One row of a commit with all that led to it. */
export interface PlannedRow {
  /** Without `reason`: that is the selection's to give. */
  readonly row: Omit<Row, 'reason'>;
  readonly candidate: Candidate;
  readonly parts: InputParts;
}

export interface RowOptions {
  readonly platforms: readonly string[];
  /** The files of the snapshot's contexts. */
  readonly files: ContextFiles;
  /** Labels by id, image and variant, image, variant, platform, or `default`. */
  readonly runners: ReadonlyMap<string, string>;
  readonly onProblem: (error: ConfigurationError) => void;
}

/**
 * Every row of a commit, in the order in which they can be built: definitions resolved for their platforms, linked,
 * and digested. Throws ConfigurationError for links that lead nowhere or in a circle.
 */
export async function planRows(
  snapshot: Snapshot,
  definitions: readonly ImageDefinition[],
  options: RowOptions,
): Promise<readonly PlannedRow[]> {
  const resolved = await resolveCandidates(snapshot, definitions, options);
  const links = linkCandidates(resolved);
  const waves = orderByWaves(links);
  const byId = new Map(resolved.map((candidate) => [candidate.id, candidate]));
  const planned = new Map<string, PlannedRow>();
  for (const [id, wave] of waves) {
    const candidate = byId.get(id);
    const link = links.get(id);
    if (candidate === undefined || link === undefined) continue;
    const parents = link.parents.flatMap((parent) => planned.get(parent) ?? []);
    const deferring = parents.find(({ candidate: parent }) => parent.build.defersReads);
    const whole =
      deferring === undefined
        ? candidate
        : widenCandidate(candidate, options.files, `"${deferring.row.image}" defers instructions by ONBUILD`);
    const parts = inputParts(
      whole,
      parents.map(({ row }) => [nameOf(row), row.inputs]),
    );
    const facts = { wave, inputs: inputDigest(parts), totalRows: waves.size };
    planned.set(id, { candidate: whole, parts, row: toRow(whole, link, facts, options.runners) });
  }
  return [...planned.values()].sort((a, b) => a.row.wave - b.row.wave);
}

function toRow(
  candidate: Candidate,
  links: Links,
  { wave, inputs, totalRows }: { readonly wave: number; readonly inputs: string; readonly totalRows: number },
  runners: ReadonlyMap<string, string>,
): Omit<Row, 'reason'> {
  const { id, definition, platform, isGpu } = candidate;
  const { image, variant } = definition;
  return {
    id,
    image,
    variant,
    platform,
    runner: definition.runner ?? chooseRunner(candidate, runners),
    context: definition.context,
    dockerfile: definition.dockerfile,
    target: definition.target,
    args: Object.fromEntries(definition.args),
    contexts: links.contexts,
    suffix: definition.suffix ?? (variant === '' ? '' : `-${variant}`),
    scope: scopeOf(candidate),
    wave,
    needs: links.parents,
    inputs,
    exists: false,
    models: definition.models,
    export: definition.export,
    // A GPU image's layers are gigabytes: only those of the result are worth keeping.
    'cache-mode': definition.cacheMode ?? (isGpu ? 'min' : 'max'),
    'free-disk-space': definition.freeDiskSpace ?? isGpu,
    'total-rows': totalRows,
    build: definition.build,
  };
}

/** GitHub's own Arm runners build natively what would take ten times as long under emulation. */
const BUILT_IN_RUNNERS = [
  ['linux/arm64', 'ubuntu-24.04-arm'],
  ['default', 'ubuntu-24.04'],
] as const;

/** The most specific label wins. A `default` of the user's own replaces what is built in. */
function chooseRunner({ id, definition, platform, isGpu }: Candidate, runners: ReadonlyMap<string, string>): string {
  const labels = runners.has('default') ? runners : new Map([...BUILT_IN_RUNNERS, ...runners]);
  const architecture = platform.split('/').slice(0, 2).join('/');
  const gpu = isGpu ? ['gpu'] : [];
  const keys = [
    id,
    nameOf(definition),
    definition.image,
    definition.variant,
    ...gpu,
    platform,
    architecture,
    'default',
  ];
  const key = keys.find((name) => labels.has(name)) ?? 'default';
  return labels.get(key) ?? 'ubuntu-24.04';
}

/**
 * The name a row's build cache is kept under. The eight digits keep apart what only looks alike when joined (`a-b` in
 * no variant, `a` in the variant `b`) and two Dockerfiles of one image; a cache shared by two builds is lost to both.
 */
function scopeOf({ definition, platform, id }: Candidate): string {
  const { image, variant, dockerfile, target } = definition;
  const mark = createHash('sha256')
    .update(JSON.stringify([image, variant, platform, dockerfile, target]))
    .digest('hex');
  return `${id}-${mark.slice(0, 8)}`;
}
