import { rm } from 'node:fs/promises';
import { posix } from 'node:path';
import { pipeline, type Readable, type Transform } from 'node:stream';
import zlib from 'node:zlib';
import { type Extract, extract } from 'tar-stream';
import { ConfigurationError } from '../runner/errors.ts';
import type { Log } from '../runner/log.ts';
import { createFolderWriter, type FolderWriter, type WrittenFolder } from './folder-writer.ts';
import { applyEntry } from './layer-entry.ts';
import type { Descriptor } from './manifest.ts';
import { type LayerCompression, layerCompression } from './media-types.ts';
import { resolveImage } from './platform-image.ts';
import { parseReference, type Reference, type Repository } from './reference.ts';
import type { ImageReader } from './registry-client.ts';

export interface ExportLimits {
  /** Files, folders and links that the layers write into the folder. */
  readonly files: number;
  /** Bytes of the files that the layers write into the folder. */
  readonly bytes: number;
  /** Bytes of all layers once unpacked, the folder's and the rest: the bound on a bomb. */
  readonly unpackedBytes: number;
}

export const DEFAULT_EXPORT_LIMITS: ExportLimits = { files: 200_000, bytes: 20e9, unpackedBytes: 200e9 };

export interface ExportedFolder {
  /** Files and symbolic links; folders do not count. */
  readonly files: number;
  readonly bytes: number;
  /** Of the platform's image manifest. */
  readonly digest: string;
}

/**
 * Takes a folder out of an image into `into`, without an engine and without running the image.
 *
 * `client` reads a registry, `reference` names the image there; with `shown` it reads another place, and that is the
 * image's name in messages.
 * `path` is absolute in the image, `platform` is `os/architecture[/variant]`, `into` must be absent or empty; it is
 * removed again when anything fails. Layers are applied bottom up with whiteouts and opaque folders (OCI image
 * specification 1.1, "Image Layer Filesystem Changeset"); permissions are kept, owners, times and set-id bits are not.
 * Symbolic and hard links must stay inside the folder.
 * Throws ConfigurationError when the image, the platform or the folder does not exist, is more than `limits` allow, or
 * holds links that leave it or devices.
 */
export async function exportPath(options: {
  readonly client: ImageReader;
  readonly reference: string;
  readonly shown?: string;
  readonly path: string;
  readonly platform: string;
  readonly into: string;
  readonly limits?: Partial<ExportLimits>;
  readonly log: Log;
}): Promise<ExportedFolder> {
  const { client, log } = options;
  const folder = normalizeFolder(options.path);
  const reference: Reference = parseReference(options.reference);
  const shown = options.shown ?? options.reference;
  const limits = { ...DEFAULT_EXPORT_LIMITS, ...options.limits };
  const image = await resolveImage(client, reference, options.platform, shown);
  const writer = await createFolderWriter(options.into, limits);
  try {
    const unpacked = { bytes: 0 };
    for (const layer of image.layers)
      await applyLayer({ client, repository: reference, layer, folder, writer, limits, unpacked });
    const written: WrittenFolder = await writer.finish(`/${folder}`, shown);
    log.info(`took ${written.files} files (${written.bytes} bytes) in /${folder} out of ${shown} (${image.digest})`);
    return { ...written, digest: image.digest };
  } catch (cause) {
    await rm(options.into, { recursive: true, force: true });
    throw cause;
  }
}

/** The folder as layers write it: relative, without `.` and `..`; `''` for the whole image. */
function normalizeFolder(path: string): string {
  if (!path.startsWith('/') || path.includes('\0')) {
    throw new ConfigurationError(`"${path}" is no absolute path in an image; write it as /app/dist`);
  }
  return posix.normalize(path).replace(/^\/+|\/+$/g, '');
}

async function applyLayer(options: {
  readonly client: ImageReader;
  readonly repository: Repository;
  readonly layer: Descriptor;
  readonly folder: string;
  readonly writer: FolderWriter;
  readonly limits: ExportLimits;
  readonly unpacked: { bytes: number };
}): Promise<void> {
  const { client, repository, layer, folder, writer, limits, unpacked } = options;
  const compression = layerCompression(layer.mediaType);
  if (compression === undefined)
    throw new ConfigurationError(`the image's layer ${layer.digest} is ${layer.mediaType}, no layer of files`);
  const entries = extract();
  writer.beginLayer();
  const feeding = feed(unpackedChunks(client.readBlob(repository, layer), compression), entries);
  for await (const entry of entries) {
    await applyEntry(entry.header, bytesOf(entry), folder, writer);
    // What the folder does not need is read over.
    entry.resume();
  }
  await feeding;

  async function* unpackedChunks(blob: Readable, how: LayerCompression): AsyncGenerator<Buffer> {
    const source =
      how === 'none' ? blob : unpack(blob, how === 'gzip' ? zlib.createGunzip() : zlib.createZstdDecompress());
    for await (const chunk of source) {
      const part: Buffer = chunk;
      unpacked.bytes += part.length;
      if (unpacked.bytes > limits.unpackedBytes) {
        throw new ConfigurationError(`the image's layers unpack to more than ${limits.unpackedBytes} bytes`);
      }
      yield part;
    }
  }
}

/** A fault of the download ends the unpacker too, and is thrown where that is read: here there is nothing to do. */
function unpack<T extends Transform>(blob: Readable, unpacker: T): T {
  pipeline(blob, unpacker, () => undefined);
  return unpacker;
}

async function* bytesOf(body: AsyncIterable<unknown>): AsyncGenerator<Uint8Array> {
  for await (const chunk of body) if (chunk instanceof Uint8Array) yield chunk;
}

/** Writes chunks into the tar reader; a fault of theirs becomes the reader's, so that it is thrown in one place. */
async function feed(chunks: AsyncIterable<Buffer>, entries: Extract): Promise<void> {
  try {
    for await (const chunk of chunks) {
      if (entries.destroyed || entries.destroying) return;
      if (!entries.write(chunk)) await new Promise<void>((resolve) => resolveOnRoom(entries, resolve));
    }
    entries.end(null);
  } catch (cause) {
    entries.destroy(cause instanceof Error ? cause : new Error(String(cause)));
  }
}

function resolveOnRoom(entries: Extract, resolve: () => void): void {
  const done = (): void => {
    entries.off('drain', done);
    entries.off('close', done);
    resolve();
  };
  entries.on('drain', done);
  entries.on('close', done);
}
