import { Readable } from 'node:stream';
import { eachAtMost } from '../net/bounded-parallel.ts';
import type { BlobSource } from './blob-upload.ts';
import { type Descriptor, parseManifest, type StoredManifest } from './manifest.ts';
import { isForeignLayer } from './media-types.ts';
import { formatRepository, isSameRepository, type Repository } from './reference.ts';
import type { RegistryClient } from './registry-client.ts';

export interface CopyCounts {
  readonly mounted: number;
  readonly uploaded: number;
  /** Bytes that went through this machine. */
  readonly bytes: number;
}

const PARALLEL = 4;
const MAX_DEPTH = 4;
const NOTHING: CopyCounts = { mounted: 0, uploaded: 0, bytes: 0 };

/**
 * Copies a manifest or index with all it refers to into another repository, children first and by digest.
 *
 * Within a registry blobs are mounted, so that no layer moves; across registries they are streamed through. What is there
 * already is left alone. Throws Error when the source lacks something, and what `RegistryClient` throws.
 */
export async function copyImage(
  client: RegistryClient,
  from: Repository,
  to: Repository,
  root: StoredManifest,
): Promise<CopyCounts> {
  if (isSameRepository(from, to)) return NOTHING;
  client.willPush(to);
  return copyManifest(client, from, to, root, 0);
}

/** As `copyImage`, but of an index only what it refers to: another index is put in its place. */
export async function copyEntries(
  client: RegistryClient,
  from: Repository,
  to: Repository,
  root: StoredManifest,
): Promise<CopyCounts> {
  const content = parseManifest(root.bytes, root.mediaType);
  if (isSameRepository(from, to)) return NOTHING;
  client.willPush(to);
  if (content.kind === 'image') return copyManifest(client, from, to, root, 0);
  return copyChildren(client, from, to, content.manifests, 0);
}

async function copyManifest(
  client: RegistryClient,
  from: Repository,
  to: Repository,
  manifest: StoredManifest,
  depth: number,
): Promise<CopyCounts> {
  if (depth > MAX_DEPTH)
    throw new Error(`${formatRepository(from)}@${manifest.digest} nests indexes more than ${MAX_DEPTH} deep`);
  // A registry takes a manifest only when it has all that it refers to.
  if ((await client.findDigest(to, manifest.digest)) === manifest.digest) return NOTHING;
  const content = parseManifest(manifest.bytes, manifest.mediaType);
  const counts: CopyCounts[] = [];
  if (content.kind === 'index') {
    counts.push(await copyChildren(client, from, to, content.manifests, depth));
  } else {
    const blobs = new Map([content.config, ...content.layers].map((blob) => [blob.digest, blob]));
    const own = [...blobs.values()].filter(({ mediaType }) => !isForeignLayer(mediaType));
    await eachAtMost(PARALLEL, own, async (blob) => {
      counts.push(await copyBlob(client, from, to, blob));
    });
  }
  await client.putManifest(to, manifest.digest, manifest);
  return counts.reduce(add, NOTHING);
}

async function copyChildren(
  client: RegistryClient,
  from: Repository,
  to: Repository,
  children: readonly Descriptor[],
  depth: number,
): Promise<CopyCounts> {
  const counts: CopyCounts[] = [];
  for (const { digest } of children) {
    const child = await client.findManifest(from, digest);
    if (child === undefined) throw new Error(`${formatRepository(from)} refers to ${digest} and does not have it`);
    counts.push(await copyManifest(client, from, to, child, depth + 1));
  }
  return counts.reduce(add, NOTHING);
}

async function copyBlob(
  client: RegistryClient,
  from: Repository,
  to: Repository,
  blob: Descriptor,
): Promise<CopyCounts> {
  if (await client.hasBlob(to, blob.digest)) return NOTHING;
  if (await client.mountBlob(to, from, blob.digest)) return { ...NOTHING, mounted: 1 };
  await client.uploadBlob(to, streamedSource(client, from, blob));
  return { ...NOTHING, uploaded: 1, bytes: blob.size };
}

/** A blob of a registry as the source of an upload; one that goes on after a fault reads over what was sent. */
function streamedSource(client: RegistryClient, from: Repository, blob: Descriptor): BlobSource {
  return {
    digest: blob.digest,
    size: blob.size,
    open: (start, end) => {
      const stream = client.readBlob(from, blob);
      return start === 0 && end === blob.size ? stream : Readable.from(rangeOf(stream, start, end));
    },
  };
}

async function* rangeOf(source: AsyncIterable<Buffer>, start: number, end: number): AsyncGenerator<Buffer> {
  let offset = 0;
  for await (const chunk of source) {
    const part = chunk.subarray(Math.max(0, start - offset), Math.max(0, end - offset));
    offset += chunk.length;
    if (part.length > 0) yield part;
  }
}

function add(one: CopyCounts, other: CopyCounts): CopyCounts {
  return {
    mounted: one.mounted + other.mounted,
    uploaded: one.uploaded + other.uploaded,
    bytes: one.bytes + other.bytes,
  };
}
