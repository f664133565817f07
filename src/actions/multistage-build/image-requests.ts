import { type BakeTarget, targetName } from '../../core/buildkit/bake-definition.ts';
import type { CacheMode } from '../../core/buildkit/cache.ts';
import { parseEntries, parsePairs } from '../../core/buildkit/csv-records.ts';
import { expandContext } from '../../core/buildkit/default-context.ts';
import { type FolderExport, parseFolderExport } from '../../core/buildkit/export-folder.ts';
import { dockerfileFrom, nameRows, rowTarget } from '../../core/buildkit/image-targets.ts';
import type { Row } from '../../core/images/row.ts';
import { formatRepository, parseReference, parseRepository } from '../../core/registry/reference.ts';
import { ConfigurationError } from '../../core/runner/errors.ts';
import type { RunnerEvent } from '../../core/runner/event.ts';
import { inInput } from '../../core/runner/inputs.ts';
import type { BuildInputs } from './contract.ts';
import type { Variant } from './variants.ts';

/** One image that is asked for, by a row or by hand. */
export interface ImageRequest {
  /** Its bake target's name. */
  readonly name: string;
  readonly row: Row | undefined;
  readonly target: BakeTarget;
  readonly repository: string | undefined;
  readonly tags: readonly string[];
  /** Its name for people. */
  readonly title: string;
  /** Made for GPUs, as its row or its variant's name says. */
  readonly isForGpu: boolean;
  /** What the image's variant adds to a tag. */
  readonly suffix: string;
  readonly cacheScope: string;
  readonly cacheMode: CacheMode;
  readonly exports: readonly FolderExport[];
}

/** The images that the inputs ask for. Throws ConfigurationError for inputs that contradict one another. */
export function requestImages(inputs: BuildInputs, event: RunnerEvent): readonly ImageRequest[] {
  checkTogether(inputs);
  const rows = inputs.image;
  const requests = rows === undefined ? byHand(inputs, event) : byRows(inputs, event, rows);
  const needsRepository = inputs.push === 'by-digest' || (inputs.cache === 'registry' && !hasOwnCaches(inputs));
  if (needsRepository && requests.some(({ repository }) => repository === undefined)) {
    throw new ConfigurationError(
      `input "repository" holds {image}, which only a row of "image" has: write the repository out, as ${inputs.registry}/owner/name`,
    );
  }
  return requests;
}

/** The user names caches in BuildKit's own words. */
export function hasOwnCaches(inputs: BuildInputs): boolean {
  return inputs.cacheFrom.length > 0 || inputs.cacheTo.length > 0;
}

function checkTogether(inputs: BuildInputs): void {
  const { image: rows } = inputs;
  const given = (['context', 'file', 'target', 'variants'] as const).find((name) => inputs[name] !== undefined);
  if (rows !== undefined && given !== undefined)
    throw new ConfigurationError(`inputs "image" and "${given}" exclude each other: the row says it`);
  if (rows !== undefined && inputs.platforms.length > 0)
    throw new ConfigurationError('inputs "image" and "platforms" exclude each other: each row has its platform');
  if (rows?.length === 0)
    throw new ConfigurationError('input "image" is an empty list: skip the job when the matrix has no rows');
  if (rows !== undefined && rows.length > 1 && inputs.tags.length > 0) {
    throw new ConfigurationError(
      'input "tags" cannot name several rows at once: build them with "push: by-digest", and let ghcr-publish name them',
    );
  }
  if (inputs.push === 'true' && inputs.tags.length === 0)
    throw new ConfigurationError('input "push" is true, but "tags" names nothing to push to');
  if (inputs.push === 'by-digest' && inputs.load)
    throw new ConfigurationError('inputs "push: by-digest" and "load" exclude each other');
  if (inputs.cache === 'local' && inputs.cacheFolder === undefined && !hasOwnCaches(inputs)) {
    throw new ConfigurationError('input "cache" is local, but "cache-folder" names no folder');
  }
}

function byRows(inputs: BuildInputs, event: RunnerEvent, rows: readonly Row[]): readonly ImageRequest[] {
  return [...nameRows(rows)].map(([name, row]): ImageRequest => {
    const ofRow = row.export === '' ? [] : [parseFolderExport(row.export)];
    const exports = [...ofRow, ...inputs.export.filter(isText).map(parseFolderExport)];
    return {
      name,
      row,
      target: withInputs(rowTarget(row, rows), inputs, event),
      repository: repositoryOf(inputs, event, row.image),
      tags: inputs.tags,
      title: row.id,
      isForGpu: row['free-disk-space'] || isGpuWord(row.variant),
      suffix: row.suffix,
      cacheScope: inputs.cacheScope ?? row.scope,
      cacheMode: inputs.cacheMode ?? row['cache-mode'],
      exports: rows.length === 1 ? exports : exports.map((each) => ({ ...each, folder: `${row.id}/${each.folder}` })),
    };
  });
}

function byHand(inputs: BuildInputs, event: RunnerEvent): readonly ImageRequest[] {
  const { variants } = inputs;
  if (variants === undefined) return [oneByHand(inputs, event, undefined)];
  const names = new Set(variants.map(({ name }) => targetName(name)));
  if (names.size < variants.length)
    throw new ConfigurationError('input "variants": two names cannot be told apart in one build');
  return variants.map((variant) => oneByHand(inputs, event, variant));
}

function oneByHand(inputs: BuildInputs, event: RunnerEvent, variant: Variant | undefined): ImageRequest {
  const context = expandContext(inputs.context ?? '{{defaultContext}}', event);
  const { platforms } = inputs;
  const file = variant?.file ?? inputs.file;
  const target = variant?.target ?? inputs.target;
  const base: BakeTarget = {
    context,
    ...(file === undefined ? {} : { dockerfile: dockerfileFrom(context, file) }),
    ...(target === undefined ? {} : { target }),
    ...(platforms.length === 0 ? {} : { platforms }),
  };
  const [tag] = inputs.tags;
  const image = tag === undefined ? '' : inInput('tags', () => parseReference(tag)).name;
  const parts = [image, inputs.context ?? '', file ?? 'Dockerfile', target ?? '', variant?.name ?? '', ...platforms];
  const scope = parts.filter((part) => part !== '' && part !== '.');
  const suffix = variant?.suffix ?? '';
  const tags = inputs.tags.map((tag) => withSuffix(tag, suffix));
  const exports = inputs.export.filter(isText).map(parseFolderExport);
  const shared = withInputs(base, { ...inputs, tags }, event);
  const args = { ...variant?.args, ...shared.args };
  return {
    name: targetName(variant?.name ?? 'image'),
    row: undefined,
    target: Object.keys(args).length === 0 ? shared : { ...shared, args },
    repository: repositoryOf(inputs, event, undefined),
    tags,
    title: tags[0] ?? variant?.name ?? 'image',
    isForGpu: isGpuWord(variant?.name ?? ''),
    suffix,
    cacheScope: `${inputs.cacheScope ?? scope.join('-').replace(/[^\w.-]+/g, '-')}${inputs.cacheScope === undefined ? '' : suffix}`,
    cacheMode: inputs.cacheMode ?? variant?.cacheMode ?? 'max',
    exports:
      variant === undefined ? exports : exports.map((each) => ({ ...each, folder: `${variant.name}/${each.folder}` })),
  };
}

function isGpuWord(variant: string): boolean {
  return /(?:^|[-_.])(?:gpu|cuda|rocm)/.test(variant);
}

/** The published image that a request's own is compared with. */
export function publishedReference(
  { repository, suffix }: Pick<ImageRequest, 'repository' | 'suffix'>,
  { published }: Pick<BuildInputs, 'published'>,
): string | undefined {
  if (published !== undefined) return published;
  return repository === undefined ? undefined : `${repository}:latest${suffix}`;
}

/** `repo:1` with `-gpu` is `repo:1-gpu`; a reference without a tag has `latest`. */
function withSuffix(text: string, suffix: string): string {
  if (suffix === '') return text;
  const reference = inInput('tags', () => parseReference(text));
  return `${formatRepository(reference)}:${reference.tag ?? 'latest'}${suffix}`;
}

/** Adds what the inputs say of every image; where both speak, the input wins over the row. */
function withInputs(base: BakeTarget, inputs: BuildInputs, event: RunnerEvent): BakeTarget {
  const args = { ...base.args, ...buildArguments(inputs.buildArgs) };
  const named = inInput('build-contexts', () => parsePairs(parseEntries(inputs.buildContexts), 'name=context'));
  const contexts = { ...base.contexts, ...mapValues(named, (context) => expandContext(context, event)) };
  const hosts = Object.fromEntries(inputs.addHosts.map(parseHost));
  return {
    ...base,
    ...(Object.keys(args).length === 0 ? {} : { args }),
    ...(Object.keys(contexts).length === 0 ? {} : { contexts }),
    ...(inputs.tags.length === 0 ? {} : { tags: inputs.tags }),
    ...(inputs.ssh.length === 0 ? {} : { ssh: inputs.ssh }),
    ...(inputs.noCache ? { 'no-cache': true } : {}),
    ...(inputs.noCacheFilters.length === 0 ? {} : { 'no-cache-filter': inputs.noCacheFilters }),
    ...(inputs.pull ? { pull: true } : {}),
    ...(inputs.network === undefined ? {} : { network: inputs.network }),
    ...(inputs.addHosts.length === 0 ? {} : { 'extra-hosts': hosts }),
    ...(inputs.shmSize === undefined ? {} : { 'shm-size': inputs.shmSize }),
    ...(inputs.ulimit.length === 0 ? {} : { ulimits: inputs.ulimit }),
    ...entitlements(inputs.allow),
  };
}

/** Bake asks for these in the definition as well as in its arguments; `fs…` and `ssh` in its arguments alone. */
function entitlements(allow: readonly string[]): Pick<BakeTarget, 'entitlements'> {
  const wanted = allow.filter((entry) => !/^(?:fs|ssh)\b/.test(entry));
  return wanted.length === 0 ? {} : { entitlements: wanted };
}

function buildArguments(lines: readonly string[]): Readonly<Record<string, string | null>> {
  const entries = inInput('build-args', () => parseEntries(lines)).map((entry): [string, string | null] => {
    const at = entry.indexOf('=');
    return at < 0 ? [entry, null] : [entry.slice(0, at), entry.slice(at + 1)];
  });
  return Object.fromEntries(entries);
}

/** `name:address` or `name=address`; the address may be one of IPv6. */
function parseHost(entry: string): [string, string] {
  const match = /^([^\s:=]+)[:=](.+)$/.exec(entry);
  if (match === null)
    throw new ConfigurationError(`input "add-hosts": "${entry.slice(0, 100)}" must be written name:address`);
  return [match[1] ?? '', match[2] ?? ''];
}

function repositoryOf(inputs: BuildInputs, event: RunnerEvent, image: string | undefined): string | undefined {
  const template = inputs.repository === '' ? `{registry}/${event.repository}/{image}` : inputs.repository;
  if (template.includes('{image}') && image === undefined) return undefined;
  const text = template.replaceAll('{registry}', () => inputs.registry).replaceAll('{image}', () => image ?? '');
  return inInput('repository', () => formatRepository(parseRepository(text)));
}

function isText(line: string): boolean {
  return line.trim() !== '' && !line.trim().startsWith('#');
}

function mapValues(
  map: ReadonlyMap<string, string>,
  change: (value: string) => string,
): Readonly<Record<string, string>> {
  return Object.fromEntries([...map].map(([key, value]) => [key, change(value)]));
}
