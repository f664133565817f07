import { ConfigurationError } from '../runner/errors.ts';
import { LEFT_OUT_KEYS, readBuildOptions } from './build-options.ts';
import { CONFIG_KEYS } from './config-keys.ts';
import {
  type ImageDefinition,
  insideRepository,
  isRemote,
  normaliseReference,
  plainDefinition,
  readContextSource,
} from './definition.ts';
import type { RowBuild } from './row.ts';
import { readYamlFile, type YamlFields } from './yaml-file.ts';

const VARIANT_KEYS = Object.keys(CONFIG_KEYS);
const IMAGE_KEYS = [...VARIANT_KEYS, 'variants'];

const IMAGE_NAME = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*$/;
const VARIANT_NAME = /^[a-z0-9]+(?:[._-][a-z0-9]+)*$/;
const PLATFORM = /^[a-z0-9]+\/[a-z0-9_]+(?:\/[a-z0-9.]+)?$/;
const MAX_IMAGES = 5000;

/**
 * Reads image definitions (`.github/images.yml`).
 *
 * Contexts are relative to the repository's root, Dockerfiles to their context, as in compose. What a variant says
 * wins over what its image says; arguments are merged. Throws ConfigurationError with the line for every unknown key,
 * wrong value, and path that leaves the repository. `docs/images.schema.json` says the same to editors.
 */
export function readConfigFile(text: string, file: string): readonly ImageDefinition[] {
  const top = readYamlFile(text, file);
  if (!top.isMapping)
    throw new ConfigurationError(`"${file}" must be a mapping with the key "images"`, { file, line: 1 });
  top.refuseUnknownKeys(['images']);
  const images = top.fields('images');
  const names = images.keys();
  if (names.length === 0) throw new ConfigurationError(`"${file}" defines no image`, { file, line: 1 });
  if (names.length > MAX_IMAGES)
    throw new ConfigurationError(`"${file}" defines more than ${MAX_IMAGES} images`, { file });
  return names.flatMap((name) => readImage(images, name));
}

function readImage(images: YamlFields, image: string): readonly ImageDefinition[] {
  if (!IMAGE_NAME.test(image)) {
    throw new ConfigurationError(
      `"${image}" is no name of an image: lower-case letters, digits, and single . _ - between them`,
      images.place(image),
    );
  }
  const fields = images.fields(image);
  refuseKeys(fields, IMAGE_KEYS);
  const { hasDockerfile: _, ...given } = readFields(fields, '.', 'Dockerfile');
  const own = { ...plainDefinition(image, '.', 'Dockerfile', images.place(image)), ...given };
  const variants = fields.fields('variants');
  if (variants.keys().length === 0) return [own];
  return variants.keys().map((variant) => readVariant(variants, variant, own, fields));
}

function readVariant(variants: YamlFields, variant: string, image: ImageDefinition, of: YamlFields): ImageDefinition {
  if (!VARIANT_NAME.test(variant)) {
    throw new ConfigurationError(
      `"${variant}" is no name of a variant: lower-case letters and digits, and . _ - between them`,
      variants.place(variant),
    );
  }
  const fields = variants.fields(variant);
  refuseKeys(fields, VARIANT_KEYS);
  const { hasDockerfile, ...given } = readFields(fields, image.context, of.text('dockerfile') ?? 'Dockerfile');
  return {
    ...image,
    ...given,
    variant,
    args: new Map([...image.args, ...given.args]),
    contexts: new Map([...image.contexts, ...given.contexts]),
    names: given.names,
    build: mergeBuild(image.build, given.build, hasDockerfile),
    place: given.build['dockerfile-inline'] === undefined ? variants.place(variant) : given.place,
  };
}

/** Keys that are none, and keys of a compose `build:` that are the workflow's to give. */
function refuseKeys(fields: YamlFields, known: readonly string[]): void {
  for (const key of fields.keys()) {
    const instead = LEFT_OUT_KEYS.get(key);
    if (instead !== undefined)
      throw new ConfigurationError(`"${key}" is not for image definitions: ${instead}`, fields.place(key));
  }
  fields.refuseUnknownKeys(known);
}

/** A variant's Dockerfile, in a file or inline, takes the place of its image's. */
function mergeBuild(image: RowBuild, build: RowBuild, hasDockerfile: boolean): RowBuild {
  const { 'dockerfile-inline': inline, labels, ...rest } = image;
  return {
    ...rest,
    ...(inline === undefined || hasDockerfile ? {} : { 'dockerfile-inline': inline }),
    ...build,
    ...(labels === undefined ? {} : { labels: { ...labels, ...build.labels } }),
  };
}

type Given = Pick<ImageDefinition, 'context' | 'dockerfile' | 'args' | 'contexts' | 'names' | 'build' | 'place'> &
  Partial<ImageDefinition> & { readonly hasDockerfile: boolean };

/** The fields that are given, and those that have a value of their own in any case. */
function readFields(fields: YamlFields, defaultContext: string, defaultDockerfile: string): Given {
  const given = fields.text('context');
  if (given !== undefined && isRemote(given)) fields.refuse('context', 'a folder of this repository');
  const context = given === undefined ? defaultContext : insideRepository('.', given, fields.place('context'));
  const build = readBuildOptions(fields, (text) => text);
  const isInline = build['dockerfile-inline'] !== undefined;
  const own = fields.text('dockerfile');
  if (isInline && own !== undefined) fields.refuse('dockerfile', 'absent beside "dockerfile_inline"');
  const cacheMode = fields.text('cache-mode');
  if (cacheMode !== undefined && cacheMode !== 'min' && cacheMode !== 'max') fields.refuse('cache-mode', 'min or max');
  const place = fields.place(...(isInline ? ['dockerfile_inline'] : []));
  const optional = {
    target: fields.text('target'),
    platforms: fields.get('platforms') === undefined ? undefined : readPlatforms(fields),
    runner: fields.text('runner'),
    needs: presentList(fields, 'needs'),
    models: presentList(fields, 'models'),
    only: presentList(fields, 'only'),
    ignore: presentList(fields, 'ignore'),
    export: fields.text('export'),
    suffix: fields.text('suffix'),
    cacheMode,
    freeDiskSpace: fields.flag('free-disk-space'),
  };
  const present = Object.fromEntries(Object.entries(optional).filter(([, value]) => value !== undefined));
  return {
    context,
    dockerfile: isInline
      ? (place.file ?? '')
      : insideRepository(context, own ?? defaultDockerfile, fields.place('dockerfile')),
    build,
    place,
    hasDockerfile: own !== undefined,
    args: new Map(
      [...fields.map('args')].flatMap(([name, value]) => (value === undefined ? [] : [[name, value] as const])),
    ),
    contexts: new Map(
      [...fields.map('additional_contexts')].map(([name, value]) => [
        name,
        readContextSource(
          value ?? fields.refuse('additional_contexts', 'a mapping of texts'),
          '.',
          fields.place('additional_contexts'),
        ),
      ]),
    ),
    names: fields.list('tags').map(normaliseReference),
    ...present,
  };
}

function presentList(fields: YamlFields, key: string): readonly string[] | undefined {
  return fields.get(key) === undefined ? undefined : fields.list(key);
}

function readPlatforms(fields: YamlFields): readonly string[] {
  const platforms = fields
    .list('platforms')
    .flatMap((entry) => entry.split(','))
    .map((entry) => entry.trim());
  const wrong = platforms.find((platform) => !PLATFORM.test(platform));
  return wrong === undefined ? platforms : fields.refuse('platforms', 'a list of platforms such as linux/amd64');
}
