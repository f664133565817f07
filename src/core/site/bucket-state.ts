import type { ListedObject } from '../aws/s3-answers.ts';
import { BEFORE_FIRST, EMPTY_MANIFEST, type RecordedObject, type ReleaseManifest } from './release-manifest.ts';
import { PACKS, RECORDS } from './release-record.ts';
import { OWN_FOLDER } from './source-checks.ts';

/** What is in the bucket below the prefix, as far as it is known. */
export interface BucketState {
  readonly objects: ReadonlyMap<string, RecordedObject>;
  /** Paths whose objects are not as the manifest says: changed or removed by somebody else, or by a deploy that was cut off. */
  readonly drifted: readonly string[];
  /** Paths of the records and packs of this site's releases that the listing shows. */
  readonly records: readonly string[];
}

/** A listing of what is below the prefix, from its start. */
export interface Listing {
  readonly objects: readonly ListedObject[];
  /** False when more keys follow. */
  readonly isComplete: boolean;
}

/**
 * Compares the manifest with a listing and tells what is there.
 *
 * Where they agree (by ETag) the manifest is believed, which knows contents and headers. An object of which it knows
 * nothing, or something else, has unknown content and belongs to the newest release, so that it is kept as long as
 * that one is. Folders that hold a manifest of their own (previews below the site) belong to another site and are left
 * out. Behind the end of an incomplete listing the manifest is believed.
 */
export function reconcile(
  manifest: ReleaseManifest | undefined,
  listing: Listing | undefined,
  prefix: string,
): BucketState {
  const recorded = believe(manifest ?? EMPTY_MANIFEST);
  if (listing === undefined) return { objects: recorded, drifted: [], records: [] };
  const listed = new Map(listing.objects.map((object) => [object.key.slice(prefix.length), object]));
  const isForeign = belongsToAnotherSite([...listed.keys()]);
  const newest = manifest?.releases[0]?.id ?? BEFORE_FIRST;
  const objects = new Map<string, RecordedObject>();
  const drifted: string[] = [];
  for (const [path, object] of listed) {
    const known = recorded.get(path);
    if (known !== undefined && isAsRecorded(object, known)) objects.set(path, known);
    else if (!isForeign(path)) {
      objects.set(path, unknownContent(object, known?.release ?? newest));
      if (known !== undefined) drifted.push(path);
    }
  }
  const isBehind = behindEndOf(listing, prefix);
  for (const [path, object] of recorded) {
    if (listed.has(path)) continue;
    if (isBehind(path)) objects.set(path, object);
    else drifted.push(path);
  }
  const records = [...listed.keys()].filter((path) => path.startsWith(RECORDS) || path.startsWith(PACKS));
  return { objects, drifted, records };
}

/** What a manifest says is there; the headers of objects that a deploy was about to change when it was cut off are unknown. */
function believe(manifest: ReleaseManifest): ReadonlyMap<string, RecordedObject> {
  const objects = new Map(manifest.objects);
  for (const path of manifest.pending?.copies ?? []) {
    const known = objects.get(path);
    if (known !== undefined) objects.set(path, { ...known, headers: '' });
  }
  return objects;
}

function isAsRecorded(object: ListedObject, known: RecordedObject): boolean {
  return known.etag === object.etag && known.size === object.size;
}

function unknownContent(object: ListedObject, release: string): RecordedObject {
  return { sha256: '', size: object.size, etag: object.etag, headers: '', release, kept: undefined };
}

/** S3 lists in the order of UTF-8 bytes, which is not that of JavaScript's strings. */
function behindEndOf(listing: Listing, prefix: string): (path: string) => boolean {
  if (listing.isComplete) return () => false;
  const end = Buffer.from(listing.objects.at(-1)?.key ?? '');
  return (path) => Buffer.compare(Buffer.from(prefix + path), end) > 0;
}

/**
 * A test for what a deploy leaves alone: Slipway's own folder, the empty objects that stand for folders in consoles,
 * and everything below a folder that has a manifest of its own.
 */
function belongsToAnotherSite(paths: readonly string[]): (path: string) => boolean {
  const suffix = `/${OWN_FOLDER}/manifest.json`;
  const sites = new Set(paths.filter((path) => path.endsWith(suffix)).map((path) => path.slice(0, -suffix.length)));
  return (path) => {
    if (path === '' || path.endsWith('/') || path.startsWith(`${OWN_FOLDER}/`)) return true;
    const segments = path.split('/');
    return sites.size > 0 && segments.some((_, depth) => depth > 0 && sites.has(segments.slice(0, depth).join('/')));
  };
}
