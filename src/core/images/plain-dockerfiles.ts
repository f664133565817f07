import { posix } from 'node:path';
import { entriesBelow, selectEntries } from '../dockerfile/context.ts';
import { NOTHING_IGNORED } from '../dockerfile/ignore-file.ts';
import type { Read } from '../dockerfile/reads.ts';
import { type ResolvedBuild, resolveBuild } from '../dockerfile/resolve.ts';
import { type Dockerfile, parseDockerfile } from '../dockerfile/stages.ts';
import { ConfigurationError } from '../runner/errors.ts';
import { type ArgumentVariants, findArgumentVariants } from './argument-variants.ts';
import type { FoundImages, RefusedImage } from './compose-file.ts';
import { type ImageDefinition, nameOf, plainDefinition, toImageName } from './definition.ts';
import { nameByFolder, readDockerfileName } from './dockerfile-names.ts';
import { contradicts, isGpuImage, isVariantWord } from './gpu.ts';
import type { Snapshot } from './snapshot.ts';

/** Asks git which of these paths, none of them in the commit, its ignore files name. */
export type GitIgnored = (paths: readonly string[]) => Promise<ReadonlySet<string>>;

interface FoundDockerfile {
  readonly path: string;
  readonly dockerfile: Dockerfile;
  readonly build: ResolvedBuild;
}

/**
 * Makes image definitions of Dockerfiles that no other file speaks of.
 *
 * A context is the nearest folder, from the Dockerfile's own up to the root, in which every COPY source exists; one
 * that git ignores counts as existing, since something makes it before the build. Names come from file names, then
 * folders; variants from file names, then from base images; a folder's name never decides against a base image.
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
  const definitions: ImageDefinition[] = [];
  const gpuFiles = new Set<string>();
  const byArgument = new Map<string, ArgumentVariants>();
  for (const path of files) {
    try {
      const found = resolve(snapshot, path);
      const context = await inferContext(snapshot, found, gitIgnored);
      const definition = define(found, context, repository);
      definitions.push(definition);
      if (found.build.images.some(isGpuImage)) gpuFiles.add(path);
      const selected = definition.variant === '' ? findArgumentVariants(found.dockerfile) : undefined;
      if (selected !== undefined) byArgument.set(path, selected);
    } catch (error) {
      if (!(error instanceof ConfigurationError)) throw error;
      refused.push({ name: path, reason: error.message, file: path, line: error.place.line ?? 1 });
    }
  }
  const paired = pairVariants(definitions, gpuFiles).flatMap((definition) => multiply(definition, byArgument));
  return { definitions: makeUnique(paired), refused };
}

function resolve(snapshot: Snapshot, path: string): FoundDockerfile {
  const dockerfile = parseDockerfile(snapshot.text(path) ?? '', path);
  const settings = { target: '', args: new Map(), platform: 'linux/amd64', contextNames: new Set<string>() };
  return { path, dockerfile, build: resolveBuild(dockerfile, settings) };
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

async function inferContext(
  snapshot: Snapshot,
  { path, build }: FoundDockerfile,
  gitIgnored: GitIgnored,
): Promise<string> {
  const folders = foldersAbove(path).filter((folder) => folder === '.' || holdsMoreThanDockerfiles(snapshot, folder));
  const sources = build.contextReads.filter(
    ({ widened, isPattern, source }) => widened === undefined && !isPattern && source !== '',
  );
  const missingIn = new Map(
    folders.map((folder) => [folder, sources.filter((read) => !exists(snapshot, folder, read))]),
  );
  const fitting = folders.find((folder) => missingIn.get(folder)?.length === 0);
  if (fitting !== undefined) return fitting;

  const wanted = [...missingIn].flatMap(([folder, reads]) => reads.map(({ source }) => posix.join(folder, source)));
  const ignored = await gitIgnored(wanted);
  const generated = folders.find((folder) =>
    missingIn.get(folder)?.every(({ source }) => ignored.has(posix.join(folder, source))),
  );
  if (generated !== undefined) return generated;
  const reasons = [...missingIn].map(
    ([folder, [first]]) =>
      `"${first?.source}" (line ${first?.line}) is not in ${folder === '.' ? 'the root' : `"${folder}"`}`,
  );
  throw new ConfigurationError(`no folder can be the context: ${reasons.join('; ')}`, {
    file: path,
    line: missingIn.get('.')?.[0]?.line ?? 1,
  });
}

function foldersAbove(path: string): readonly string[] {
  const folders: string[] = [];
  for (let folder = posix.dirname(path); folder !== '.'; folder = posix.dirname(folder)) folders.push(folder);
  return [...folders, '.'];
}

/** A folder of nothing but Dockerfiles is no context: they are kept there for another. */
function holdsMoreThanDockerfiles(snapshot: Snapshot, folder: string): boolean {
  return entriesBelow(snapshot.entries, folder).some(
    ({ path }) => readDockerfileName(path) === undefined && !path.endsWith('.dockerignore'),
  );
}

function exists(snapshot: Snapshot, folder: string, read: Read): boolean {
  const source = posix.join(folder, read.source);
  return (
    selectEntries({ entries: snapshot.entries, isIgnored: NOTHING_IGNORED }, { ...read, source, excludes: [] }).entries
      .length > 0
  );
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
  const named = Map.groupBy(
    definitions.filter(({ variant }) => isVariantWord(variant)),
    ({ image }) => image,
  );
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
