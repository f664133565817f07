import { createReadStream } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { eachAtMost } from '../net/bounded-parallel.ts';
import { ConfigurationError } from '../runner/errors.ts';
import { isRecord } from '../runner/event.ts';
import type { Log } from '../runner/log.ts';
import {
  type Descriptor,
  digestOf,
  MAX_MANIFEST_BYTES,
  parseDescriptor,
  parseManifest,
  type StoredManifest,
} from './manifest.ts';
import { isForeignLayer } from './media-types.ts';
import { formatRepository, parseRepository, type Repository } from './reference.ts';
import type { RegistryClient } from './registry-client.ts';

export interface PushedImage {
  readonly digest: string;
  readonly mediaType: string;
  /** Bytes of the manifest or index itself. */
  readonly size: number;
}

/** Uploads at once: what Docker and containerd take. */
const PARALLEL = 4;
const MAX_DEPTH = 4;

/**
 * Pushes what an OCI image layout's `index.json` names (an index with its images and attestations, or one image) to a
 * repository: children first, by digest, with no tag, so that nothing names it until a tag is written. What the registry
 * has already is not sent again.
 *
 * `layout` is the folder, `repository` is `host/name`. Throws ConfigurationError for a folder that is no layout of one
 * image, Error for content that is not what its digest says, and what `RegistryClient` throws.
 * Source: OCI image specification 1.1, "Image Layout Specification".
 */
export async function pushLayout(options: {
  readonly layout: string;
  readonly repository: string;
  readonly client: RegistryClient;
  readonly log: Log;
}): Promise<PushedImage> {
  const repository = parseRepository(options.repository);
  const root = await readRoot(options.layout);
  const pushed: PushedImage = { digest: root.digest, mediaType: root.mediaType, size: root.size };
  const where = `${formatRepository(repository)}@${root.digest}`;
  options.client.willPush(repository);
  // A registry takes a manifest only when it has all that it refers to.
  if ((await options.client.findDigest(repository, root.digest)) === root.digest) {
    options.log.info(`${where} is there already`);
    return pushed;
  }
  const content = await collect(options.layout, root);
  const sent = await pushBlobs(options, repository, content.blobs);
  for (const manifest of content.manifests) await options.client.putManifest(repository, manifest.digest, manifest);
  options.log.info(`pushed ${where}: ${sent.count} of ${content.blobs.size} blobs, ${sent.bytes} bytes`);
  return pushed;
}

interface LayoutContent {
  /** Children before what refers to them. */
  readonly manifests: readonly StoredManifest[];
  readonly blobs: ReadonlyMap<string, Descriptor>;
}

async function readRoot(layout: string): Promise<Descriptor> {
  const path = join(layout, 'index.json');
  const bytes = await readBounded(path).catch((cause: unknown) => {
    throw new ConfigurationError(`"${layout}" is no OCI image layout: its index.json cannot be read`, { cause });
  });
  let document: unknown;
  try {
    document = JSON.parse(bytes.toString('utf8'));
  } catch (cause) {
    throw new ConfigurationError(`"${path}" is no JSON`, { cause });
  }
  const list: unknown = isRecord(document) ? document['manifests'] : undefined;
  const entries: readonly unknown[] = Array.isArray(list) ? list : [];
  const roots = new Map(entries.map((entry, index) => [parseDescriptor(entry, `manifests[${index}]`).digest, entry]));
  const [only] = roots.values();
  // The same image under several names stands there once for each name.
  if (roots.size !== 1) throw new ConfigurationError(`"${path}" names ${roots.size} images; one is pushed at a time`);
  return parseDescriptor(only, 'manifests[0]');
}

async function collect(layout: string, root: Descriptor): Promise<LayoutContent> {
  const manifests: StoredManifest[] = [];
  const blobs = new Map<string, Descriptor>();
  const seen = new Set<string>();

  async function visit(descriptor: Descriptor, depth: number): Promise<void> {
    if (seen.has(descriptor.digest)) return;
    seen.add(descriptor.digest);
    if (depth > MAX_DEPTH) throw new Error(`the image layout nests indexes more than ${MAX_DEPTH} deep`);
    const bytes = await readBounded(blobPath(layout, descriptor.digest));
    if (bytes.length !== descriptor.size || digestOf(bytes) !== descriptor.digest) {
      throw new Error(`${descriptor.digest} of the image layout "${layout}" is not what its digest says`);
    }
    const content = parseManifest(bytes, descriptor.mediaType);
    if (content.kind === 'index') {
      for (const child of content.manifests) await visit(child, depth + 1);
    } else {
      for (const blob of [content.config, ...content.layers]) {
        if (!isForeignLayer(blob.mediaType)) blobs.set(blob.digest, blob);
      }
    }
    manifests.push({ mediaType: descriptor.mediaType, digest: descriptor.digest, bytes });
  }

  await visit(root, 0);
  return { manifests, blobs };
}

async function pushBlobs(
  { layout, client, log }: { readonly layout: string; readonly client: RegistryClient; readonly log: Log },
  repository: Repository,
  blobs: ReadonlyMap<string, Descriptor>,
): Promise<{ readonly count: number; readonly bytes: number }> {
  let count = 0;
  let bytes = 0;
  // The largest first: the last upload to end is then a small one.
  const ordered = [...blobs.values()].sort((one, other) => other.size - one.size);
  await eachAtMost(PARALLEL, ordered, async (blob) => {
    if (await client.hasBlob(repository, blob.digest)) {
      log.debug(`${blob.digest} is there already`);
      return;
    }
    const path = blobPath(layout, blob.digest);
    const { size } = await stat(path);
    if (size !== blob.size) throw new Error(`"${path}" has ${size} bytes, its descriptor says ${blob.size}`);
    // The registry checks the digest when the upload is closed.
    const open = (start: number, end: number): Readable => createReadStream(path, { start, end: end - 1 });
    await client.uploadBlob(repository, { digest: blob.digest, size: blob.size, open });
    count += 1;
    bytes += blob.size;
  });
  return { count, bytes };
}

/** Safe as a path: a digest is an algorithm's name and hexadecimal digits. */
function blobPath(layout: string, digest: string): string {
  const [algorithm = '', encoded = ''] = digest.split(':');
  return join(layout, 'blobs', algorithm, encoded);
}

async function readBounded(path: string): Promise<Buffer> {
  const { size } = await stat(path);
  if (size > MAX_MANIFEST_BYTES) throw new Error(`"${path}" is larger than ${MAX_MANIFEST_BYTES} bytes`);
  return readFile(path);
}
