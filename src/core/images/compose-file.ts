import { posix } from 'node:path';
import { ConfigurationError } from '../runner/errors.ts';
import { findBaseImages } from './base-images.ts';
import { toDefinition } from './compose-build.ts';
import { type ComposeProject, readComposeProject } from './compose-project.ts';
import type { ImageDefinition } from './definition.ts';
import { isGpuImage, isVariantWord } from './gpu.ts';
import type { Snapshot } from './snapshot.ts';

/** An image that was found and cannot be built by this action, and why. */
export interface RefusedImage {
  readonly name: string;
  readonly reason: string;
  readonly file: string;
  readonly line: number;
}

export interface FoundImages {
  readonly definitions: readonly ImageDefinition[];
  readonly refused: readonly RefusedImage[];
}

/**
 * The images that compose files build: every service with a `build`, short or long form, its own or by `extends`,
 * in the files themselves and those they `include`.
 *
 * A file whose name ends in a variant's word (`docker-compose-cpu.yml`) pairs with the one beside it that has none: a
 * service whose build differs between the two is one image in two variants. Two services with one build are one image.
 * An argument that has no value is left out, so that no empty text is built in.
 * Throws ConfigurationError with the line for what is no compose file.
 */
export async function readComposeFiles(
  snapshot: Snapshot,
  files: readonly string[],
  projectDirectory?: string,
): Promise<FoundImages> {
  const refused: RefusedImage[] = [];
  const read = new Map<string, readonly ImageDefinition[]>();
  for (const file of files) {
    const project = await readComposeProject(snapshot, file, projectDirectory);
    read.set(file, toDefinitions(project, refused));
  }
  const found: ImageDefinition[] = [];
  for (const [base, siblings] of pairFiles(files)) {
    const own = read.get(base) ?? [];
    const variants = siblings.map(({ file, word }) => ({ word, definitions: read.get(file) ?? [] }));
    found.push(...(await pairServices(snapshot, own, variants)));
  }
  return { definitions: mergeSameBuilds(found), refused };
}

function toDefinitions(project: ComposeProject, refused: RefusedImage[]): readonly ImageDefinition[] {
  const refuse = (name: string, file: string, error: ConfigurationError): void => {
    const of = `the service "${name}"`;
    const reason = error.message.startsWith(of) ? error.message : `${of}: ${error.message}`;
    refused.push({ name, reason, file: error.place.file ?? file, line: error.place.line ?? 1 });
  };
  for (const { name, file, error } of project.broken) refuse(name, file, error);
  return project.services.flatMap(({ name, file, build, names }) => {
    try {
      return [toDefinition(name, file, build, names)];
    } catch (error) {
      if (!(error instanceof ConfigurationError)) throw error;
      refuse(name, file, error);
      return [];
    }
  });
}

const COMPOSE_NAME = /^((?:docker-)?compose)[._-](.+)(\.ya?ml)$/;

/** The variant's word that a compose file's name ends in: `cpu` for `docker-compose-cpu.yml`. */
export function composeVariant(path: string): string | undefined {
  const word = COMPOSE_NAME.exec(posix.basename(path))?.[2];
  return word !== undefined && isVariantWord(word) ? word.toLowerCase() : undefined;
}

interface Sibling {
  readonly file: string;
  readonly word: string;
}

/** Files without a variant's word, each with those of its folder that have one; the latter alone where there is no former. */
function pairFiles(files: readonly string[]): ReadonlyMap<string, readonly Sibling[]> {
  const groups = new Map<string, Sibling[]>();
  const bases = files.filter((file) => composeVariant(file) === undefined);
  for (const file of bases) groups.set(file, []);
  for (const file of files) {
    const word = composeVariant(file);
    if (word === undefined) continue;
    const base = bases.find((other) => posix.dirname(other) === posix.dirname(file));
    if (base === undefined) groups.set(file, []);
    else groups.get(base)?.push({ file, word });
  }
  return groups;
}

/** Services of one name in paired files: one image in variants where their builds differ. */
async function pairServices(
  snapshot: Snapshot,
  own: readonly ImageDefinition[],
  others: readonly { readonly word: string; readonly definitions: readonly ImageDefinition[] }[],
): Promise<readonly ImageDefinition[]> {
  if (others.length === 0) return own;
  const bases = await findBaseImages(snapshot, own);
  const paired = own.flatMap((definition) => {
    const differing = others.flatMap(({ word, definitions }) => {
      const other = definitions.find(({ image }) => image === definition.image);
      return other === undefined || buildKey(other) === buildKey(definition) ? [] : [{ ...other, variant: word }];
    });
    if (differing.length === 0) return [definition];
    const isGpu = bases.get(definition)?.some(isGpuImage) === true;
    const word = isGpu ? 'gpu' : 'cpu';
    const isFree = differing.every(({ variant }) => (variant === 'cpu') === isGpu);
    return [{ ...definition, variant: isFree ? word : '' }, ...differing];
  });
  const known = new Set(own.map(({ image }) => image));
  const only = others.flatMap(({ definitions }) => definitions).filter(({ image }) => !known.has(image));
  return [...paired, ...new Map(only.map((definition) => [definition.image, definition])).values()];
}

/** Two services with one build are one image, under the first one's name; in variants, with all of them equal. */
function mergeSameBuilds(definitions: readonly ImageDefinition[]): readonly ImageDefinition[] {
  const byImage = new Map<string, ImageDefinition[]>();
  for (const definition of definitions) {
    const variants = byImage.get(definition.image) ?? [];
    byImage.set(definition.image, [...variants, definition]);
  }
  const byBuild = new Map<string, readonly ImageDefinition[]>();
  for (const variants of byImage.values()) {
    const key = JSON.stringify(variants.map((definition) => [definition.variant, buildKey(definition)]));
    const first = byBuild.get(key);
    byBuild.set(
      key,
      first?.map((one, index) => ({ ...one, names: [...one.names, ...(variants[index]?.names ?? [])] })) ?? variants,
    );
  }
  return [...byBuild.values()].flat();
}

function buildKey({ context, dockerfile, target, args, contexts, build }: ImageDefinition): string {
  return JSON.stringify([context, dockerfile, target, [...args].sort(), [...contexts].sort(), build]);
}
