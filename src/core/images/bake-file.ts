import { ConfigurationError } from '../runner/errors.ts';
import { isRecord } from '../runner/event.ts';
import type { FoundImages, RefusedImage } from './compose-file.ts';
import {
  type ImageDefinition,
  insideRepository,
  isRemote,
  normaliseReference,
  plainDefinition,
  readContextSource,
  toImageName,
} from './definition.ts';
import type { RowBuild } from './row.ts';

/** What bake looks for without `-f`, in its order, as far as only bake reads it. */
export const BAKE_NAMES = [
  'docker-bake.json',
  'docker-bake.hcl',
  'docker-bake.override.json',
  'docker-bake.override.hcl',
];

/** Fields of a target that the workflow gives to the build step, not the repository. */
const LEFT_OUT = ['cache-from', 'cache-to', 'secret', 'ssh', 'entitlements', 'attest', 'output', 'annotations'];
const MAX_TARGETS = 5000;

/**
 * Reads what `docker buildx bake --print` says: every target of it is an image, those that others name as a context
 * included. Groups, `inherits`, `matrix`, variables and functions are resolved by bake itself.
 *
 * Throws ConfigurationError for what is no such definition.
 */
export function readBakeDefinition(text: string, file: string): FoundImages {
  const printed: unknown = parse(text, file);
  const targets = isRecord(printed) ? printed['target'] : undefined;
  if (!isRecord(targets)) throw new ConfigurationError(`bake found no target in "${file}"`, { file, line: 1 });
  const names = Object.keys(targets);
  if (names.length > MAX_TARGETS)
    throw new ConfigurationError(`"${file}" defines more than ${MAX_TARGETS} targets`, { file, line: 1 });
  const definitions: ImageDefinition[] = [];
  const refused: RefusedImage[] = [];
  for (const name of names) {
    try {
      const target = targets[name];
      if (isRecord(target)) definitions.push(toDefinition(name, target, file));
    } catch (error) {
      if (!(error instanceof ConfigurationError)) throw error;
      refused.push({ name, reason: `the target "${name}": ${error.message}`, file, line: 1 });
    }
  }
  return { definitions, refused };
}

function parse(text: string, file: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new ConfigurationError(`docker buildx bake --print answered for "${file}" with what is no JSON`, {
      file,
      cause,
    });
  }
}

type Target = Readonly<Record<string, unknown>>;

function toDefinition(name: string, target: Target, file: string): ImageDefinition {
  const place = { file, line: 1 };
  const image = toImageName(name);
  if (image === undefined) throw new ConfigurationError('its name holds no letter or digit', place);
  const given = textOf(target, 'context') ?? '.';
  if (isRemote(given)) throw new ConfigurationError(`the context "${given}" is no folder of this repository`, place);
  const context = insideRepository('.', given, place);
  const inline = textOf(target, 'dockerfile-inline');
  const platforms = listOf(target, 'platforms');
  return {
    ...plainDefinition(image, context, '', place),
    dockerfile:
      inline === undefined ? insideRepository(context, textOf(target, 'dockerfile') ?? 'Dockerfile', place) : file,
    target: textOf(target, 'target') ?? '',
    args: new Map(mapOf(target, 'args')),
    contexts: new Map(
      mapOf(target, 'contexts').map(([key, value]) => [key, readContextSource(nameTarget(value), '.', place)]),
    ),
    names: listOf(target, 'tags').map(normaliseReference),
    platforms: platforms.length === 0 ? undefined : platforms,
    build: toRowBuild(target, inline),
    leftOut: LEFT_OUT.filter((field) => Object.hasOwn(target, field) && !isCacheOnly(target[field])),
  };
}

/** Bake itself adds this output to targets that only others need. */
function isCacheOnly(value: unknown): boolean {
  return JSON.stringify(value) === '[{"type":"cacheonly"}]';
}

/** Images have targets' names as far as a registry takes them. */
function nameTarget(context: string): string {
  const [, target] = /^target:(.+)$/.exec(context) ?? [];
  return target === undefined ? context : `target:${toImageName(target) ?? target}`;
}

function toRowBuild(target: Target, inline: string | undefined): RowBuild {
  const labels = mapOf(target, 'labels');
  const hosts = mapOf(target, 'extra-hosts');
  const [ulimits, filter] = [listOf(target, 'ulimits'), listOf(target, 'no-cache-filter')];
  const [network, shmSize] = [textOf(target, 'network'), textOf(target, 'shm-size')];
  return {
    ...(inline === undefined ? {} : { 'dockerfile-inline': inline }),
    ...(labels.length === 0 ? {} : { labels: Object.fromEntries(labels) }),
    ...(network === undefined ? {} : { network }),
    ...(shmSize === undefined ? {} : { 'shm-size': shmSize }),
    ...(ulimits.length === 0 ? {} : { ulimits }),
    ...(hosts.length === 0 ? {} : { 'extra-hosts': Object.fromEntries(hosts) }),
    ...(target['no-cache'] === true ? { 'no-cache': true } : {}),
    ...(filter.length === 0 ? {} : { 'no-cache-filter': filter }),
    ...(target['pull'] === true ? { pull: true } : {}),
  };
}

function textOf(target: Target, field: string): string | undefined {
  const value = Object.hasOwn(target, field) ? target[field] : undefined;
  return typeof value === 'string' ? unescapeTemplates(value) : undefined;
}

function listOf(target: Target, field: string): readonly string[] {
  const value = Object.hasOwn(target, field) ? target[field] : undefined;
  return Array.isArray(value) ? value.filter((entry) => typeof entry === 'string').map(unescapeTemplates) : [];
}

function mapOf(target: Target, field: string): readonly [string, string][] {
  const value = Object.hasOwn(target, field) ? target[field] : undefined;
  if (!isRecord(value)) return [];
  return Object.entries(value).flatMap(([key, entry]): [string, string][] =>
    typeof entry === 'string' ? [[unescapeTemplates(key), unescapeTemplates(entry)]] : [],
  );
}

/** What bake prints can be read by bake again: `${` stands there as `$${`. */
function unescapeTemplates(text: string): string {
  return text.replace(/\$\$\{|%%\{/g, (opening) => opening.slice(1));
}
