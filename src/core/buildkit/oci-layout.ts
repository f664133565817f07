import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import {
  ATTESTATION_TYPE,
  type Descriptor,
  formatPlatform,
  parseDescriptor,
  parseManifest,
} from '../registry/manifest.ts';
import { isRecord } from '../runner/event.ts';

/** A layer of a built image, and the instruction that made it. */
export interface ImageLayer {
  readonly mediaType: string;
  readonly digest: string;
  /** Compressed bytes: what a pull transfers. */
  readonly size: number;
  readonly instruction: string;
}

/** An image as the build left it in a folder, for one platform. */
export interface LayoutImage {
  readonly platform: string | undefined;
  /** Digest of the configuration: the image's id. */
  readonly configDigest: string;
  /** The user that processes run as; `''` for root. */
  readonly user: string;
  /** The instruction that says so, where one does. */
  readonly userInstruction: string | undefined;
  readonly hasHealthcheck: boolean;
  readonly labels: Readonly<Record<string, string>>;
  readonly layers: readonly ImageLayer[];
  /** Compressed bytes of all layers and the configuration. */
  readonly size: number;
}

export interface Layout {
  /** What the layout's index names: the manifest, or the index over platforms and attestations. */
  readonly root: Descriptor;
  readonly images: readonly LayoutImage[];
}

const MAX_JSON = 8 * 1024 * 1024;

/**
 * Reads an image layout folder (OCI image specification 1.1, "Image Layout") that BuildKit wrote for one target.
 * Throws Error for a folder that is no such layout: its source is the builder, not the user.
 */
export async function readLayout(folder: string): Promise<Layout> {
  const index = await readJson(join(folder, 'index.json'));
  const entries: readonly unknown[] = isRecord(index) && Array.isArray(index['manifests']) ? index['manifests'] : [];
  // An image with several tags stands there once for each.
  const roots = entries.map((entry, at) => parseDescriptor(entry, `manifests[${at}]`));
  const [root] = roots;
  if (root === undefined || roots.some(({ digest }) => digest !== root.digest))
    throw new Error(`the layout in ${folder} must hold one image`);
  return { root, images: await readImages(folder, root) };
}

async function readImages(folder: string, descriptor: Descriptor): Promise<readonly LayoutImage[]> {
  const manifest = parseManifest(await readBlob(folder, descriptor.digest), descriptor.mediaType);
  if (manifest.kind === 'index') {
    const images = manifest.manifests.filter(({ annotations }) => annotations?.[ATTESTATION_TYPE] === undefined);
    return (await Promise.all(images.map((image) => readImages(folder, image)))).flat();
  }
  const config: unknown = JSON.parse((await readBlob(folder, manifest.config.digest)).toString('utf8'));
  return [toImage(config, manifest.layers, manifest.config)];
}

/** Joins a manifest's layers with the history of its configuration, which has entries without a layer too. */
export function toImage(
  config: unknown,
  layers: readonly Descriptor[],
  configuration: Pick<Descriptor, 'digest' | 'size'>,
): LayoutImage {
  const image = isRecord(config) ? config : {};
  const settings = isRecord(image['config']) ? image['config'] : {};
  const history = Array.isArray(image['history']) ? image['history'].filter(isRecord) : [];
  const instructions = history
    .filter((entry) => entry['empty_layer'] !== true)
    .map((entry) => String(entry['created_by'] ?? ''));
  const user = settings['User'];
  return {
    platform: formatPlatform(image),
    configDigest: configuration.digest,
    user: typeof user === 'string' ? user : '',
    userInstruction: history.map((entry) => String(entry['created_by'] ?? '')).findLast((by) => /^USER /.test(by)),
    hasHealthcheck: isHealthcheck(settings['Healthcheck']),
    labels: isRecord(settings['Labels'])
      ? Object.fromEntries(Object.entries(settings['Labels']).map(([key, value]) => [key, String(value)]))
      : {},
    layers: layers.map(({ mediaType, digest, size }, at) => ({
      mediaType,
      digest,
      size,
      instruction: (instructions[at] ?? '').replace(/^RUN .*?\/bin\/sh -c /, 'RUN ').replace(/ # buildkit$/, ''),
    })),
    size: layers.reduce((sum, { size }) => sum + size, configuration.size),
  };
}

/** `HEALTHCHECK NONE` is written as the test `["NONE"]`. */
function isHealthcheck(value: unknown): boolean {
  const test = isRecord(value) ? value['Test'] : undefined;
  return Array.isArray(test) && test.length > 0 && test[0] !== 'NONE';
}

/** The file of a blob. */
export function blobPath(folder: string, digest: string): string {
  return join(folder, 'blobs', ...digest.split(':'));
}

async function readBlob(folder: string, digest: string): Promise<Buffer> {
  const path = blobPath(folder, digest);
  const { size } = await stat(path);
  if (size > MAX_JSON) throw new Error(`${path} is larger than ${MAX_JSON} bytes`);
  return readFile(path);
}

async function readJson(path: string): Promise<unknown> {
  const { size } = await stat(path);
  if (size > MAX_JSON) throw new Error(`${path} is larger than ${MAX_JSON} bytes`);
  return JSON.parse(await readFile(path, 'utf8'));
}
