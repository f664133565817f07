import { linkStages, type Origin, type StageGraph } from './graph.ts';
import { type Instruction, readDeferredInstruction } from './instructions.ts';
import { type Read, type RemoteSource, readsOfInstruction } from './reads.ts';
import type { Dockerfile, Stage } from './stages.ts';
import {
  type ArgumentSource,
  applyInstruction,
  freshVariables,
  lookupIn,
  readGlobals,
  type StageVariables,
} from './variables.ts';

/** How a Dockerfile is built: one row of a matrix, as far as the Dockerfile sees it. */
export interface BuildSettings extends ArgumentSource {
  /** `''` for the last stage. */
  readonly target: string;
  /** The names of the build's named contexts, as written. */
  readonly contextNames: ReadonlySet<string>;
}

/** What a build of one target reads. Sources of stages are resolved away: what is left comes from outside the file. */
export interface ResolvedBuild {
  readonly reached: readonly Stage[];
  /** Reads of the build's context. */
  readonly contextReads: readonly Read[];
  /** Reads of named contexts; `from` is the name. */
  readonly namedReads: readonly (Read & { readonly from: string })[];
  /** Images from outside the file, as the build names them after expansion; sorted, each once. */
  readonly images: readonly string[];
  readonly remotes: readonly RemoteSource[];
  /** The reached instructions, with the values of their arguments, one text each: what makes two builds the same. */
  readonly instructions: readonly string[];
  /** True when an ONBUILD of the target defers an instruction that reads a context. */
  readonly defersReads: boolean;
}

interface StageState {
  readonly variables: StageVariables;
  readonly deferred: readonly Instruction[];
}

/**
 * Resolves a Dockerfile for a target, arguments, a platform and named contexts.
 *
 * An argument that nothing sets, the environment of a base image, and a base that only the build knows are unknown;
 * whatever depends on them reads the whole context, with the reason. (One thing is taken on trust: that an external
 * base image sets no ENV of the name of an ARG that its child uses in a path.)
 * Throws ConfigurationError for a target that is no stage.
 */
export function resolveBuild(dockerfile: Dockerfile, settings: BuildSettings): ResolvedBuild {
  const graph = linkStages(dockerfile, settings.target, settings, settings.contextNames);
  const collected = new Collected();
  const globals = readGlobals(dockerfile, settings);
  const states = new Map<Stage, StageState>();
  for (const [ordinal, stage] of graph.reached.entries()) {
    const base = graph.baseOf(stage);
    collected.instructions.push(`FROM ${describeBase(base, graph)} ${stage.platform}`.trim());
    collected.takeBase(base, stage);
    if (base.kind === 'context' && base.name === stage.name) {
      states.set(stage, { variables: freshVariables(false), deferred: [] });
      continue;
    }
    const inherited = base.kind === 'stage' ? states.get(base.stage) : undefined;
    let variables = inherited?.variables ?? freshVariables(base.kind === 'scratch');
    const deferred: Instruction[] = [];
    for (const instruction of [...(inherited?.deferred ?? []), ...stage.instructions]) {
      if (instruction.keyword === 'onbuild') deferred.push(readDeferredInstruction(instruction));
      variables = applyInstruction(variables, instruction, globals, settings, dockerfile.escapeToken);
      const { reads, remotes } = readsOfInstruction(instruction, lookupIn(variables), dockerfile.escapeToken);
      collected.takeReads(reads, graph);
      collected.remotes.push(...remotes);
      collected.instructions.push(describeInstruction(instruction, ordinal, variables));
    }
    states.set(stage, { variables, deferred });
  }
  const deferred = states.get(graph.target)?.deferred ?? [];
  return {
    reached: graph.reached,
    contextReads: collected.contextReads,
    namedReads: collected.namedReads,
    images: [...collected.images].sort(),
    remotes: collected.remotes,
    instructions: [`syntax ${dockerfile.syntax ?? ''}`, `escape ${dockerfile.escapeToken}`, ...collected.instructions],
    defersReads: deferred.some(({ keyword }) => ['copy', 'add', 'run'].includes(keyword)),
  };
}

const resolved = new WeakMap<Dockerfile, Map<string, ResolvedBuild>>();

/** `resolveBuild`, made once for one Dockerfile with equal settings: a commit and its base mostly share both. */
export function resolveOnce(dockerfile: Dockerfile, settings: BuildSettings): ResolvedBuild {
  const { target, args, platform, contextNames } = settings;
  const key = JSON.stringify([target, [...args], platform, [...contextNames]]);
  const known = resolved.get(dockerfile) ?? new Map<string, ResolvedBuild>();
  resolved.set(dockerfile, known);
  const build = known.get(key) ?? resolveBuild(dockerfile, settings);
  known.set(key, build);
  return build;
}

class Collected {
  readonly contextReads: Read[] = [];
  readonly namedReads: (Read & { readonly from: string })[] = [];
  readonly images = new Set<string>();
  readonly remotes: RemoteSource[] = [];
  readonly instructions: string[] = [];

  takeBase(base: Origin, stage: Stage): void {
    const { line } = stage;
    if (base.kind === 'image') {
      this.images.add(base.reference);
      // Such images (node:onbuild, golang:onbuild) copy the context of whoever is built on them.
      if (/:[^/]*onbuild/.test(base.reference))
        this.contextReads.push(everything(line, `"${base.reference}" may copy the context by ONBUILD`));
    } else if (base.kind === 'context') {
      this.namedReads.push({ ...everything(line, undefined), from: base.name });
    } else if (base.kind === 'unknown') {
      this.images.add(base.name);
      this.contextReads.push(everything(line, base.reason));
    }
  }

  takeReads(reads: readonly Read[], graph: StageGraph): void {
    for (const read of reads) {
      const origin = read.from === undefined ? undefined : graph.resolveFrom(read.from);
      if (origin === undefined) this.contextReads.push(read);
      else if (origin.kind === 'context') this.namedReads.push({ ...read, from: origin.name });
      else if (origin.kind === 'image') this.images.add(origin.reference);
      else if (origin.kind === 'unknown') this.contextReads.push(everything(read.line, origin.reason));
    }
  }
}

function everything(line: number, widened: string | undefined): Read {
  return { from: undefined, source: '', isPattern: false, keepsParents: false, excludes: [], line, widened };
}

/** A parent stage by its place among the reached ones: stages that nothing reaches may come and go. */
function describeBase(base: Origin, graph: StageGraph): string {
  switch (base.kind) {
    case 'stage':
      return `stage ${graph.reached.indexOf(base.stage)}`;
    case 'context':
      return `context ${base.name}`;
    case 'image':
      return `image ${base.reference}`;
    case 'unknown':
      return `unknown ${base.name}`;
    case 'scratch':
      return 'scratch';
  }
}

function describeInstruction(instruction: Instruction, ordinal: number, variables: StageVariables): string {
  const values =
    instruction.keyword === 'arg'
      ? [...variables.args].map(([name, value]) => `${name}=${typeof value === 'string' ? JSON.stringify(value) : '?'}`)
      : [];
  const { keyword, flags, rest, heredocs } = instruction;
  return JSON.stringify([
    ordinal,
    keyword,
    flags.map(({ name, value }) => [name, value]),
    rest,
    heredocs.map(({ content }) => content),
    values,
  ]);
}
