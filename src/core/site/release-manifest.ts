import { isRecord } from '../runner/event.ts';
import { encodeLines } from './json-lines.ts';
import type { PackPlace } from './site-file.ts';
import { OWN_FOLDER } from './source-checks.ts';

/**
 * The record of what a site's releases put in the bucket, kept beside the site. It is the one place that deploys write
 * conditionally, so it is the lock as well.
 */
export interface ReleaseManifest {
  /** Newest first. The first is live. */
  readonly releases: readonly PastRelease[];
  /** Every object that a release put there or that was found there, by its path below the prefix. */
  readonly objects: ReadonlyMap<string, RecordedObject>;
  /** The deploy that holds the bucket; left behind by one that was cut off, until its lease ends. */
  readonly pending: PendingDeploy | undefined;
  /** Whether the server was seen to honour conditional writes. */
  readonly hasConditionalWrites: boolean;
}

export interface Release {
  readonly id: string;
  readonly commit: string;
  /** ISO 8601. */
  readonly time: string;
}

/** A release as the manifest remembers it. */
export interface PastRelease extends Release {
  /** The packs that hold what is needed to go back to it; empty where it kept nothing. */
  readonly packs: readonly string[];
}

export interface RecordedObject {
  /** Empty for an object that Slipway did not write. */
  readonly sha256: string;
  readonly size: number;
  readonly etag: string;
  /** Digest of the headers; empty where they are not known. */
  readonly headers: string;
  /** The newest release that refers to the object. */
  readonly release: string;
  /** Where a pack holds the same content; undefined when none does. */
  readonly kept: PackPlace | undefined;
}

/** A run of a workflow. Later runs have larger ids (GitHub's `github.run_id`). */
export interface WorkflowRun {
  readonly id: number;
  readonly attempt: number;
}

export interface PendingDeploy {
  readonly release: string;
  readonly run: WorkflowRun;
  /** Milliseconds since the epoch after which another may take over; 0 when it failed and said so. */
  readonly until: number;
  /** Objects that it gives new headers: after a cut, nobody knows which ones, since the ETag stays. */
  readonly copies: readonly string[];
  /** Paths that edge caches may hold in an older state: invalidated by it, or, after a cut, by the next deploy. */
  readonly changed: readonly string[];
  /** The later run that asks this one to stop. */
  readonly supersededBy: { readonly release: string; readonly run: WorkflowRun } | undefined;
}

/** The release to which objects belong that were there before the first one. */
export const BEFORE_FIRST = 'before-first';

/** 200 bytes an object: some 300,000 objects. */
export const MAX_MANIFEST_BYTES = 64 * 1024 * 1024;
const MAX_RELEASES = 1000;
const VERSION = 1;

/** The key of the manifest of the site below a prefix. */
export function manifestKey(prefix: string): string {
  return `${prefix}${OWN_FOLDER}/manifest.json`;
}

export const EMPTY_MANIFEST: ReleaseManifest = {
  releases: [],
  objects: new Map(),
  pending: undefined,
  hasConditionalWrites: false,
};

/** A manifest as it stands in the bucket: an object a line, so that two can be compared by eye. */
export function formatManifest(manifest: ReleaseManifest): Buffer {
  const head = {
    slipway: VERSION,
    pending: manifest.pending ?? null,
    hasConditionalWrites: manifest.hasConditionalWrites,
    releases: manifest.releases,
  };
  const text = JSON.stringify(head, undefined, 2).slice(0, -2);
  return encodeLines(`${text},\n  "objects": [\n`, objectLines(manifest.objects), '\n  ]\n}\n');
}

function* objectLines(objects: ReleaseManifest['objects']): Generator<string> {
  for (const path of [...objects.keys()].sort()) {
    const object = objects.get(path);
    if (object === undefined) continue;
    const { sha256, size, etag, headers, release, kept } = object;
    yield JSON.stringify([path, size, sha256, etag, headers, release, ...formatPlace(kept)]);
  }
}

/**
 * Reads a manifest. The bucket is not trusted more than any other input: what is no manifest of this version is
 * undefined, with the reason told to `doubt`, and the deploy goes by the listing.
 */
export function parseManifest(source: string, doubt: (reason: string) => void): ReleaseManifest | undefined {
  let document: unknown;
  try {
    document = JSON.parse(source);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    doubt('it is no JSON');
    return undefined;
  }
  if (!isRecord(document) || document['slipway'] !== VERSION) {
    doubt(`it is not of version ${VERSION}`);
    return undefined;
  }
  const releases = arrayOf(document['releases'], readRelease);
  const objects = arrayOf(document['objects'], readObject);
  const pending = document['pending'] === null ? undefined : readPending(document['pending']);
  if (releases === undefined || objects === undefined || (document['pending'] !== null && pending === undefined)) {
    doubt('it has entries of a wrong form');
    return undefined;
  }
  return {
    releases: releases.slice(0, MAX_RELEASES),
    objects: new Map(objects),
    pending,
    hasConditionalWrites: document['hasConditionalWrites'] === true,
  };
}

function readRelease(value: unknown): PastRelease | undefined {
  if (!isRecord(value)) return undefined;
  const { id, commit, time } = value;
  const packs = arrayOf(value['packs'], readText);
  return isText(id) && isText(commit) && isText(time) && packs !== undefined ? { id, commit, time, packs } : undefined;
}

function readObject(value: unknown): readonly [string, RecordedObject] | undefined {
  if (!Array.isArray(value)) return undefined;
  const [path, size, sha256, etag, headers, release, pack, offset]: readonly unknown[] = value;
  const hasForm = isText(path) && isText(sha256) && isText(etag) && isText(headers) && isText(release);
  if (!hasForm || !isSize(size)) return undefined;
  return [path, { sha256, size, etag, headers, release, kept: readPlace(pack, offset) }];
}

function readPending(value: unknown): PendingDeploy | undefined {
  if (!isRecord(value)) return undefined;
  const { release, until } = value;
  const [copies, changed] = [arrayOf(value['copies'], readText), arrayOf(value['changed'], readText)];
  const run = readRun(value['run']);
  if (copies === undefined || changed === undefined || run === undefined) return undefined;
  if (!isText(release) || typeof until !== 'number' || !Number.isFinite(until)) return undefined;
  return { release, run, until, copies, changed, supersededBy: readClaim(value['supersededBy']) };
}

function readClaim(value: unknown): PendingDeploy['supersededBy'] {
  if (!isRecord(value)) return undefined;
  const run = readRun(value['run']);
  return isText(value['release']) && run !== undefined ? { release: value['release'], run } : undefined;
}

function readRun(value: unknown): WorkflowRun | undefined {
  if (!isRecord(value)) return undefined;
  const { id, attempt } = value;
  return isSize(id) && isSize(attempt) ? { id, attempt } : undefined;
}

/** A place in a pack as the two last entries of a list. */
export function formatPlace(place: PackPlace | undefined): readonly (string | number)[] {
  return place === undefined ? [] : [place.pack, place.offset];
}

export function readPlace(pack: unknown, offset: unknown): PackPlace | undefined {
  return isText(pack) && /^[\w-]{1,128}$/.test(pack) && isSize(offset) ? { pack, offset } : undefined;
}

/** Undefined when the value is no array, or when one of its entries is not of the form. */
export function arrayOf<T>(value: unknown, read: (entry: unknown) => T | undefined): readonly T[] | undefined {
  if (!Array.isArray(value)) return undefined;
  const entries = value.map(read);
  return entries.every((entry) => entry !== undefined) ? entries : undefined;
}

function readText(value: unknown): string | undefined {
  return isText(value) ? value : undefined;
}

export function isSize(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

export function isText(value: unknown): value is string {
  return typeof value === 'string' && value.length <= 4096;
}
