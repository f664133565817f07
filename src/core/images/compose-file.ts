import { posix } from 'node:path';
import { ConfigurationError } from '../runner/errors.ts';
import { isRecord } from '../runner/event.ts';
import { interpolate, readEnvironmentFile } from './compose-variables.ts';
import {
  type ImageDefinition,
  insideRepository,
  isRemote,
  normaliseReference,
  plainDefinition,
  readContextSource,
  toImageName,
} from './definition.ts';
import type { Snapshot } from './snapshot.ts';
import { readYamlFile, type YamlFields } from './yaml-file.ts';

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

const MAX_DEPTH = 16;
/** Bounds files that include each other over and over. */
const MAX_FILES = 200;

/**
 * The images that compose files build: every service with a `build`, short or long form, its own or by `extends`,
 * in the files themselves and those they `include`.
 *
 * Contexts are relative to the compose file's folder, Dockerfiles to their context. `.env` beside the file gives
 * variables; an argument that has no value is left out, so that no empty text is built in. Two services with one
 * build are one image. Throws ConfigurationError with the line for what is no compose file.
 */
export async function readComposeFiles(snapshot: Snapshot, files: readonly string[]): Promise<FoundImages> {
  const services: Service[] = [];
  const read: string[] = [];
  for (const file of files) services.push(...(await readServices({ snapshot, read }, file, 0)));
  const definitions: ImageDefinition[] = [];
  const refused: RefusedImage[] = [];
  for (const service of services) {
    try {
      const definition = toDefinition(service);
      if (definition !== undefined) definitions.push(definition);
    } catch (error) {
      if (!(error instanceof ConfigurationError)) throw error;
      refused.push({ name: service.name, reason: error.message, file: service.file, line: error.place.line ?? 1 });
    }
  }
  return { definitions: mergeSameBuilds(definitions), refused };
}

interface Service {
  readonly name: string;
  readonly file: string;
  readonly fields: YamlFields;
  /** Where `build` stands: this service, or the one it extends, with the folder its paths are relative to. */
  readonly build: { readonly fields: YamlFields; readonly folder: string } | undefined;
  readonly variables: ReadonlyMap<string, string>;
}

/** What a reading has at hand: the commit, and the files read so far. */
interface Reading {
  readonly snapshot: Snapshot;
  readonly read: string[];
}

async function readServices(reading: Reading, file: string, depth: number): Promise<readonly Service[]> {
  if (depth > MAX_DEPTH) throw new ConfigurationError(`"${file}" is included ${MAX_DEPTH} levels deep`, { file });
  const { snapshot, read } = reading;
  if (read.push(file) > MAX_FILES)
    throw new ConfigurationError(`"${file}" is one of more than ${MAX_FILES} compose files`, { file });
  const folder = posix.dirname(file);
  const environmentFile = posix.join(folder, '.env');
  await snapshot.load([file, environmentFile]);
  const text = snapshot.text(file);
  if (text === undefined) throw new ConfigurationError(`there is no compose file "${file}" in this commit`, { file });
  const top = readYamlFile(text, file);
  const variables = readEnvironmentFile(snapshot.text(environmentFile) ?? '');
  const found: Service[] = [];
  for (const path of includedFiles(top)) {
    found.push(...(await readServices(reading, insideRepository(folder, path, top.place('include')), depth + 1)));
  }
  const services = top.fields('services');
  for (const name of services.keys()) {
    const fields = services.fields(name);
    found.push({ name, file, fields, build: await findBuild(reading, services, name, folder, depth), variables });
  }
  return found;
}

function includedFiles(top: YamlFields): readonly string[] {
  const include = top.get('include') ?? [];
  return (Array.isArray(include) ? include : [include])
    .flatMap((entry: unknown): unknown => (isRecord(entry) ? entry['path'] : entry))
    .flatMap((path) => (typeof path === 'string' ? [path] : top.refuse('include', 'a list of paths')));
}

async function findBuild(
  reading: Reading,
  services: YamlFields,
  name: string,
  folder: string,
  depth: number,
): Promise<Service['build']> {
  const fields = services.fields(name);
  if (fields.get('build') !== undefined) return { fields, folder };
  const extended = fields.get('extends');
  if (extended === undefined) return undefined;
  if (depth > MAX_DEPTH)
    throw new ConfigurationError(`"${name}" extends services ${MAX_DEPTH} levels deep`, fields.place('extends'));
  const of =
    typeof extended === 'string'
      ? extended
      : (fields.fields('extends').text('service') ?? fields.refuse('extends', 'a service'));
  const other = typeof extended === 'string' ? undefined : fields.fields('extends').text('file');
  if (other === undefined) return findBuild(reading, services, of, folder, depth + 1);
  const file = insideRepository(folder, other, fields.place('extends'));
  const found = (await readServices(reading, file, depth + 1)).find(
    (service) => service.name === of && service.file === file,
  );
  return found?.build;
}

function toDefinition({ name, fields, build, variables, file }: Service): ImageDefinition | undefined {
  if (build === undefined) return undefined;
  const image = toImageName(name);
  if (image === undefined)
    throw new ConfigurationError(`the service "${name}" has no name for an image`, fields.place());
  const place = { file, ...build.fields.place('build') };
  const long = typeof build.fields.get('build') === 'string' ? undefined : build.fields.fields('build');
  const expand = (key: string, text: string): string => {
    const { value, unset } = interpolate(text, variables);
    if (unset.length > 0)
      throw new ConfigurationError(
        `"${key}" of the service "${name}" needs ${unset.join(', ')}, which has no value here; write \${${unset[0]}:-default}`,
        place,
      );
    return value;
  };
  const given = expand('context', (long === undefined ? build.fields.text('build') : long.text('context')) ?? '.');
  if (isRemote(given)) throw new ConfigurationError(`the context "${given}" is no folder of this repository`, place);
  if (long?.get('dockerfile_inline') !== undefined)
    throw new ConfigurationError(
      `"dockerfile_inline" is not read; write it to a file and name it with "dockerfile"`,
      place,
    );
  const context = insideRepository(build.folder, given, place);
  const dockerfile = insideRepository(context, expand('dockerfile', long?.text('dockerfile') ?? 'Dockerfile'), place);
  const platforms = long?.list('platforms') ?? [];
  return {
    ...plainDefinition(image, context, dockerfile, place),
    target: expand('target', long?.text('target') ?? ''),
    args: knownValues(long?.map('args'), variables),
    contexts: new Map(
      [...knownValues(long?.map('additional_contexts'), variables)].map(([key, value]) => [
        key,
        readContextSource(value, build.folder, place),
      ]),
    ),
    names: [fields.text('image'), ...(long?.list('tags') ?? [])].flatMap((reference) =>
      localName(reference, variables),
    ),
    platforms: platforms.length === 0 ? undefined : platforms,
  };
}

/** Arguments whose value is known; one that only an environment could give is left to the build's caller. */
function knownValues(
  given: ReadonlyMap<string, string | undefined> | undefined,
  variables: ReadonlyMap<string, string>,
): ReadonlyMap<string, string> {
  const known = new Map<string, string>();
  for (const [name, text] of given ?? []) {
    const value = text === undefined ? variables.get(name) : whenSet(text, variables);
    if (value !== undefined) known.set(name, value);
  }
  return known;
}

function whenSet(text: string, variables: ReadonlyMap<string, string>): string | undefined {
  const { value, unset } = interpolate(text, variables);
  return unset.length > 0 ? undefined : value;
}

function localName(reference: string | undefined, variables: ReadonlyMap<string, string>): readonly string[] {
  const name = reference === undefined ? undefined : whenSet(reference, variables);
  return name === undefined || name === '' ? [] : [normaliseReference(name)];
}

/** Two services with one build are one image, under the first one's name. */
function mergeSameBuilds(definitions: readonly ImageDefinition[]): readonly ImageDefinition[] {
  const byBuild = new Map<string, ImageDefinition>();
  for (const definition of definitions) {
    const { context, dockerfile, target, args, contexts } = definition;
    const key = JSON.stringify([context, dockerfile, target, [...args].sort(), [...contexts].sort()]);
    const first = byBuild.get(key);
    byBuild.set(key, first === undefined ? definition : { ...first, names: [...first.names, ...definition.names] });
  }
  return [...byBuild.values()];
}
