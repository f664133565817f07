import { sha256Hex } from '../aws/signature.ts';
import type { BucketState } from './bucket-state.ts';
import type { PathTest } from './path-globs.ts';
import { inPublishOrder, type Phase, phaseOf } from './publish-order.ts';
import { BEFORE_FIRST, type RecordedObject, type Release, type ReleaseManifest } from './release-manifest.ts';
import type { PackPlace, SiteFile } from './site-file.ts';

export interface PlanSettings {
  /** The release that this deploy makes, unless nothing changes. */
  readonly release: Release;
  /** How many releases before this one keep their objects. */
  readonly keepReleases: number;
  readonly deletesOld: boolean;
  /** Paths that take part: what `exclude` takes out is neither sent nor deleted. */
  readonly takesPart: PathTest;
}

export interface PlannedWrite {
  readonly path: string;
  readonly file: SiteFile;
  readonly phase: Phase;
  /** `upload` puts the content there; `copy` gives the object that has it already new headers on the server. */
  readonly kind: 'upload' | 'copy';
  /** The ETag that a copied object must still have. */
  readonly etag: string;
  /** Whether an object of that name is there already. */
  readonly isReplaced: boolean;
}

export interface DeployPlan {
  /** The live release after this deploy: the one before when nothing changes. */
  readonly release: Release;
  readonly isNewRelease: boolean;
  /** Groups to be carried out one after the other. */
  readonly groups: readonly (readonly PlannedWrite[])[];
  readonly unchanged: readonly string[];
  readonly deletes: readonly string[];
  /** Objects of past releases that stay. */
  readonly retained: readonly string[];
  /** Bytes to send. */
  readonly bytes: number;
  /** Remarks for the person who deploys. */
  readonly warnings: readonly string[];
}

/** S3 copies objects of up to 5 GiB in one request. */
const MAX_COPY = 5 * 1024 ** 3;

/**
 * Decides what a deploy does, from the files as they shall be and the bucket as it is. Contents are compared by their
 * digests and never by times: what comes out of an image carries old times or none.
 *
 * `md5s` holds, in hexadecimal, the MD5 of the files that `needsMd5` asks for.
 */
export function planDeploy(
  files: readonly SiteFile[],
  state: BucketState,
  manifest: ReleaseManifest | undefined,
  md5s: ReadonlyMap<string, string>,
  settings: PlanSettings,
): DeployPlan {
  const writes: PlannedWrite[] = [];
  const unchanged: string[] = [];
  const warnings: string[] = [];
  for (const file of files) {
    const known = state.objects.get(file.path);
    const kind = writeOf(file, known, md5s.get(file.path));
    if (kind === undefined) unchanged.push(file.path);
    else {
      const phase = phaseOf(file.kind, known !== undefined);
      writes.push({ path: file.path, file, phase, kind, etag: known?.etag ?? '', isReplaced: known !== undefined });
    }
    if (kind === 'upload' && known !== undefined && known.sha256 !== '' && isImmutable(file)) {
      warnings.push(
        `${file.path} changed, but browsers keep it for a year by that name (${file.headers['cache-control']}): give it a fingerprint of its content, or a rule in "cache-control"`,
      );
    }
  }
  const live = new Set(files.map(({ path }) => path));
  const last = manifest?.releases[0];
  const wasRemoved = [...(manifest?.objects ?? [])].some(
    ([path, { release }]) => release === last?.id && !live.has(path),
  );
  const isNewRelease = last === undefined || writes.length > 0 || wasRemoved;
  const release = isNewRelease ? settings.release : last;
  const kept = keptReleases(release, manifest, settings.keepReleases);
  const others = [...state.objects].filter(([path]) => !live.has(path));
  const isOld = ([path, object]: readonly [string, RecordedObject]): boolean =>
    settings.deletesOld && settings.takesPart(path) && !kept.has(object.release) && !hasControlCharacter(path);
  return {
    release,
    isNewRelease,
    groups: inPublishOrder(writes),
    unchanged,
    deletes: others.filter(isOld).map(([path]) => path),
    retained: others.filter((other) => !isOld(other)).map(([path]) => path),
    bytes: writes.reduce(
      (sum, { kind, file }) => sum + (kind === 'upload' && file.content.kind === 'file' ? file.size : 0),
      0,
    ),
    warnings,
  };
}

/** Whether only the MD5 of the file can tell if the object has its content: it was not written by Slipway. */
export function needsMd5(file: SiteFile, known: RecordedObject | undefined): boolean {
  const isUnknown = known !== undefined && known.sha256 === '' && known.size === file.size;
  return isUnknown && file.content.kind === 'file' && md5OfEtag(known.etag) !== undefined;
}

/**
 * The manifest when all writes of a plan are done. `etags` are those that they were answered with, `places` says where
 * packs hold the files' contents.
 */
export function recordRelease(
  plan: DeployPlan,
  before: { readonly manifest: ReleaseManifest; readonly state: BucketState },
  files: readonly SiteFile[],
  etags: ReadonlyMap<string, string>,
  places: ReadonlyMap<string, PackPlace>,
): ReleaseManifest {
  const objects = new Map<string, RecordedObject>();
  for (const path of [...plan.retained, ...plan.deletes]) {
    const known = before.state.objects.get(path);
    if (known !== undefined) objects.set(path, known);
  }
  for (const file of files) {
    const etag = etags.get(file.path) ?? before.state.objects.get(file.path)?.etag ?? '';
    const { sha256, size } = file;
    const headers = headersDigest(file.headers);
    objects.set(file.path, { sha256, size, etag, headers, release: plan.release.id, kept: places.get(file.path) });
  }
  const { id, commit, time } = plan.release;
  const live = { id, commit, time, packs: [...new Set([...places.values()].map(({ pack }) => pack))] };
  const past = before.manifest.releases.filter((release) => release.id !== id);
  return { ...before.manifest, releases: [live, ...past].slice(0, MAX_HISTORY), objects };
}

/** Releases that the manifest remembers, for `keep-releases`. */
const MAX_HISTORY = 100;

function writeOf(
  file: SiteFile,
  known: RecordedObject | undefined,
  md5: string | undefined,
): 'upload' | 'copy' | undefined {
  if (known === undefined) return 'upload';
  const isSame =
    known.sha256 === '' ? md5 !== undefined && md5 === md5OfEtag(known.etag) : known.sha256 === file.sha256;
  if (!isSame || known.size !== file.size) return 'upload';
  if (known.headers === headersDigest(file.headers)) return undefined;
  return file.size > MAX_COPY ? 'upload' : 'copy';
}

/** The ids of the release that goes live and of those before it that keep their objects. */
function keptReleases(release: Release, manifest: ReleaseManifest | undefined, keep: number): ReadonlySet<string> {
  const past = (manifest?.releases ?? []).map(({ id }) => id).filter((id) => id !== release.id);
  return new Set([release.id, ...[...past, BEFORE_FIRST].slice(0, keep)]);
}

/** An ETag is an MD5 for objects that came in one piece and are not encrypted by KMS; else it has another form. */
function md5OfEtag(etag: string): string | undefined {
  return /^"([0-9a-f]{32})"$/i.exec(etag)?.[1]?.toLowerCase();
}

const headersDigests = new WeakMap<Readonly<Record<string, string>>, string>();

/** Computed once for headers that many files share. */
function headersDigest(headers: Readonly<Record<string, string>>): string {
  const known = headersDigests.get(headers);
  if (known !== undefined) return known;
  const sorted = Object.entries(headers).sort(([a], [b]) => (a < b ? -1 : 1));
  const digest = sha256Hex(JSON.stringify(sorted)).slice(0, 16);
  headersDigests.set(headers, digest);
  return digest;
}

function isImmutable(file: SiteFile): boolean {
  return /\bimmutable\b/.test(file.headers['cache-control'] ?? '');
}

/** Keys that the XML of DeleteObjects cannot name are somebody else's, and stay. */
function hasControlCharacter(path: string): boolean {
  return /[\u0000-\u001F\uFFFE\uFFFF]/.test(path);
}
