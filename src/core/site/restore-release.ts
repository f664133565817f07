import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import type { S3Client } from '../aws/s3-client.ts';
import { explainS3Refusal } from '../aws/s3-refusal.ts';
import { sha256Hex } from '../aws/signature.ts';
import { eachAtMost } from '../net/bounded-parallel.ts';
import { ConfigurationError } from '../runner/errors.ts';
import type { Log } from '../runner/log.ts';
import { readManifest } from './manifest-store.ts';
import { MAX_KEPT_FILE } from './packs.ts';
import type { RecordedObject, ReleaseManifest } from './release-manifest.ts';
import {
  MAX_RECORD_BYTES,
  packKey,
  parseRecord,
  type RecordedFile,
  type ReleaseRecord,
  recordKey,
} from './release-record.ts';
import type { Content, SiteFile } from './site-file.ts';

/** A release of a site in the bucket. */
export interface ReleasePlace {
  /** The site's prefix: empty, or with a slash at its end. */
  readonly prefix: string;
  /** An id; `live` and `previous` are the newest release and the one before it. */
  readonly release: string;
}

/** Files fetched at once: each is up to 64 MiB, and most are pages. */
const FETCHED_AT_ONCE = 8;

/**
 * The files of a release as they were deployed, out of the bucket alone.
 *
 * What stands unchanged where that release put it is taken from there, on the server. What later releases replaced is
 * fetched out of the packs into `folder`, and its digest compared. Names without a fingerprint of another site
 * (`target` differs from the place's prefix) are fetched as well, so that this one can keep them.
 * Throws ConfigurationError when there is no such release, or when a part of it is gone.
 */
export async function restoreRelease(
  client: S3Client,
  place: ReleasePlace,
  target: { readonly prefix: string; readonly folder: string; readonly log: Log },
): Promise<{ readonly record: ReleaseRecord; readonly files: readonly SiteFile[] }> {
  const { prefix } = place;
  const { manifest } = await readManifest(client, prefix, target.log);
  const id = idOf(manifest, place);
  const record = await readRecord(client, prefix, id);
  const isOwn = prefix === target.prefix;
  const objects = manifest?.objects ?? new Map<string, RecordedObject>();
  const origins = record.files.map((file) => ({ file, origin: originOf(file, objects.get(file.path), prefix, isOwn) }));
  const gone = origins.filter(({ origin }) => origin === undefined).map(({ file }) => file.path);
  if (gone.length > 0) throw new ConfigurationError(incomplete(id, gone));

  await mkdir(target.folder, { recursive: true });
  const files: SiteFile[] = [];
  await eachAtMost(FETCHED_AT_ONCE, [...origins.entries()], async ([index, { file, origin }]) => {
    if (origin === undefined) return;
    const { path, size, sha256, kind, headers, kept } = file;
    const content =
      origin.kind === 'object' ? origin : await fetchFile(client, origin, file, join(target.folder, String(index)));
    files[index] = { path, size, sha256, kind, headers, content, ...(isOwn && kept !== undefined ? { kept } : {}) };
  });
  return { record, files };
}

type Origin =
  | Extract<Content, { kind: 'object' }>
  | { readonly kind: 'fetched'; readonly key: string; readonly offset: number };

/** Where a file's content is now; undefined when it is gone. */
function originOf(
  file: RecordedFile,
  held: RecordedObject | undefined,
  prefix: string,
  isOwn: boolean,
): Origin | undefined {
  const key = prefix + file.path;
  if (held?.sha256 === file.sha256) {
    const isFetched = !isOwn && file.kind !== 'fingerprinted' && file.size <= MAX_KEPT_FILE;
    return isFetched ? { kind: 'fetched', key, offset: 0 } : { kind: 'object', key, etag: held.etag };
  }
  if (file.kept === undefined) return undefined;
  return { kind: 'fetched', key: packKey(prefix, file.kept.pack), offset: file.kept.offset };
}

async function fetchFile(
  client: S3Client,
  { key, offset }: { readonly key: string; readonly offset: number },
  file: RecordedFile,
  location: string,
): Promise<Content> {
  const { size, sha256 } = file;
  // No range asks for zero bytes.
  const body = size === 0 ? Buffer.alloc(0) : await fetchBytes(client, key, offset, size);
  if (body === undefined || sha256Hex(body) !== sha256) {
    throw new ConfigurationError(`the content of ${file.path} is not kept as it was (${key}); deploy from the source`);
  }
  await writeFile(location, body);
  return { kind: 'file', location, crc32: crc32(body) };
}

async function fetchBytes(client: S3Client, key: string, offset: number, size: number): Promise<Buffer | undefined> {
  const range = { first: offset, last: offset + size - 1 };
  try {
    return (await client.get(key, { maxBytes: MAX_KEPT_FILE, range }))?.body;
  } catch (error) {
    throw explainS3Refusal(error, client.location, 's3:GetObject');
  }
}

async function readRecord(client: S3Client, prefix: string, id: string): Promise<ReleaseRecord> {
  const key = recordKey(prefix, id);
  const found = await client.get(key, { maxBytes: MAX_RECORD_BYTES }).catch((error: unknown) => {
    throw explainS3Refusal(error, client.location, 's3:GetObject');
  });
  if (found === undefined) {
    throw new ConfigurationError(
      `${key} is not there: release ${id} is older than "keep-releases" kept, or was deployed with "keep-releases: 0"`,
    );
  }
  return parseRecord(found.body.toString('utf8'), key);
}

function idOf(manifest: ReleaseManifest | undefined, { prefix, release }: ReleasePlace): string {
  const releases = manifest?.releases ?? [];
  const found =
    release === 'live' ? releases[0] : release === 'previous' ? releases[1] : releases.find(({ id }) => id === release);
  if (found !== undefined) return found.id;
  const where = prefix === '' ? 'this site' : prefix;
  const known = releases.slice(0, 10).map(({ id }) => id);
  throw new ConfigurationError(
    `${where} has no release ${JSON.stringify(release)}${known.length === 0 ? '' : `; there are ${known.join(', ')}`}`,
  );
}

function incomplete(id: string, gone: readonly string[]): string {
  const shown = gone.slice(0, 5).join(', ');
  const more = gone.length > 5 ? ` and ${gone.length - 5} more` : '';
  return `release ${id} is not whole any more: ${shown}${more} were deleted, changed by somebody else, or too large to be kept (${MAX_KEPT_FILE / 1024 ** 2} MiB); deploy it from its source`;
}
