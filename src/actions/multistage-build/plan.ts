import { join } from 'node:path';
import { planAttestations } from '../../core/buildkit/attestations.ts';
import {
  type BakeDefinition,
  type BakeTarget,
  formatDefinition,
  targetName,
} from '../../core/buildkit/bake-definition.ts';
import { argumentsLikeSecrets, type BuildSecrets } from '../../core/buildkit/build-secrets.ts';
import { type Builder, isCapable } from '../../core/buildkit/builder.ts';
import type { CacheKind } from '../../core/buildkit/cache.ts';
import { parseEntries, parsePairs } from '../../core/buildkit/csv-records.ts';
import { exportDestination, type FolderExport, folderTarget } from '../../core/buildkit/export-folder.ts';
import { hasRules, type ImageRules, type Requirement } from '../../core/buildkit/image-checks.ts';
import { canPushByDigest, planOutputs } from '../../core/buildkit/image-outputs.ts';
import type { TargetLabels } from '../../core/buildkit/progress.ts';
import { sourceLabels } from '../../core/buildkit/source-labels.ts';
import type { Row } from '../../core/images/row.ts';
import { INPUTS_LABEL } from '../../core/registry/inputs-tag.ts';
import type { Environment } from '../../core/runner/commands.ts';
import { ConfigurationError } from '../../core/runner/errors.ts';
import { fieldOf, type RunnerEvent } from '../../core/runner/event.ts';
import { readAllowedPaths } from './allowed-paths.ts';
import { cacheAttributes, chooseCache } from './choose-cache.ts';
import type { BuildInputs } from './contract.ts';
import { type ImageRequest, inInput, requestImages } from './image-requests.ts';
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
}

export interface PlannedImage {
  readonly name: string;
  readonly row: Row | undefined;
  readonly repository: string | undefined;
  readonly tags: readonly string[];
  /** Folder that the build leaves the image's layout in, for checks and pushes after it. */
  readonly layout: string | undefined;
  /** Path of its Dockerfile in the workspace, for annotations. */
  readonly dockerfile: string | undefined;
  readonly localCacheScope: string | undefined;
}

export interface PlannedExport extends FolderExport {
  readonly destination: string;
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
  readonly allow: readonly string[];
  readonly secrets: BuildSecrets;
  readonly rules: ImageRules;
  readonly cache: CacheKind;
  readonly notices: readonly string[];
  readonly warnings: readonly string[];
}

/** Decides everything about a run. Throws ConfigurationError. */
export function planBuild(inputs: BuildInputs, facts: BuildFacts): BuildPlan {
  const requests = requestImages(inputs, facts.event);
  const rules = readRules(inputs);
  const secrets = readSecrets(inputs, facts);
  const { cache, notices } = chooseCache(inputs, facts);
  const isLayoutNeeded = hasRules(rules) || (inputs.push === 'by-digest' && !canPushByDigest(facts.builder));
  const target: Record<string, BakeTarget> = Object.create(null);
  const targets: string[] = [];
  const exports: PlannedExport[] = [];
  const labels = new Map<string, string>();
  for (const request of requests) {
    target[request.name] = imageTarget(request, inputs, facts, {
      cache,
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
      exports.push({ ...wanted, destination });
    }
    // With one image, its name says nothing; targets that help another are shown as that one.
    for (const name of Object.keys(target))
      if (!labels.has(name)) labels.set(name, requests.length === 1 ? '' : request.name);
  }
  const definition: BakeDefinition = { group: { default: { targets } }, target };
  return {
    images: requests.map((request) =>
      plannedImage(request, inputs, cache, isLayoutNeeded ? layoutFolder(facts, request) : undefined),
    ),
    exports,
    targets,
    labels,
    definition: formatDefinition(definition),
    definitionWithoutCache: formatDefinition({ ...definition, target: withoutCaches(target) }),
    allow: [
      ...new Set([...inputs.allow, ...(inputs.ssh.length > 0 ? ['ssh'] : []), ...readAllowedPaths(inputs, facts)]),
    ],
    secrets,
    rules,
    cache,
    notices,
    warnings: argumentWarnings(requests),
  };
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

function withoutCaches(targets: Readonly<Record<string, BakeTarget>>): Readonly<Record<string, BakeTarget>> {
  return Object.fromEntries(
    Object.entries(targets).map(([name, { 'cache-from': _from, 'cache-to': _to, ...rest }]) => [name, rest]),
  );
}

function plannedImage(
  request: ImageRequest,
  inputs: BuildInputs,
  cache: CacheKind,
  layout: string | undefined,
): PlannedImage {
  const { row } = request;
  const isLocal = inputs.context !== undefined && !/:\/\//.test(inputs.context);
  const byHand =
    inputs.file ??
    (inputs.context === undefined ? 'Dockerfile' : isLocal ? join(inputs.context, 'Dockerfile') : undefined);
  return {
    name: request.name,
    row,
    repository: request.repository,
    tags: inputs.tags,
    layout,
    dockerfile: row?.dockerfile ?? byHand,
    localCacheScope: cache === 'local' ? request.cacheScope : undefined,
  };
}

function layoutFolder(facts: BuildFacts, request: ImageRequest): string {
  return join(facts.folder, `layout-${request.name}`);
}

function readRules(inputs: BuildInputs): ImageRules {
  const known: readonly Requirement[] = ['non-root', 'healthcheck'];
  const require = inputs.require.map((entry) => {
    const found = known.find((each) => each === entry);
    if (found === undefined) throw new ConfigurationError(`input "require": "${entry}" is none of ${known.join(', ')}`);
    return found;
  });
  return { maxSize: inputs.maxSize, require, forbidPaths: inputs.forbidPaths };
}

function argumentWarnings(requests: readonly ImageRequest[]): readonly string[] {
  const names = new Set(requests.flatMap(({ target }) => argumentsLikeSecrets(Object.keys(target.args ?? {}))));
  return [...names].map(
    (name) =>
      `the build argument "${name}" looks like a secret; arguments stand in the image's history and provenance: use "secrets" and RUN --mount=type=secret`,
  );
}
