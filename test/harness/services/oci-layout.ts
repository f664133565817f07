import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { copyFile, mkdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { arch } from 'node:os';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';

/** A content descriptor of the OCI image specification. */
export interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
}

export interface LayerArchive {
  /** A tar file. */
  readonly tar: string;
  /** The same, compressed with gzip. */
  readonly gzip: string;
}

export interface ImageSettings {
  readonly environment: readonly string[];
  readonly command: readonly string[];
}

const architectures = new Map([
  ['x64', 'amd64'],
  ['arm64', 'arm64'],
]);

/** What `image.json` beside the blobs says: all that a push needs. */
export interface LayoutImage {
  readonly manifest: Descriptor;
  readonly blobs: readonly Descriptor[];
}

async function digestOfFile(file: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file), hash);
  return `sha256:${hash.digest('hex')}`;
}

/**
 * Writes an image of this machine's platform as an OCI image layout (image-layout.md, image-spec 1.1). The same layers
 * and settings give the same digest. The layer files are moved.
 */
export async function writeOciLayout(
  folder: string,
  layers: readonly LayerArchive[],
  settings: ImageSettings,
): Promise<LayoutImage> {
  const blobs = path.join(folder, 'blobs/sha256');
  await mkdir(blobs, { recursive: true });
  const architecture = architectures.get(arch());
  if (architecture === undefined) throw new Error(`no base images are made for ${arch()}`);
  const diffIds = await Promise.all(layers.map(async ({ tar }) => await digestOfFile(tar)));
  const layerDescriptors: Descriptor[] = [];
  for (const { gzip } of layers) {
    const digest = await digestOfFile(gzip);
    const { size } = await stat(gzip);
    await moveFile(gzip, path.join(blobs, digest.slice('sha256:'.length)));
    layerDescriptors.push({ mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip', digest, size });
  }
  const writeJson = async (mediaType: string, value: object): Promise<Descriptor> => {
    const text = JSON.stringify(value);
    const hex = createHash('sha256').update(text).digest('hex');
    await writeFile(path.join(blobs, hex), text);
    return { mediaType, digest: `sha256:${hex}`, size: Buffer.byteLength(text) };
  };
  const config = await writeJson('application/vnd.oci.image.config.v1+json', {
    architecture,
    os: 'linux',
    created: '1970-01-01T00:00:00Z',
    config: { Env: settings.environment, Cmd: settings.command, WorkingDir: '/' },
    rootfs: { type: 'layers', diff_ids: diffIds },
    history: layers.map((_, index) => ({ created: '1970-01-01T00:00:00Z', created_by: `layer ${index}` })),
  });
  const manifestType = 'application/vnd.oci.image.manifest.v1+json';
  const manifest = await writeJson(manifestType, {
    schemaVersion: 2,
    mediaType: manifestType,
    config,
    layers: layerDescriptors,
  });
  await writeFile(path.join(folder, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}');
  await writeFile(path.join(folder, 'index.json'), JSON.stringify({ schemaVersion: 2, manifests: [manifest] }));
  return { manifest, blobs: [config, ...layerDescriptors] };
}

async function moveFile(from: string, to: string): Promise<void> {
  try {
    await rename(from, to);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EXDEV')) throw error;
    await copyFile(from, to);
    await rm(from);
  }
}
