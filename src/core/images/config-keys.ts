/** A part of a JSON schema: as much of draft 2020-12 as definitions of images need. */
export type JsonSchema = Readonly<Record<string, unknown>>;

/** A key of an image definition: what an editor shows of it, and which values it takes. */
interface ConfigKey {
  readonly description: string;
  readonly schema: JsonSchema;
}

const TEXT = { type: 'string' };
const SCALAR = { type: ['string', 'number', 'boolean'] };
const TEXTS = { anyOf: [TEXT, { type: 'array', items: TEXT }] };
const FLAG = { type: 'boolean' };
/** `key: value`, or a list of `key=value`. */
const MAP = {
  anyOf: [
    { type: 'object', additionalProperties: { type: ['string', 'number', 'boolean', 'null'] } },
    { type: 'array', items: TEXT },
  ],
};
const ULIMIT = {
  anyOf: [{ type: 'integer' }, { type: 'object', properties: { soft: SCALAR, hard: SCALAR }, required: ['soft'] }],
};

/**
 * The keys of an image and of a variant. The reader takes these and no others, and the published JSON schema is made
 * of them: they cannot differ.
 */
export const CONFIG_KEYS: Readonly<Record<string, ConfigKey>> = {
  context: {
    description: 'Folder that the build reads from, relative to the repository root. Default: "."',
    schema: TEXT,
  },
  dockerfile: { description: 'Dockerfile, relative to the context. Default: Dockerfile', schema: TEXT },
  dockerfile_inline: { description: 'The Dockerfile itself, in place of a file.', schema: TEXT },
  target: { description: 'Stage to build. Default: the last one.', schema: TEXT },
  args: { description: 'Build arguments.', schema: MAP },
  additional_contexts: {
    description:
      'Named contexts: a folder, docker-image://…, an address, or service:name for another image of this file.',
    schema: MAP,
  },
  platforms: { description: 'Platforms such as linux/amd64. Default: the input "platforms".', schema: TEXTS },
  tags: { description: 'Names by which other Dockerfiles of the repository call this image.', schema: TEXTS },
  labels: { description: 'Labels of the image.', schema: MAP },
  network: { description: "Network of the build's commands.", schema: TEXT },
  shm_size: { description: "Size of /dev/shm in the build's commands, such as 2g.", schema: SCALAR },
  ulimits: { description: "Limits of the build's commands.", schema: { type: 'object', additionalProperties: ULIMIT } },
  extra_hosts: { description: "Host names that the build's commands can reach.", schema: MAP },
  no_cache: { description: 'Builds every step again.', schema: FLAG },
  pull: { description: 'Looks for newer base images than the builder holds.', schema: FLAG },
  runner: { description: 'Label of the runner that builds it.', schema: TEXT },
  needs: { description: 'Images of this file that must be built before.', schema: TEXTS },
  models: { description: 'Model files, or globs of them, that must be verified before the build.', schema: TEXTS },
  only: { description: 'Globs: of a read of the whole context, only these files count.', schema: TEXTS },
  ignore: { description: 'Globs: of a read of the whole context, these files do not count.', schema: TEXTS },
  export: { description: 'Folder of the image that is copied out after the build.', schema: TEXT },
  suffix: { description: 'What the variant adds to a tag. Default: "-" and its name.', schema: TEXT },
  'cache-mode': { description: 'Default: min on GPU base images, else max.', schema: { enum: ['min', 'max'] } },
  'free-disk-space': { description: 'Default: true on GPU base images.', schema: FLAG },
};

/** The JSON schema (draft 2020-12) of `.github/images.yml`, for editors. */
export function configSchema(): JsonSchema {
  const properties = Object.fromEntries(
    Object.entries(CONFIG_KEYS).map(([key, { description, schema }]) => [key, { description, ...schema }]),
  );
  const own = { patternProperties: { '^x-': true }, additionalProperties: false };
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'Image definitions for Slipway build-matrix',
    type: 'object',
    required: ['images'],
    properties: {
      images: {
        description: 'Images by their short names.',
        type: 'object',
        minProperties: 1,
        propertyNames: { pattern: '^(?:x-.*|[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*)$' },
        additionalProperties: { $ref: '#/$defs/image' },
      },
    },
    ...own,
    $defs: {
      image: {
        type: ['object', 'null'],
        properties: {
          ...properties,
          variants: {
            description: 'Variants by their names: what one says wins over what its image says.',
            type: 'object',
            propertyNames: { pattern: '^[a-z0-9]+(?:[._-][a-z0-9]+)*$' },
            additionalProperties: { type: ['object', 'null'], properties, ...own },
          },
        },
        ...own,
      },
    },
  };
}
