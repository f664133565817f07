import { ConfigurationError } from '../runner/errors.ts';
import { isRecord } from '../runner/event.ts';

/**
 * One thing to build: an image in one variant for one platform.
 *
 * `build-matrix` writes rows, every other action reads them, mostly as `${{ toJSON(matrix) }}`: the field names are
 * those of the JSON. A row holds no registry host and no owner, because GitHub drops a job's output that looks as if
 * it held a secret. Paths are relative to the repository's root, with `/`.
 */
export interface Row {
  /** Unique in its matrix, of `[a-z0-9._-]`: `worker-gpu-linux-amd64`. */
  readonly id: string;
  /** The image's short name, a component of an OCI repository name: `worker`. */
  readonly image: string;
  /** `''` for an image that has no variants. */
  readonly variant: string;
  /** `os/architecture[/variant]`. */
  readonly platform: string;
  /** The runner's label. */
  readonly runner: string;
  readonly context: string;
  readonly dockerfile: string;
  /** The stage to build; `''` for the last one. */
  readonly target: string;
  readonly args: Readonly<Record<string, string>>;
  /** Named contexts: name → `docker-image://…`, a path, or `row:<id>` for an image of this repository. */
  readonly contexts: Readonly<Record<string, string>>;
  /** What the variant adds to a tag, such as `-gpu`. */
  readonly suffix: string;
  /** The name its build cache is kept under. */
  readonly scope: string;
  /** 0 for rows that need no other row, else one more than the highest wave of what they need. */
  readonly wave: number;
  /** Ids of the rows whose images this one is built from. */
  readonly needs: readonly string[];
  /** SHA-256 in hex over everything the row is made of. */
  readonly inputs: string;
  /** True when the registry already holds an image of these inputs. */
  readonly exists: boolean;
  readonly reason: string;
  /** Model files, or globs of them, that must be verified before the build. */
  readonly models: readonly string[];
  /** The folder inside the image that is exported to the workspace after the build; `''` for none. */
  readonly export: string;
  readonly 'cache-mode': 'min' | 'max';
  readonly 'free-disk-space': boolean;
  /** Rows that the repository has, to build or not: so many share the budget of GitHub's cache. 0 where nobody counted. */
  readonly 'total-rows': number;
  readonly build: RowBuild;
}

/**
 * What else a definition says of the build, under the field names of bake, so that it becomes part of a bake target as
 * it is; `{}` for most rows. What a workflow grants (secrets, SSH agents, entitlements, caches, attestations) is not
 * for a file of the repository to say.
 */
export interface RowBuild {
  /** The Dockerfile itself, in place of the file. */
  readonly 'dockerfile-inline'?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly network?: string;
  readonly 'shm-size'?: string;
  readonly ulimits?: readonly string[];
  readonly 'extra-hosts'?: Readonly<Record<string, string>>;
  readonly 'no-cache'?: boolean;
  readonly 'no-cache-filter'?: readonly string[];
  readonly pull?: boolean;
}

const BUILD_FIELDS = [
  'dockerfile-inline',
  'labels',
  'network',
  'shm-size',
  'ulimits',
  'extra-hosts',
  'no-cache',
  'no-cache-filter',
  'pull',
];

/** A part of a repository name: OCI distribution specification 1.1, "Pulling manifests". */
const NAME = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*$/;
const ID = /^[a-z0-9][a-z0-9._-]{0,199}$/;
const PLATFORM = /^[a-z0-9]+\/[a-z0-9_]+(?:\/[a-z0-9.]+)?$/;
const MAX_TEXT = 2 * 1024 * 1024;

/** Reads a JSON row. Throws ConfigurationError that names the field which is wrong. */
export function parseRow(text: string): Row {
  return toRow(parseJson(text), 'the row');
}

/**
 * Reads one row, a list of rows, or a whole matrix (`{"include":[…]}`).
 * Throws ConfigurationError that names the row and the field which is wrong.
 */
export function parseRows(text: string): readonly Row[] {
  const value = parseJson(text);
  const list: unknown = isRecord(value) && Object.hasOwn(value, 'include') ? value['include'] : value;
  const rows = (Array.isArray(list) ? list : [list]).map((row: unknown, index) => toRow(row, `row ${index + 1}`));
  const ids = new Set<string>();
  for (const { id } of rows) {
    if (ids.has(id)) throw new ConfigurationError(`two rows have the id "${id}"`);
    ids.add(id);
  }
  return rows;
}

function parseJson(text: string): unknown {
  if (text.length > MAX_TEXT) throw new ConfigurationError(`rows of more than ${MAX_TEXT} characters are not read`);
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new ConfigurationError('this is no JSON; give a row as ${{ toJSON(matrix) }}', { cause });
  }
}

function toRow(value: unknown, where: string): Row {
  if (!isRecord(value))
    throw new ConfigurationError(`${where} is no JSON object; give a row as \${{ toJSON(matrix) }}`);
  const read = fieldReader(value, where);
  const image = read.text('image', NAME);
  const variant = read.text('variant', /^[a-z0-9._-]*$/, '');
  const platform = read.text('platform', PLATFORM, 'linux/amd64');
  const id = read.text(
    'id',
    ID,
    [image, variant, platform.replaceAll('/', '-')].filter((part) => part !== '').join('-'),
  );
  return {
    id,
    image,
    variant,
    platform,
    runner: read.text('runner', /^[^\0\n]*$/, 'ubuntu-24.04'),
    context: read.path('context', '.'),
    dockerfile: read.path('dockerfile', 'Dockerfile'),
    target: read.text('target', /^[\w.-]*$/, ''),
    args: read.map('args'),
    contexts: read.map('contexts'),
    suffix: read.text('suffix', /^[\w.-]*$/, variant === '' ? '' : `-${variant}`),
    scope: read.text('scope', /^[\w./-]+$/, id),
    wave: read.count('wave'),
    needs: read.list('needs'),
    inputs: read.text('inputs', /^(?:[0-9a-f]{64})?$/, ''),
    exists: read.flag('exists'),
    reason: read.text('reason', /^[^\0]*$/, ''),
    models: read.list('models'),
    export: read.text('export', /^[^\0\n]*$/, ''),
    'cache-mode': read.text('cache-mode', /^(?:min|max)$/, 'max') === 'min' ? 'min' : 'max',
    'free-disk-space': read.flag('free-disk-space'),
    'total-rows': read.count('total-rows'),
    build: toRowBuild(Object.hasOwn(value, 'build') ? value['build'] : {}, `"build" of ${where}`),
  };
}

function toRowBuild(value: unknown, where: string): RowBuild {
  if (!isRecord(value)) throw new ConfigurationError(`${where} is no JSON object`);
  const unknown = Object.keys(value).find((name) => !BUILD_FIELDS.includes(name));
  if (unknown !== undefined)
    throw new ConfigurationError(`${where} holds "${unknown}"; it may hold ${BUILD_FIELDS.join(', ')}`);
  const read = fieldReader(value, where);
  const has = (name: string): boolean => Object.hasOwn(value, name);
  return {
    ...(has('dockerfile-inline') ? { 'dockerfile-inline': read.text('dockerfile-inline', /^[^\0]+$/) } : {}),
    ...(has('labels') ? { labels: read.map('labels') } : {}),
    ...(has('network') ? { network: read.text('network', /^[\w.:-]+$/) } : {}),
    ...(has('shm-size') ? { 'shm-size': read.text('shm-size', /^\d+[a-zA-Z]*$/) } : {}),
    ...(has('ulimits') ? { ulimits: read.list('ulimits') } : {}),
    ...(has('extra-hosts') ? { 'extra-hosts': read.map('extra-hosts') } : {}),
    ...(has('no-cache') ? { 'no-cache': read.flag('no-cache') } : {}),
    ...(has('no-cache-filter') ? { 'no-cache-filter': read.list('no-cache-filter') } : {}),
    ...(has('pull') ? { pull: read.flag('pull') } : {}),
  };
}

/** Reads fields of one row and names the row and the field in every error. */
function fieldReader(row: Readonly<Record<string, unknown>>, where: string) {
  const of = (name: string): unknown => (Object.hasOwn(row, name) ? (row[name] ?? undefined) : undefined);
  const refuse = (name: string, must: string): never => {
    const shown = JSON.stringify(of(name))?.slice(0, 100) ?? 'nothing';
    throw new ConfigurationError(`"${name}" of ${where} is ${shown}; it must be ${must}`);
  };
  const text = (name: string, pattern: RegExp, fallback?: string): string => {
    const value = of(name) ?? fallback;
    return typeof value === 'string' && pattern.test(value) ? value : refuse(name, `text like ${pattern.source}`);
  };
  return {
    text,
    path(name: string, fallback: string): string {
      const path = text(name, /^[^\0\n]+$/, fallback);
      const leaves = path.startsWith('/') || /^[A-Za-z]:/.test(path) || path.split(/[/\\]/).includes('..');
      return leaves ? refuse(name, 'a path inside the repository') : path;
    },
    flag(name: string): boolean {
      const value = of(name) ?? false;
      return typeof value === 'boolean' ? value : refuse(name, 'true or false');
    },
    count(name: string): number {
      const value = of(name) ?? 0;
      return typeof value === 'number' && Number.isInteger(value) && value >= 0
        ? value
        : refuse(name, 'a whole number');
    },
    list(name: string): readonly string[] {
      const value = of(name) ?? [];
      if (!Array.isArray(value)) return refuse(name, 'a list of texts');
      return value.map((entry: unknown) => (typeof entry === 'string' ? entry : refuse(name, 'a list of texts')));
    },
    map(name: string): Readonly<Record<string, string>> {
      const value = of(name) ?? {};
      if (!isRecord(value)) return refuse(name, 'an object of texts');
      const entries = Object.entries(value).map(([key, entry]): [string, string] => [
        key,
        typeof entry === 'string' ? entry : refuse(name, 'an object of texts'),
      ]);
      return Object.fromEntries(entries);
    },
  };
}
