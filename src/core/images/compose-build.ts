import { ConfigurationError, type ErrorPlace } from '../runner/errors.ts';
import { CARRIED_KEYS, LEFT_OUT_KEYS, readBuildOptions } from './build-options.ts';
import { interpolate } from './compose-variables.ts';
import {
  type ContextSource,
  type ImageDefinition,
  insideRepository,
  isRemote,
  normaliseReference,
  plainDefinition,
  readContextSource,
  toImageName,
} from './definition.ts';
import type { RowBuild } from './row.ts';
import type { YamlFields } from './yaml-file.ts';

/** What one service says of its build; what it does not say is undefined, so that services can extend each other. */
export interface ServiceBuild {
  /** A folder of the repository. */
  readonly context: string | undefined;
  /** Relative to the context. */
  readonly dockerfile: string | undefined;
  readonly target: string | undefined;
  readonly args: ReadonlyMap<string, string>;
  readonly contexts: ReadonlyMap<string, ContextSource>;
  readonly platforms: readonly string[];
  readonly names: readonly string[];
  readonly build: RowBuild;
  readonly leftOut: readonly string[];
  readonly place: ErrorPlace;
}

/** What a service's texts are read with. */
export interface Scope {
  /** The folder that the service's paths are relative to. */
  readonly folder: string;
  readonly variables: ReadonlyMap<string, string>;
}

const KNOWN_KEYS: readonly string[] = [
  'context',
  'dockerfile',
  'target',
  'args',
  'additional_contexts',
  'platforms',
  'tags',
  ...CARRIED_KEYS,
  ...LEFT_OUT_KEYS.keys(),
];

/**
 * Reads a service's `build`, in its short or long form; undefined for a service without one. Throws ConfigurationError
 * with the line for a context that is no folder of the repository, and for one whose variable has no value.
 */
export function readServiceBuild(service: YamlFields, { folder, variables }: Scope): ServiceBuild | undefined {
  const given = service.get('build');
  if (given === undefined) return undefined;
  const place = service.place('build');
  const long = typeof given === 'string' ? undefined : service.fields('build');
  const expand = (key: string, text: string | undefined): string | undefined => {
    if (text === undefined) return undefined;
    const { value, unset } = interpolate(text, variables);
    if (unset.length > 0)
      throw new ConfigurationError(
        `"${key}" needs ${unset.join(', ')}, which has no value here; write \${${unset[0]}:-default}`,
        place,
      );
    return value;
  };
  const context = expand('context', long === undefined ? service.text('build') : long.text('context'));
  if (context !== undefined && isRemote(context))
    throw new ConfigurationError(`the context "${context}" is no folder of this repository`, place);
  const inline = long?.get('dockerfile_inline') !== undefined;
  return {
    context: context === undefined ? undefined : insideRepository(folder, context, place),
    dockerfile: expand('dockerfile', long?.text('dockerfile')),
    target: expand('target', long?.text('target')),
    args: knownValues(long?.map('args'), variables),
    contexts: new Map(
      [...knownValues(long?.map('additional_contexts'), variables)].map(([key, value]) => [
        key,
        readContextSource(value, folder, place),
      ]),
    ),
    platforms: long?.list('platforms') ?? [],
    names: localNames(long?.list('tags') ?? [], variables),
    build: long === undefined ? {} : readBuildOptions(long, (text) => whenSet(text, variables)),
    leftOut: (long?.keys() ?? []).filter((key) => LEFT_OUT_KEYS.has(key) || !isKnown(key)),
    place: inline && long !== undefined ? long.place('dockerfile_inline') : place,
  };
}

function isKnown(key: string): boolean {
  return KNOWN_KEYS.includes(key) || key.startsWith('x-');
}

/** A build as a service that extends another, or a later file of the same project, has it: compose-specification, "Merge". */
export function mergeBuilds(
  below: ServiceBuild | undefined,
  above: ServiceBuild | undefined,
): ServiceBuild | undefined {
  if (below === undefined || above === undefined) return above ?? below;
  const inline = above.build['dockerfile-inline'] !== undefined || above.dockerfile !== undefined;
  const { 'dockerfile-inline': own, ...rest } = below.build;
  return {
    context: above.context ?? below.context,
    dockerfile: above.dockerfile ?? below.dockerfile,
    target: above.target ?? below.target,
    args: new Map([...below.args, ...above.args]),
    contexts: new Map([...below.contexts, ...above.contexts]),
    platforms: above.platforms.length > 0 ? above.platforms : below.platforms,
    names: [...below.names, ...above.names],
    build: {
      ...rest,
      ...(own === undefined || inline ? {} : { 'dockerfile-inline': own }),
      ...above.build,
      ...(below.build.labels === undefined ? {} : { labels: { ...below.build.labels, ...above.build.labels } }),
    },
    leftOut: [...new Set([...below.leftOut, ...above.leftOut])],
    place: above.place,
  };
}

/** The image of a service. Throws ConfigurationError for a name of which nothing is left, and for a Dockerfile outside. */
export function toDefinition(
  name: string,
  file: string,
  given: ServiceBuild,
  names: readonly string[],
): ImageDefinition {
  const place = { file, ...given.place };
  const image = toImageName(name);
  if (image === undefined) throw new ConfigurationError(`the service "${name}" has no name for an image`, place);
  const context = given.context ?? '.';
  const isInline = given.build['dockerfile-inline'] !== undefined;
  const dockerfile = isInline
    ? (place.file ?? file)
    : insideRepository(context, given.dockerfile ?? 'Dockerfile', place);
  return {
    ...plainDefinition(image, context, dockerfile, place),
    target: given.target ?? '',
    args: given.args,
    contexts: given.contexts,
    names: [...names, ...given.names],
    platforms: given.platforms.length === 0 ? undefined : given.platforms,
    build: given.build,
    leftOut: given.leftOut,
  };
}

/** References whose variables all have a value, normalised. */
export function localNames(references: readonly string[], variables: ReadonlyMap<string, string>): readonly string[] {
  return references.flatMap((reference) => {
    const name = whenSet(reference, variables);
    return name === undefined || name === '' ? [] : [normaliseReference(name)];
  });
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
