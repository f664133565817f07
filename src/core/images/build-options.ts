import type { RowBuild } from './row.ts';
import type { YamlFields } from './yaml-file.ts';

/** Keys of a compose `build:` that become a row's `build`. */
export const CARRIED_KEYS = [
  'dockerfile_inline',
  'labels',
  'network',
  'shm_size',
  'ulimits',
  'extra_hosts',
  'no_cache',
  'pull',
] as const;

/** Keys of a compose `build:` that no file of the repository may decide in CI, and what to use instead. */
export const LEFT_OUT_KEYS: ReadonlyMap<string, string> = new Map([
  ['secrets', 'the workflow gives secrets to the build step (multistage-build: secrets, secret-envs, secret-files)'],
  ['ssh', 'the workflow gives SSH agents to the build step (multistage-build: ssh)'],
  ['entitlements', 'the workflow grants entitlements to the build step (multistage-build: allow)'],
  ['privileged', 'the workflow grants entitlements to the build step (multistage-build: allow)'],
  ['isolation', 'it belongs to Windows builders without BuildKit'],
  ['cache_from', 'every row has a cache scope of its own (multistage-build: cache, cache-from)'],
  ['cache_to', 'every row has a cache scope of its own (multistage-build: cache, cache-to)'],
  ['provenance', 'the build step attests what it pushes (multistage-build: provenance)'],
  ['sbom', 'the build step attests what it pushes (multistage-build: sbom)'],
]);

/** Replaces variables; undefined for a text that cannot be known. */
export type Expand = (text: string) => string | undefined;

/** A Dockerfile in a row must leave room for 500 rows in the 1 MB of a job's outputs. */
const MAX_INLINE = 8 * 1024;

/** What a compose `build:` says beside files, stages and arguments. Texts that cannot be known are left out. */
export function readBuildOptions(fields: YamlFields, expand: Expand): RowBuild {
  const text = (key: string): string | undefined => {
    const given = fields.text(key);
    return given === undefined ? undefined : expand(given);
  };
  const inline = fields.text('dockerfile_inline');
  if (inline !== undefined && inline.length > MAX_INLINE)
    fields.refuse('dockerfile_inline', `at most ${MAX_INLINE} characters; write it to a file`);
  const labels = expandMap(fields.map('labels'), expand);
  const [network, shmSize] = [text('network'), text('shm_size')];
  const ulimits = readUlimits(fields, expand);
  const hosts = readHosts(fields, expand);
  const [noCache, pull] = [readFlag(fields, 'no_cache', expand), readFlag(fields, 'pull', expand)];
  return {
    ...(inline === undefined ? {} : { 'dockerfile-inline': inline }),
    ...(labels.length === 0 ? {} : { labels: Object.fromEntries(labels) }),
    ...(network === undefined ? {} : { network }),
    ...(shmSize === undefined ? {} : { 'shm-size': shmSize }),
    ...(ulimits.length === 0 ? {} : { ulimits }),
    ...(hosts.length === 0 ? {} : { 'extra-hosts': Object.fromEntries(hosts) }),
    ...(noCache === undefined ? {} : { 'no-cache': noCache }),
    ...(pull === undefined ? {} : { pull }),
  };
}

function expandMap(given: ReadonlyMap<string, string | undefined>, expand: Expand): readonly [string, string][] {
  return [...given].flatMap(([key, text]): [string, string][] => {
    const value = expand(text ?? '');
    return value === undefined ? [] : [[key, value]];
  });
}

/** `nofile: 1024`, or `nofile: { soft: 1024, hard: 2048 }`; bake writes `nofile=1024:2048`. */
function readUlimits(fields: YamlFields, expand: Expand): readonly string[] {
  const limits = fields.fields('ulimits');
  return limits.keys().flatMap((name) => {
    const given = limits.get(name);
    const [soft, hard] =
      typeof given === 'object'
        ? [limits.fields(name).text('soft'), limits.fields(name).text('hard')]
        : [limits.text(name), undefined];
    const values = [soft, hard ?? soft].map((value) => (value === undefined ? undefined : expand(value)));
    return values.every((value) => value !== undefined && /^-?\d+$/.test(value))
      ? [`${name}=${values.join(':')}`]
      : limits.refuse(name, 'a number, or soft and hard');
  });
}

/** A mapping, or a list of `name=address` or `name:address`. */
function readHosts(fields: YamlFields, expand: Expand): readonly [string, string][] {
  const given = fields.get('extra_hosts');
  if (!Array.isArray(given)) return expandMap(fields.map('extra_hosts'), expand);
  return fields.list('extra_hosts').map((entry): [string, string] => {
    const [, name, address] = /^([^\s:=]+)[:=](.+)$/.exec(expand(entry) ?? '') ?? [];
    return name === undefined || address === undefined
      ? fields.refuse('extra_hosts', 'a list of name=address')
      : [name, address];
  });
}

function readFlag(fields: YamlFields, key: string, expand: Expand): boolean | undefined {
  const given = fields.text(key);
  const value = given === undefined ? undefined : expand(given);
  if (value === undefined || value === '') return undefined;
  return value === 'true' || value === 'false' ? value === 'true' : fields.refuse(key, 'true or false');
}
