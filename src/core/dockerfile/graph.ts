import { ConfigurationError } from '../runner/errors.ts';
import { expandWord } from './expansion.ts';
import { type Instruction, readDeferredInstruction } from './instructions.ts';
import { readMounts } from './mounts.ts';
import type { Dockerfile, Stage } from './stages.ts';
import { type ArgumentSource, readGlobals } from './variables.ts';

/** Where a stage, or a part of it, comes from. */
export type Origin =
  | { readonly kind: 'stage'; readonly stage: Stage }
  | { readonly kind: 'context'; readonly name: string }
  | { readonly kind: 'image'; readonly reference: string }
  | { readonly kind: 'scratch' }
  /** A name that only the build knows: any stage, any image. */
  | { readonly kind: 'unknown'; readonly name: string; readonly reason: string };

export interface StageGraph {
  readonly target: Stage;
  /** The stages a build of the target executes, in the file's order. */
  readonly reached: readonly Stage[];
  readonly baseOf: (stage: Stage) => Origin;
  /** Resolves `--from` of COPY, ADD and mounts. */
  readonly resolveFrom: (name: string) => Origin;
}

/**
 * Links a Dockerfile's stages as BuildKit's dockerfile2llb does and finds those that a target reaches.
 *
 * A FROM takes the last earlier stage of that name, then a named context, then an image; `--from` takes a stage by
 * number or by name (of two of one name the last), then a named context, then an image. A named context of a stage's
 * own name replaces the stage. Names compare without case. Throws ConfigurationError for a target that is no stage.
 */
export function linkStages(
  dockerfile: Dockerfile,
  target: string,
  source: ArgumentSource,
  contextNames: ReadonlySet<string>,
): StageGraph {
  const globals = readGlobals(dockerfile, source);
  const byName = new Map<string, Stage>();
  const bases = dockerfile.stages.map((stage) => {
    const expansion = expandWord(stage.base, (name) => globals.get(name), dockerfile.escapeToken);
    const base: Origin =
      'unknown' in expansion
        ? { kind: 'unknown', name: stage.base, reason: expansion.unknown }
        : baseOrigin(expansion.value, stage, byName, contextNames);
    if (stage.name !== undefined) byName.set(stage.name, stage);
    return base;
  });
  const baseOf = (stage: Stage): Origin => {
    if (stage.name !== undefined && contextNames.has(stage.name)) return { kind: 'context', name: stage.name };
    return bases[stage.index] ?? { kind: 'scratch' };
  };
  const resolveFrom = (name: string): Origin => {
    if (name.includes('$')) return { kind: 'unknown', name, reason: `--from=${name} holds a variable` };
    const stage = /^[0-9]+$/.test(name) ? dockerfile.stages[Number(name)] : byName.get(name.toLowerCase());
    return stage === undefined ? outsideOrigin(name, contextNames) : { kind: 'stage', stage };
  };
  const stage = findTarget(dockerfile, target, byName);
  return { target: stage, reached: reach(dockerfile, stage, baseOf, resolveFrom), baseOf, resolveFrom };
}

function findTarget({ stages, file }: Dockerfile, target: string, byName: ReadonlyMap<string, Stage>): Stage {
  const last = stages.at(-1);
  const stage =
    target === ''
      ? last
      : (byName.get(target.toLowerCase()) ?? (/^[0-9]+$/.test(target) ? stages[Number(target)] : undefined));
  if (stage !== undefined) return stage;
  const names = [...byName.keys()].join(', ');
  throw new ConfigurationError(`"${file}" has no stage "${target}"${names === '' ? '' : `; its stages are ${names}`}`, {
    file,
    line: last?.line ?? 1,
  });
}

function baseOrigin(
  name: string,
  stage: Stage,
  earlier: ReadonlyMap<string, Stage>,
  contextNames: ReadonlySet<string>,
): Origin {
  if (name === '')
    return { kind: 'unknown', name: stage.base, reason: `"FROM ${stage.base}" has no base with these arguments` };
  const parent = earlier.get(name.toLowerCase());
  return parent === undefined ? outsideOrigin(name, contextNames) : { kind: 'stage', stage: parent };
}

function outsideOrigin(name: string, contextNames: ReadonlySet<string>): Origin {
  if (contextNames.has(name)) return { kind: 'context', name };
  if (contextNames.has(name.toLowerCase())) return { kind: 'context', name: name.toLowerCase() };
  return name === 'scratch' ? { kind: 'scratch' } : { kind: 'image', reference: name };
}

function reach(
  { stages }: Dockerfile,
  target: Stage,
  baseOf: StageGraph['baseOf'],
  resolveFrom: StageGraph['resolveFrom'],
): readonly Stage[] {
  const reached = new Set<Stage>();
  const waiting = [target];
  for (let stage = waiting.pop(); stage !== undefined; stage = waiting.pop()) {
    if (reached.has(stage)) continue;
    reached.add(stage);
    const base = baseOf(stage);
    // A stage that a named context replaces is not executed: what it names is not reached through it.
    const replaced = base.kind === 'context' && base.name === stage.name;
    const origins = replaced ? [] : [base, ...fromNames(stage.instructions).map(resolveFrom)];
    for (const origin of origins) {
      if (origin.kind === 'stage') waiting.push(origin.stage);
      if (origin.kind === 'unknown') waiting.push(...stages.slice(0, stage.index));
    }
  }
  return stages.filter((stage) => reached.has(stage));
}

/** Everything the instructions name by `--from` or `--mount=…,from=…`, deferred ones included. */
function fromNames(instructions: readonly Instruction[]): readonly string[] {
  return instructions.flatMap((instruction) => {
    if (instruction.keyword === 'onbuild') return fromNames([readDeferredInstruction(instruction)]);
    if (instruction.keyword === 'run')
      return readMounts(instruction).flatMap(({ from }) => (from === undefined ? [] : [from]));
    if (instruction.keyword !== 'copy' && instruction.keyword !== 'add') return [];
    return instruction.flags.flatMap(({ name, value }) => (name === 'from' ? [value] : []));
  });
}
