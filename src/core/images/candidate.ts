import { createHash } from 'node:crypto';
import type { Read } from '../dockerfile/reads.ts';
import { type ResolvedBuild, resolveOnce } from '../dockerfile/resolve.ts';
import { type Dockerfile, parseDockerfile } from '../dockerfile/stages.ts';
import { ConfigurationError } from '../runner/errors.ts';
import type { ContextFiles, ContextSelection } from './context-files.ts';
import { type ImageDefinition, nameOf } from './definition.ts';
import { isGpuImage } from './gpu.ts';
import type { Snapshot } from './snapshot.ts';
import { spreadPlatforms } from './spread-platforms.ts';

/** A row before it is known whether it must be built. */
export interface Candidate {
  readonly id: string;
  readonly definition: ImageDefinition;
  readonly platform: string;
  readonly dockerfile: Dockerfile;
  readonly build: ResolvedBuild;
  readonly selections: readonly ContextSelection[];
  readonly ignoreFile: string | undefined;
  readonly isGpu: boolean;
}

export interface CandidateOptions {
  /** The platforms of images that name none. */
  readonly platforms: readonly string[];
  /** The files of the snapshot's contexts. */
  readonly files: ContextFiles;
  /** What is done about a definition that cannot be resolved: throw for the commit that is built, pass over at the base. */
  readonly onProblem: (error: ConfigurationError) => void;
}

const MAX_CANDIDATES = 20_000;

/**
 * Resolves every definition for each of its platforms: the stages reached, and the files read.
 * Hands a Dockerfile that is missing or wrong to `onProblem` as a ConfigurationError with its place.
 */
export async function resolveCandidates(
  snapshot: Snapshot,
  definitions: readonly ImageDefinition[],
  options: CandidateOptions,
): Promise<readonly Candidate[]> {
  const ignoreFiles = definitions.flatMap(({ dockerfile, context }) => [
    `${dockerfile}.dockerignore`,
    context === '.' ? '.dockerignore' : `${context}/.dockerignore`,
  ]);
  await snapshot.load([...definitions.map(({ dockerfile }) => dockerfile), ...ignoreFiles]);
  const { files } = options;
  const candidates: Candidate[] = [];
  const ids = new Map<string, ImageDefinition>();
  for (const definition of spreadPlatforms(definitions, options.platforms)) {
    for (const platform of new Set(definition.platforms)) {
      if (candidates.length >= MAX_CANDIDATES)
        throw new ConfigurationError(`there are more than ${MAX_CANDIDATES} rows`);
      const id = `${nameOf(definition)}-${platform.replaceAll('/', '-')}`;
      const twin = ids.get(id);
      if (twin !== undefined)
        throw new ConfigurationError(
          `the image "${definition.image}" and the image "${twin.image}" make rows of one id, "${id}"; rename one`,
          definition.place,
        );
      ids.set(id, definition);
      try {
        candidates.push(resolveCandidate({ snapshot, files }, id, definition, platform));
      } catch (error) {
        if (!(error instanceof ConfigurationError)) throw error;
        options.onProblem(error);
      }
    }
  }
  return candidates;
}

interface Resolution {
  readonly snapshot: Snapshot;
  readonly files: ContextFiles;
}

function resolveCandidate(
  { snapshot, files }: Resolution,
  id: string,
  definition: ImageDefinition,
  platform: string,
): Candidate {
  const dockerfile = parse(snapshot, definition);
  const build = resolveOnce(dockerfile, {
    target: definition.target,
    args: definition.args,
    platform,
    contextNames: new Set(definition.contexts.keys()),
  });
  const ignoreFile = files.ignoreFileOf(definition.dockerfile, definition.context);
  const own = build.contextReads.map((read) => files.select(definition.context, ignoreFile, read, definition));
  const named = build.namedReads.flatMap((read) => {
    const source = definition.contexts.get(read.from);
    // The ignore file of a named context is not applied: to read more is safe.
    return source?.kind === 'folder' ? [files.select(source.path, undefined, read, { only: [], ignore: [] })] : [];
  });
  return {
    id,
    definition,
    platform,
    dockerfile,
    build,
    selections: [...own, ...named],
    ignoreFile,
    isGpu: build.images.some(isGpuImage),
  };
}

function parse(snapshot: Snapshot, { dockerfile, place, image, build }: ImageDefinition): Dockerfile {
  const inline = build['dockerfile-inline'];
  if (inline !== undefined) {
    try {
      return parseDockerfile(inline, dockerfile);
    } catch (cause) {
      // Its lines are not those of the file that holds it.
      throw cause instanceof ConfigurationError ? new ConfigurationError(cause.message, { ...place, cause }) : cause;
    }
  }
  const parsed = snapshot.dockerfile(dockerfile);
  if (parsed !== undefined) return parsed;
  throw new ConfigurationError(`the Dockerfile of "${image}", "${dockerfile}", is not in this commit`, place);
}

/** Adds a read of everything, for a reason that only other images know (a parent's ONBUILD). */
export function widenCandidate(candidate: Candidate, files: ContextFiles, reason: string): Candidate {
  const { definition, ignoreFile } = candidate;
  const read: Read = {
    from: undefined,
    source: '',
    isPattern: false,
    keepsParents: false,
    excludes: [],
    line: 1,
    widened: reason,
  };
  const selection = files.select(definition.context, ignoreFile, read, definition);
  return { ...candidate, selections: [...candidate.selections, selection] };
}

/** What a row is made of, part by part; two rows with equal parts are the same build. */
export interface InputParts {
  /** Platform, target, arguments, named contexts. */
  readonly settings: string;
  /** The reached instructions, with the values of their arguments. */
  readonly instructions: string;
  /** What each read takes: modes, object ids, paths. */
  readonly files: string;
  /** The inputs of the images of this repository that it is built from. */
  readonly parents: string;
}

/** The parts as texts. `parents` are the ids' names without platform, with their inputs, in any order. */
export function inputParts(
  { definition, platform, build, selections }: Candidate,
  parents: readonly (readonly [string, string])[],
): InputParts {
  const reads = selections.map(({ read, folder, widened, digest }) => [
    // The folder of the build's own context may move; what it holds is what counts.
    read.from === undefined ? '' : folder,
    read.from ?? '',
    read.source,
    widened !== undefined,
    digest,
  ]);
  const { 'dockerfile-inline': _inline, 'no-cache': _noCache, pull: _pull, ...made } = definition.build;
  const settings = [platform, definition.target, sorted(definition.args), sorted(definition.contexts)];
  return {
    settings: JSON.stringify(Object.keys(made).length === 0 ? settings : [...settings, made]),
    instructions: JSON.stringify([build.instructions, build.images]),
    files: JSON.stringify(reads),
    parents: JSON.stringify([...parents].sort()),
  };
}

/** The digest of a row's inputs: SHA-256 in hex, equal on every machine for equal parts. */
export function inputDigest({ settings, instructions, files, parents }: InputParts): string {
  return createHash('sha256')
    .update(JSON.stringify(['slipway-inputs-1', settings, instructions, files, parents]))
    .digest('hex');
}

function sorted<Value>(map: ReadonlyMap<string, Value>): readonly (readonly [string, Value])[] {
  return [...map].sort(([a], [b]) => (a < b ? -1 : 1));
}
