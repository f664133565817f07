import { fitBudget, shareOf } from '../src/actions/multistage-build/cache-budget.ts';
import { nameOf } from '../src/core/images/definition.ts';
import { toBrief, toWaveShards } from '../src/core/images/matrices.ts';
import type { Row } from '../src/core/images/row.ts';
import { type CacheBudget, createCacheBudget } from './cache-budget.ts';
import { BUILD, LIMITS, ROWS_A_CALL, STEPS } from './scale-assumptions.ts';
import type { PushPlan } from './scale-plans.ts';
import { VARIANTS, type Variant } from './scale-repository.ts';

export interface Setting {
  readonly name: string;
  /** Only rows whose inputs changed are built. */
  readonly detectsChanges: boolean;
  /** A tag gives names to what is built already. */
  readonly promotes: boolean;
  /** Where caches are kept: GitHub's cache, the registry, or, as by default, where a row's share of GitHub's decides. */
  readonly caches: 'gha' | 'registry' | 'by share';
}

/** What one push costs. */
export interface PushCost {
  readonly minute: number;
  readonly rows: number;
  /** Rows that get names: those built, and on a tag all. */
  readonly named: number;
  /** Jobs that call a workflow with one matrix each, wave by wave. */
  readonly matrices: number;
  readonly waves: number;
  /** Characters of the output that hands the rows on. */
  readonly outputCharacters: number;
  /** Bytes of the input that names them. */
  readonly briefBytes: number;
  /** As GitHub bills: every job's time rounded up. */
  readonly jobMinutes: number;
  readonly warmRows: number;
  /** Written to GitHub's cache. */
  readonly cacheBytes: number;
  readonly apiRequests: number;
  readonly registryRequests: number;
  readonly artifactRequests: number;
}

/** What is remembered from push to push: the caches, and the commit that each image's names speak of. */
interface World {
  readonly hosted: CacheBudget;
  readonly registry: CacheBudget;
  /** Commits by image and variant: of the moving names, and of the last version. */
  readonly current: Map<string, string>;
  readonly released: Map<string, string>;
  /** How often an image's list of packages changed. */
  readonly packages: Map<string, number>;
}

/**
 * What each push of a day costs. The day before, everything was built once and released, so that the caches begin full.
 */
export function costOfDay(plans: readonly PushPlan[], setting: Setting): readonly PushCost[] {
  const [first] = plans;
  if (first === undefined) return [];
  const names = first.all.map(nameOf);
  const world: World = {
    hosted: createCacheBudget(LIMITS.cacheBytes),
    registry: createCacheBudget(Number.POSITIVE_INFINITY),
    current: new Map(names.map((name) => [name, 'the day before'])),
    released: new Map(names.map((name) => [name, 'the day before'])),
    packages: new Map(),
  };
  const inputs = inputsById(first.all);
  for (const row of inOrder(first.all)) buildRow(row, inputs, cacheOf(row, world, setting), world);
  return plans.map((plan) => costOfPush(plan, world, setting));
}

function costOfPush({ push, commit, all, changed }: PushPlan, world: World, setting: Setting): PushCost {
  const isVersion = push.kind === 'tag';
  const isPromotion = isVersion && setting.promotes;
  const rows = isPromotion ? [] : setting.detectsChanges ? changed : all;
  const named = isPromotion ? all : rows;
  const image = /^services\/(s\d+)\/requirements\.txt$/.exec(push.path ?? '')?.[1];
  if (image !== undefined) world.packages.set(image, (world.packages.get(image) ?? 0) + 1);

  const before = world.hosted.bytesWritten();
  const inputs = inputsById(all);
  const builds = inOrder(rows).map((row) => buildRow(row, inputs, cacheOf(row, world, setting), world));
  const comparisons = moveNames(named, commit, { isVersion, isPromotion }, world);
  const tags = new Set(named.map(nameOf)).size * (isVersion ? STEPS.tagsOfVersion : STEPS.tagsOfBranch);
  const waves = toWaveShards(rows, LIMITS.matrixJobs);
  return {
    minute: push.minute,
    rows: rows.length,
    named: named.length,
    matrices: waves.flat().length,
    waves: waves.length,
    outputCharacters: sizesOf(rows).outputCharacters,
    briefBytes: sizesOf(named).briefBytes,
    jobMinutes:
      callsFor(all) * (minutesOf(STEPS.planSeconds) + minutesOf(STEPS.passedSeconds)) +
      builds.reduce((sum, { seconds }) => sum + minutesOf(seconds), 0) +
      (tags === 0 ? 0 : callsFor(named) * minutesOf((tags / callsFor(named)) * STEPS.secondsATag)),
    warmRows: builds.filter(({ isWarm }) => isWarm).length,
    cacheBytes: world.hosted.bytesWritten() - before,
    apiRequests: comparisons + (isVersion ? STEPS.apiRequestsOfVersion : 0),
    registryRequests: Math.round(
      tags * STEPS.registryRequestsATag +
        rows.length * STEPS.registryRequestsARecord +
        (isPromotion || (setting.detectsChanges && !isVersion) ? all.length * STEPS.registryRequestsALookUp : 0),
    ),
    artifactRequests: rows.length === 0 ? 0 : rows.length * STEPS.artifactRequestsARow + 1,
  };
}

/** Every row, in the order in which they are built. */
function inOrder(rows: readonly Row[]): readonly Row[] {
  return toWaveShards(rows, LIMITS.matrixJobs)
    .flat()
    .flatMap(({ include }) => include);
}

/** Where multistage-build keeps a row's cache: an image whose cache outgrows its share goes to the registry. */
function cacheOf(row: Row, { hosted, registry }: World, { caches }: Setting): CacheBudget {
  if (caches !== 'by share') return caches === 'gha' ? hosted : registry;
  const published = BUILD.baseBytes[variantOf(row)] + (row.wave === 0 ? 0 : BUILD.packageBytes + BUILD.sourceBytes);
  const request = {
    name: row.id,
    title: row.id,
    cacheMode: row['cache-mode'],
    repository: `ghcr.io/acme/${row.image}`,
  };
  const share = shareOf({ cacheBudget: LIMITS.cacheBytes, cacheRows: '' }, row, 1);
  return fitBudget(request, share, new Map([[row.id, published]])).kind === 'gha' ? hosted : registry;
}

/** Builds a row upon what its cache holds, and writes what the build adds. */
function buildRow(
  row: Row,
  inputsOf: ReadonlyMap<string, string>,
  cache: CacheBudget,
  { packages }: World,
): { readonly seconds: number; readonly isWarm: boolean } {
  const variant = variantOf(row);
  const [parent] = row.needs;
  // Blobs are kept by content: the layers of a base image are one entry for all that are built from it.
  const base = `base ${parent === undefined ? row.inputs : inputsOf.get(parent)}`;
  const own = `packages ${row.id} ${packages.get(row.image) ?? 0} upon ${base}`;
  const needed = parent === undefined ? [base] : [base, own];
  const isWarm = needed.map((key) => cache.read(key)).every((isHeld) => isHeld);
  cache.write(base, BUILD.baseBytes[variant]);
  if (parent !== undefined) {
    cache.write(own, BUILD.packageBytes);
    cache.write(`sources ${row.id} ${row.inputs}`, BUILD.sourceBytes);
  }
  return { isWarm, seconds: BUILD.coldSeconds[variant] * (isWarm ? BUILD.warmShare : 1) };
}

/**
 * Names images, and counts what `latest-guard` asks GitHub: how two commits stand to each other, once for each pair of
 * the one that is published and the one that a moving name speaks of.
 */
function moveNames(
  rows: readonly Row[],
  commit: string,
  { isVersion, isPromotion }: { readonly isVersion: boolean; readonly isPromotion: boolean },
  { current, released }: World,
): number {
  const pairs = new Set<string>();
  for (const name of new Set(rows.map(nameOf))) {
    const published = isPromotion ? (current.get(name) ?? commit) : commit;
    for (const names of isVersion ? [current, released] : [current]) {
      const theirs = names.get(name);
      if (theirs !== undefined && theirs !== published) pairs.add(`${published}...${theirs}`);
      names.set(name, published);
    }
  }
  return pairs.size;
}

type Sizes = Pick<PushCost, 'outputCharacters' | 'briefBytes'>;

const sizes = new WeakMap<readonly Row[], Sizes>();

/** Megabytes of JSON, made once for rows that several settings build. */
function sizesOf(rows: readonly Row[]): Sizes {
  const known = sizes.get(rows) ?? {
    outputCharacters: JSON.stringify(toWaveShards(rows, LIMITS.matrixJobs)).length,
    briefBytes: Buffer.byteLength(JSON.stringify(toBrief(rows))),
  };
  sizes.set(rows, known);
  return known;
}

/** Into how many calls of release.yml rows are cut; each plans, also when the push touches none of its rows. */
function callsFor(rows: readonly Row[]): number {
  return Math.ceil(rows.length / ROWS_A_CALL);
}

function inputsById(rows: readonly Row[]): ReadonlyMap<string, string> {
  return new Map(rows.map(({ id, inputs }) => [id, inputs]));
}

function minutesOf(seconds: number): number {
  return Math.ceil((BUILD.startSeconds + seconds) / 60);
}

function variantOf({ variant, id }: Row): Variant {
  const known = VARIANTS.find((name) => name === variant);
  if (known === undefined) throw new Error(`the row "${id}" has the variant "${variant}", which has no assumptions`);
  return known;
}
