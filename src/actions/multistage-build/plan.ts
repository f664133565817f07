import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { planAttestations } from '../../core/buildkit/attestations.ts';
import {
  type BakeDefinition,
  type BakeTarget,
  formatDefinition,
  targetName,
} from '../../core/buildkit/bake-definition.ts';
import type { BuildSecrets } from '../../core/buildkit/build-secrets.ts';
import { type Builder, isCapable } from '../../core/buildkit/builder.ts';
import type { CacheKind } from '../../core/buildkit/cache.ts';
import { parseEntries, parsePairs } from '../../core/buildkit/csv-records.ts';
import { exportDestination, type FolderExport, folderTarget } from '../../core/buildkit/export-folder.ts';
import { canPushByDigest, planOutputs } from '../../core/buildkit/image-outputs.ts';
import { hasRules, type ImageRules, parseRequirement } from '../../core/buildkit/image-rules.ts';
import type { TargetLabels } from '../../core/buildkit/progress.ts';
import { parseSmokeTest, type SmokeTest } from '../../core/buildkit/smoke-test.ts';
import { sourceLabels } from '../../core/buildkit/source-labels.ts';
import type { Row } from '../../core/images/row.ts';
import { INPUTS_LABEL } from '../../core/registry/inputs-tag.ts';
import type { Environment } from '../../core/runner/commands.ts';
import { fieldOf, type RunnerEvent } from '../../core/runner/event.ts';
import { inInput } from '../../core/runner/inputs.ts';
import { readAllowedPaths } from './allowed-paths.ts';
import { argumentWarnings } from './argument-warnings.ts';
import { type BuildAsBuild, planAsBuild, withoutCaches } from './build-without-bake.ts';
import type { PublishedSizes } from './cache-budget.ts';
import { cacheAttributes, chooseCaches, ownCacheFolder } from './choose-cache.ts';
import type { BuildInputs } from './contract.ts';
import { type ImageRequest, publishedReference, requestImages } from './image-requests.ts';
import { readSecrets } from './read-secrets.ts';

/** What is known before the build beside the inputs. */
export interface BuildFacts {
  readonly event: RunnerEvent;
  readonly environment: Environment;
  readonly workspace: string;
  /** This run's private folder: layouts, secret files, the definition. */
  readonly folder: string;
  readonly builder: Builder;
  /** Seconds since 1970. */
  readonly commitTime: number | undefined;
  readonly publishedSizes: PublishedSizes;
}

export interface PlannedImage {
  readonly name: string;
  readonly row: Row | undefined;
  /** What the build reads, apart from secrets, caches and outputs. */
  readonly target: BakeTarget;
  readonly cacheScope: string;
  readonly repository: string | undefined;
  readonly tags: readonly string[];
  /** Folder that the build leaves the image's layout in, for checks and pushes after it. */
  readonly layout: string | undefined;
  /** Path of its Dockerfile in the workspace, for annotations. */
  readonly dockerfile: string | undefined;
  readonly cache: CacheKind;
  readonly localCacheFolder: string | undefined;
  /** Bytes of GitHub's cache that its cache mounts may fill. */
  readonly mountShare: number;
  /** The published image that it is compared with. */
  readonly published: string | undefined;
  /** Name under which it is loaded into the engine for smoke tests. */
  readonly smokeName: string | undefined;
}

export interface PlannedExport extends FolderExport {
  readonly destination: string;
  /** The bake target that the folder is copied from. */
  readonly from: string;
}

/** A whole run, as data. */
export interface BuildPlan {
  readonly images: readonly PlannedImage[];
  readonly exports: readonly PlannedExport[];
  readonly targets: readonly string[];
  /** What steps of each target are shown with, helping targets included. */
  readonly labels: TargetLabels;
  readonly definition: string;
  /** The same build without any cache, for when the cache's own set-up fails it. */
  readonly definitionWithoutCache: string;
  /** The arguments of `docker buildx build` that do the same, where bake cannot. */
  readonly asBuild: BuildAsBuild | undefined;
  readonly allow: readonly string[];
  readonly secrets: BuildSecrets;
  readonly rules: ImageRules;
  readonly maxExportSize: number | undefined;
  readonly smokeTests: readonly SmokeTest[];
  readonly notices: readonly string[];
  readonly warnings: readonly string[];
}

/** Decides everything about a run. Throws ConfigurationError. */
export function planBuild(inputs: BuildInputs, facts: BuildFacts): BuildPlan {
  const given = requestImages(inputs, facts.event);
  const requests = given.map((request) => withEnvironment(request, facts.environment));
  const rules = readRules(inputs);
  const secrets = readSecrets(inputs, facts);
  const { fits, notices } = chooseCaches(inputs, requests, facts);
  const cacheOf = ({ name }: ImageRequest): CacheKind => fits.get(name)?.kind ?? 'off';
  const isLayoutNeeded = needsLayout(inputs, rules, facts.builder);
  const target: Record<string, BakeTarget> = Object.create(null);
  const targets: string[] = [];
  const exports: PlannedExport[] = [];
  const labels = new Map<string, string>();
  for (const request of requests) {
    target[request.name] = imageTarget(request, inputs, facts, {
      cache: cacheOf(request),
      secrets,
      layout: isLayoutNeeded ? layoutFolder(facts, request) : undefined,
    });
    targets.push(request.name);
    for (const [index, wanted] of request.exports.entries()) {
      const destination = inInput('export', () => exportDestination(facts.workspace, wanted.folder));
      const from = exportSource(wanted, request, requests, target);
      const name = `${request.name}-export-${index + 1}`;
      target[name] = folderTarget(from, wanted.source, destination, request.target.platforms);
      targets.push(name);
      exports.push({ ...wanted, destination, from });
    }
    // With one image, its name says nothing; targets that help another are shown as that one.
    for (const name of Object.keys(target))
      if (!labels.has(name)) labels.set(name, requests.length === 1 ? '' : request.name);
  }
  const definition: BakeDefinition = { group: { default: { targets } }, target };
  return {
    images: requests.map((request) =>
      plannedImage(request, inputs, cacheOf(request), facts.event, {
        layout: isLayoutNeeded ? layoutFolder(facts, request) : undefined,
        smokeName: smokeNameOf(request, inputs, facts),
        mountShare: fits.get(request.name)?.mountShare ?? 0,
      }),
    ),
    exports,
    targets,
    labels,
    definition: formatDefinition(definition),
    definitionWithoutCache: formatDefinition({ ...definition, target: withoutCaches(target) }),
    asBuild: planAsBuild(inputs, requests, target, exports.length > 0),
    allow: [
      ...new Set([...inputs.allow, ...(inputs.ssh.length > 0 ? ['ssh'] : []), ...readAllowedPaths(inputs, facts)]),
    ],
    secrets,
    rules,
    maxExportSize: inputs.maxExportSize,
    smokeTests: readSmokeTests(inputs),
    notices,
    warnings: argumentWarnings(given, facts.environment),
  };
}

/** Arguments without a value take the environment's, as with plain buildx; bake leaves them empty (0.29). */
function withEnvironment(request: ImageRequest, environment: Environment): ImageRequest {
  const args = Object.entries(request.target.args ?? {}).flatMap(([name, value]): [string, string][] => {
    const known = value ?? environment[name];
    return known === undefined ? [] : [[name, known]];
  });
  const { args: _, ...target } = request.target;
  return { ...request, target: args.length === 0 ? target : { ...target, args: Object.fromEntries(args) } };
}

interface ImageParts {
  readonly cache: CacheKind;
  readonly secrets: BuildSecrets;
  readonly layout: string | undefined;
}

function imageTarget(request: ImageRequest, inputs: BuildInputs, facts: BuildFacts, parts: ImageParts): BakeTarget {
  const { event, builder, commitTime, environment } = facts;
  const row = request.row;
  const labels = {
    ...sourceLabels({ ...event, commitTime, title: row?.image, inputs: row?.inputs ?? '' }),
    ...Object.fromEntries(inInput('labels', () => parsePairs(parseEntries(inputs.labels)))),
  };
  const annotations = [
    ...(row === undefined || row.inputs === '' ? [] : [`manifest:${INPUTS_LABEL}=${row.inputs}`]),
    ...inInput('annotations', () => parseEntries(inputs.annotations)),
  ];
  const epoch = environment['SOURCE_DATE_EPOCH'];
  const output = planOutputs({
    push: inputs.push,
    load: inputs.load,
    repository: request.repository,
    layout: parts.layout,
    outputs: inInput('outputs', () => parseEntries(inputs.outputs)),
    builder,
    created: epoch === undefined && request.target.args?.['SOURCE_DATE_EPOCH'] === undefined ? commitTime : undefined,
    isValidation: row !== undefined,
  });
  const attest = planAttestations({
    provenance: inputs.provenance ?? '',
    sbom: inputs.sbom ?? '',
    attests: inInput('attests', () => parseEntries(inputs.attests)),
    isPushed: inputs.push !== 'false',
    isPublic: isPublic(event),
    builderId: `${event.serverUrl}/${event.repository}/actions/runs/${event.runId}/attempts/${event.runAttempt}`,
  });
  return {
    ...request.target,
    ...(epoch === undefined ? {} : { args: { SOURCE_DATE_EPOCH: epoch, ...request.target.args } }),
    labels,
    ...(annotations.length === 0 ? {} : { annotations }),
    // The classic image store knows no attestations, and refuses even to be told to leave them.
    ...(isCapable(builder) ? { attest } : {}),
    ...(parts.secrets.entries.length === 0 ? {} : { secret: parts.secrets.entries }),
    ...cacheAttributes(request, inputs, facts, parts.cache),
    ...(output === undefined ? {} : { output }),
  };
}

/** True where something looks at the image before it is pushed, or where the builder cannot push it as asked. */
function needsLayout(inputs: BuildInputs, rules: ImageRules, builder: Builder): boolean {
  const isHeld = inputs.push !== 'false' && (readSmokeTests(inputs).length > 0 || inputs.maxExportSize !== undefined);
  return hasRules(rules) || isHeld || (inputs.push === 'by-digest' && !canPushByDigest(builder));
}

function isPublic({ payload }: RunnerEvent): boolean | undefined {
  const isPrivate = fieldOf(payload, 'repository', 'private');
  return typeof isPrivate === 'boolean' ? !isPrivate : undefined;
}

/** The bake target that a folder is copied from; a stage gets one of its own, without outputs. */
function exportSource(
  wanted: FolderExport,
  request: ImageRequest,
  requests: readonly ImageRequest[],
  target: Record<string, BakeTarget>,
): string {
  if (wanted.stage === undefined) return request.name;
  const other = requests.find(({ name, row }) => name === wanted.stage || row?.id === wanted.stage);
  if (other !== undefined) return other.name;
  const name = targetName(`${request.name}-stage-${wanted.stage}`);
  const { tags: _, ...shared } = request.target;
  const own = target[request.name] ?? {};
  target[name] = {
    ...shared,
    target: wanted.stage,
    ...(own.args === undefined ? {} : { args: own.args }),
    ...(own.secret === undefined ? {} : { secret: own.secret }),
    ...(own['cache-from'] === undefined ? {} : { 'cache-from': own['cache-from'] }),
    output: ['type=cacheonly'],
  };
  return name;
}

function plannedImage(
  request: ImageRequest,
  inputs: BuildInputs,
  cache: CacheKind,
  event: RunnerEvent,
  places: Pick<PlannedImage, 'layout' | 'smokeName' | 'mountShare'>,
): PlannedImage {
  const { row } = request;
  const isLocal = inputs.context !== undefined && !/:\/\//.test(inputs.context);
  const byHand =
    inputs.file ??
    (inputs.context === undefined ? 'Dockerfile' : isLocal ? join(inputs.context, 'Dockerfile') : undefined);
  return {
    name: request.name,
    row,
    target: request.target,
    cacheScope: request.cacheScope,
    repository: request.repository,
    tags: request.tags,
    ...places,
    published: publishedReference(request, inputs),
    dockerfile: row?.dockerfile ?? byHand,
    cache,
    localCacheFolder: cache === 'local' ? ownCacheFolder(request, inputs, event) : undefined,
  };
}

function layoutFolder(facts: BuildFacts, request: ImageRequest): string {
  return join(facts.folder, `layout-${request.name}`);
}

function readRules({ maxSize, maxGrowth, require, forbidPaths }: BuildInputs): ImageRules {
  return { maxSize, maxGrowth, require: inInput('require', () => require.map(parseRequirement)), forbidPaths };
}

function readSmokeTests(inputs: BuildInputs): readonly SmokeTest[] {
  const texts = inputs.smoke.map((line) => line.trim()).filter((line) => line !== '' && !line.startsWith('#'));
  return inInput('smoke', () => texts.map(parseSmokeTest));
}

/** A name of this run's own, so that no image of the user's is replaced. */
function smokeNameOf(request: ImageRequest, inputs: BuildInputs, { folder }: BuildFacts): string | undefined {
  if (readSmokeTests(inputs).length === 0) return undefined;
  return `${smokePrefix(folder)}${request.name.toLowerCase().replace(/[^a-z0-9]+/g, '-')}:smoke`;
}

/** What the names of all images and containers of a run's smoke tests begin with. */
export function smokePrefix(folder: string): string {
  return `slipway-smoke-${createHash('sha256').update(folder).digest('hex').slice(0, 12)}-`;
}
