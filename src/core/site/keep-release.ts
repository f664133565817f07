import { readFile } from 'node:fs/promises';
import { bodyOf, type PutBody, type S3Client } from '../aws/s3-client.ts';
import { explainS3Refusal } from '../aws/s3-refusal.ts';
import { eachAtMost } from '../net/bounded-parallel.ts';
import { bodyOfFile } from './file-body.ts';
import { type Pack, placesIn, planPacks } from './packs.ts';
import type { Release, ReleaseManifest } from './release-manifest.ts';
import { formatRecord, packKey, recordKey } from './release-record.ts';
import type { PackPlace, SiteFile } from './site-file.ts';

/** What is put beside a site so that it can be brought back to a release. */
export interface KeepPlan {
  readonly packs: readonly Pack[];
  /** Where packs, new and old ones, hold the release's files. */
  readonly places: ReadonlyMap<string, PackPlace>;
}

export const KEEP_NOTHING: KeepPlan = { packs: [], places: new Map() };

/** Packs of 8 MiB in memory at once. */
const PACKS_AT_ONCE = 2;

/** Decides what a release has to keep beyond what the packs of the releases before it, as far as they stay, hold. */
export function planKeeping(files: readonly SiteFile[], manifest: ReleaseManifest, keepReleases: number): KeepPlan {
  if (keepReleases === 0) return KEEP_NOTHING;
  const staying = new Set(manifest.releases.slice(0, keepReleases + 1).flatMap(({ packs }) => packs));
  const placeOf = (file: SiteFile): PackPlace | undefined => {
    if (file.kept !== undefined) return file.kept;
    const known = manifest.objects.get(file.path);
    return known?.sha256 === file.sha256 && known.kept !== undefined && staying.has(known.kept.pack)
      ? known.kept
      : undefined;
  };
  const packs = planPacks(files, placeOf);
  const places = new Map(placesIn(packs));
  for (const file of files) {
    const place = placeOf(file);
    if (place !== undefined) places.set(file.path, place);
  }
  return { packs, places };
}

/** Sends the packs, and the record of the release that names them. */
export async function keepRelease(
  plan: KeepPlan,
  release: Release,
  files: readonly SiteFile[],
  client: S3Client,
  prefix: string,
): Promise<void> {
  try {
    await eachAtMost(PACKS_AT_ONCE, plan.packs, async (pack) => {
      const body = await bodyOfPack(pack);
      await client.put(packKey(prefix, pack.name), body, { 'content-type': 'application/octet-stream' });
    });
    const record = formatRecord({
      release,
      files: files.map((file) => ({ ...file, kept: plan.places.get(file.path) })),
    });
    await client.put(recordKey(prefix, release.id), bodyOf(record), { 'content-type': 'application/json' });
  } catch (error) {
    throw explainS3Refusal(error, client.location, 's3:PutObject');
  }
}

async function bodyOfPack({ files, size }: Pack): Promise<PutBody> {
  const [only] = files;
  if (files.length === 1 && only?.content.kind === 'file') return bodyOfFile({ ...only, ...only.content });
  const parts: Buffer[] = [];
  for (const { content } of files) if (content.kind === 'file') parts.push(await readFile(content.location));
  const body = Buffer.concat(parts);
  if (body.length !== size) throw new Error('a file of the source changed while it was deployed');
  return bodyOf(body);
}

/** Records and packs that none of the releases that are kept needs any more. */
export function staleRecords(
  records: readonly string[],
  manifest: ReleaseManifest,
  keepReleases: number,
): readonly string[] {
  const kept = keepReleases === 0 ? [] : manifest.releases.slice(0, keepReleases + 1);
  const needed = new Set(
    kept.flatMap(({ id, packs }) => [recordKey('', id), ...packs.map((pack) => packKey('', pack))]),
  );
  return records.filter((path) => !needed.has(path));
}
