import { posix } from 'node:path';
import { type ResolvedBuild, resolveOnce } from '../dockerfile/resolve.ts';
import { type Dockerfile, parseDockerfile } from '../dockerfile/stages.ts';
import { ConfigurationError } from '../runner/errors.ts';
import { type ArgumentVariants, findArgumentVariants } from './argument-variants.ts';
import type { FoundImages, RefusedImage } from './compose-file.ts';
import { type ImageDefinition, nameOf, plainDefinition, toImageName } from './definition.ts';
import { nameByFolder, readDockerfileName } from './dockerfile-names.ts';
import { contradicts, isGpuImage, isVariantWord } from './gpu.ts';
import { type GitIgnored, inferContexts } from './infer-context.ts';
import type { Snapshot } from './snapshot.ts';

interface FoundDockerfile {
  readonly path: string;
  readonly dockerfile: Dockerfile;
  readonly build: ResolvedBuild;
}

/**
 * Makes image definitions of Dockerfiles that no other file speaks of.
 *
 * Names come from file names, then folders; variants from file names, from base images, and from an ARG that selects
 * the base; a folder's name never decides against a base image.
 * What is no Dockerfile, and what no folder fits, is refused with the reason.
 */
export async function readPlainDockerfiles(
  snapshot: Snapshot,
  files: readonly string[],
  repository: string,
  gitIgnored: GitIgnored,
): Promise<FoundImages> {
  await snapshot.load(files);
  const refused: RefusedImage[] = [];
  const refuse = (path: string, { message, place }: ConfigurationError): void => {
    refused.push({ name: path, reason: message, file: path, line: place.line ?? 1 });
  };
  const found = files.flatMap((path) =>
    attempt(
      () => [resolve(snapshot, path)],
      (error) => refuse(path, error),
    ),
  );
  const questions = found.map(({ path, build }) => ({ path, reads: build.contextReads }));
  const contexts = await inferContexts(snapshot, questions, gitIgnored);
  const gpuFiles = new Set(found.filter(({ build }) => build.images.some(isGpuImage)).map(({ path }) => path));
  const byArgument = new Map<string, ArgumentVariants>();
  const definitions = found.flatMap((one) => {
    const context = contexts.get(one.path) ?? '.';
    return attempt(
      () => {
        if (typeof context !== 'string') throw context;
        const selected = findArgumentVariants(one.dockerfile);
        if (selected !== undefined) byArgument.set(one.path, selected);
        return [define(one, context, repository)];
      },
      (error) => refuse(one.path, error),
    );
  });
  const paired = pairVariants(definitions, gpuFiles).flatMap((definition) => multiply(definition, byArgument));
  return { definitions: makeUnique(paired), refused };
}

function attempt<Value>(
  make: () => readonly Value[],
  onProblem: (error: ConfigurationError) => void,
): readonly Value[] {
  try {
    return make();
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    onProblem(error);
    return [];
  }
}

function resolve(snapshot: Snapshot, path: string): FoundDockerfile {
  const dockerfile = snapshot.dockerfile(path) ?? parseDockerfile('', path);
  const settings = { target: '', args: new Map(), platform: 'linux/amd64', contextNames: new Set<string>() };
  return { path, dockerfile, build: resolveOnce(dockerfile, settings) };
}

/** One Dockerfile in variants that an argument selects. */
function multiply(
  definition: ImageDefinition,
  byArgument: ReadonlyMap<string, ArgumentVariants>,
): readonly ImageDefinition[] {
  const selected = byArgument.get(definition.dockerfile);
  if (selected === undefined || definition.variant !== '') return [definition];
  return [...selected.values].map(([variant, value]) => ({
    ...definition,
    variant,
    args: new Map([[selected.argument, value]]),
  }));
}

function define({ path, build }: FoundDockerfile, context: string, repository: string): ImageDefinition {
  const name = readDockerfileName(path) ?? { image: '', variant: '' };
  const folder = nameByFolder(path, repository);
  const word = folder.variantFolder;
  const byFolder =
    word === undefined || name.image !== '' || name.variant !== '' || contradicts(word, build.images) ? '' : word;
  const contradicted = word !== undefined && byFolder === '' && name.image === '' ? `-${word}` : '';
  const image = toImageName(name.image === '' ? `${folder.image}${contradicted}` : name.image);
  if (image === undefined) throw new ConfigurationError('its name holds no letter or digit', { file: path, line: 1 });
  return { ...plainDefinition(image, context, path, { file: path, line: 1 }), variant: name.variant || byFolder };
}

/** Beside a `Dockerfile_CPU`, a plain `Dockerfile` on a GPU image is the variant `gpu`, and the other way round. */
function pairVariants(
  definitions: readonly ImageDefinition[],
  gpuFiles: ReadonlySet<string>,
): readonly ImageDefinition[] {
  const named = new Map<string, ImageDefinition[]>();
  for (const definition of definitions.filter(({ variant }) => isVariantWord(variant))) {
    const known = named.get(definition.image);
    if (known === undefined) named.set(definition.image, [definition]);
    else known.push(definition);
  }
  return definitions.map((definition) => {
    const siblings = named.get(definition.image) ?? [];
    if (definition.variant !== '') return definition;
    const word = gpuFiles.has(definition.dockerfile) ? 'gpu' : 'cpu';
    const isFree = siblings.length > 0 && siblings.every(({ variant }) => (variant === 'cpu') !== (word === 'cpu'));
    return isFree ? { ...definition, variant: word } : definition;
  });
}

/** Where two Dockerfiles have one name, their folders are told in it. */
function makeUnique(definitions: readonly ImageDefinition[]): readonly ImageDefinition[] {
  const counts = new Map<string, number>();
  for (const definition of definitions) counts.set(nameOf(definition), (counts.get(nameOf(definition)) ?? 0) + 1);
  return definitions.map((definition) => {
    if (counts.get(nameOf(definition)) === 1) return definition;
    const folder = posix.dirname(definition.dockerfile);
    const image = toImageName(
      folder === '.'
        ? definition.image
        : `${folder.replaceAll('/', '-')}-${readDockerfileName(definition.dockerfile)?.image ?? ''}`,
    );
    return image === undefined ? definition : { ...definition, image };
  });
}
