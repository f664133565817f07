import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { ConfigurationError } from '../runner/errors.ts';
import { isRecord } from '../runner/event.ts';
import {
  type Descriptor,
  digestOf,
  MAX_MANIFEST_BYTES,
  parseDescriptor,
  type StoredManifest,
  sniffMediaType,
} from './manifest.ts';
import { isDigest } from './reference.ts';
import type { ImageReader } from './registry-client.ts';

/**
 * Reads an image out of an OCI image layout folder as out of a registry. Its repositories are all the same, and every tag
 * names the one image that the layout holds. Bytes are held against their digests.
 *
 * Reading throws ConfigurationError for a folder that is no layout of one image, Error for content that is not what its
 * digest says. Source: OCI image specification 1.1, "Image Layout Specification".
 */
export function createLayoutReader(layout: string): ImageReader {
  return {
    async findManifest(_repository, name) {
      const root = isDigest(name) ? { digest: name, mediaType: undefined } : await readRoot(layout);
      const bytes = await readBounded(blobPath(layout, root.digest));
      if (bytes === undefined) return undefined;
      if (digestOf(bytes) !== root.digest) throw notItsDigest(layout, root.digest);
      const mediaType = root.mediaType ?? sniffMediaType(bytes) ?? '';
      return { mediaType, digest: root.digest, bytes } satisfies StoredManifest;
    },
    readBlob: (_repository, blob) => Readable.from(checkedChunks(layout, blob)),
  };
}

async function readRoot(layout: string): Promise<Descriptor> {
  const bytes = await readBounded(join(layout, 'index.json'));
  if (bytes === undefined) throw new ConfigurationError(`"${layout}" is no OCI image layout: it has no index.json`);
  const list = entriesOf(bytes, layout);
  // The same image under several names stands there once for each name.
  const roots = new Map(
    list.map((entry, at) => parseDescriptor(entry, `manifests[${at}]`)).map((each) => [each.digest, each]),
  );
  const [root] = roots.values();
  if (root === undefined || roots.size > 1)
    throw new ConfigurationError(`"${layout}" holds ${roots.size} images; one is read at a time`);
  return root;
}

function entriesOf(index: Buffer, layout: string): readonly unknown[] {
  try {
    const document: unknown = JSON.parse(index.toString('utf8'));
    const list: unknown = isRecord(document) ? document['manifests'] : undefined;
    return Array.isArray(list) ? list : [];
  } catch (cause) {
    throw new ConfigurationError(`"${layout}" is no OCI image layout: its index.json is no JSON`, { cause });
  }
}

async function* checkedChunks(layout: string, { digest, size }: Pick<Descriptor, 'digest' | 'size'>) {
  const path = blobPath(layout, digest);
  const { size: actual } = await stat(path);
  if (actual !== size) throw new Error(`"${path}" has ${actual} bytes, its descriptor says ${size}`);
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path)) {
    const part: Buffer = chunk;
    hash.update(part);
    yield part;
  }
  if (`sha256:${hash.digest('hex')}` !== digest) throw notItsDigest(layout, digest);
}

function notItsDigest(layout: string, digest: string): Error {
  return new Error(`${digest} of the image layout "${layout}" is not what its digest says`);
}

function blobPath(layout: string, digest: string): string {
  return join(layout, 'blobs', ...digest.split(':'));
}

/** The file's bytes; undefined where there is none. */
async function readBounded(path: string): Promise<Buffer | undefined> {
  const stats = await stat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (stats === undefined) return undefined;
  if (stats.size > MAX_MANIFEST_BYTES) throw new Error(`"${path}" is larger than ${MAX_MANIFEST_BYTES} bytes`);
  return readFile(path);
}
