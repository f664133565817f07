import { ConfigurationError } from '../runner/errors.ts';
import {
  type ImageDefinition,
  insideRepository,
  isRemote,
  normaliseReference,
  plainDefinition,
  readContextSource,
} from './definition.ts';
import { readYamlFile, type YamlFields } from './yaml-file.ts';

const VARIANT_KEYS = [
  'context',
  'dockerfile',
  'target',
  'args',
  'additional_contexts',
  'platforms',
  'tags',
  'runner',
  'needs',
  'models',
  'only',
  'ignore',
  'export',
  'suffix',
  'cache-mode',
  'free-disk-space',
] as const;
const IMAGE_KEYS = [...VARIANT_KEYS, 'variants'] as const;

const IMAGE_NAME = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*$/;
const VARIANT_NAME = /^[a-z0-9]+(?:[._-][a-z0-9]+)*$/;
const PLATFORM = /^[a-z0-9]+\/[a-z0-9_]+(?:\/[a-z0-9.]+)?$/;
const MAX_IMAGES = 5000;

/**
 * Reads image definitions (`.github/images.yml`).
 *
 * Contexts are relative to the repository's root, Dockerfiles to their context, as in compose. What a variant says
 * wins over what its image says; arguments are merged. Throws ConfigurationError with the line for every unknown key,
 * wrong value, and path that leaves the repository.
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
  fields.refuseUnknownKeys(IMAGE_KEYS);
  const own = {
    ...plainDefinition(image, '.', 'Dockerfile', images.place(image)),
    ...readFields(fields, '.', 'Dockerfile'),
  };
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
  fields.refuseUnknownKeys(VARIANT_KEYS);
  const given = readFields(fields, image.context, of.text('dockerfile') ?? 'Dockerfile');
  return {
    ...image,
    ...given,
    variant,
    args: new Map([...image.args, ...given.args]),
    contexts: new Map([...image.contexts, ...given.contexts]),
    names: given.names,
    place: variants.place(variant),
  };
}

type Given = Pick<ImageDefinition, 'context' | 'dockerfile' | 'args' | 'contexts' | 'names'> & Partial<ImageDefinition>;

/** The fields that are given, and those that have a value of their own in any case. */
function readFields(fields: YamlFields, defaultContext: string, defaultDockerfile: string): Given {
  const given = fields.text('context');
  if (given !== undefined && isRemote(given)) fields.refuse('context', 'a folder of this repository');
  const context = given === undefined ? defaultContext : insideRepository('.', given, fields.place('context'));
  const dockerfile = fields.text('dockerfile') ?? defaultDockerfile;
  const cacheMode = fields.text('cache-mode');
  if (cacheMode !== undefined && cacheMode !== 'min' && cacheMode !== 'max') fields.refuse('cache-mode', 'min or max');
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
    dockerfile: insideRepository(context, dockerfile, fields.place('dockerfile')),
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
