import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import zlib from 'node:zlib';
import { pack } from 'tar-stream';
import { ATTESTATION_SUBJECT, ATTESTATION_TYPE, digestOf } from '../../../../src/core/registry/manifest.ts';
import { OCI_INDEX, OCI_MANIFEST } from '../../../../src/core/registry/media-types.ts';

/** An entry of a layer: a file by its content, or what else an archive can hold. */
export interface LayerFile {
  readonly name: string;
  readonly content?: string;
  readonly mode?: number;
  readonly type?: 'file' | 'directory' | 'symlink' | 'link' | 'character-device' | 'fifo';
  readonly linkname?: string;
}

export type Compression = 'gzip' | 'zstd' | 'none';

export interface Blob {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
  readonly bytes: Buffer;
}

export async function makeLayer(files: readonly LayerFile[], compression: Compression = 'gzip'): Promise<Blob> {
  const archive = pack();
  for (const { name, content = '', mode = 0o644, type = 'file', linkname } of files) {
    const header = { name, mode, type, mtime: new Date(0), ...(linkname === undefined ? {} : { linkname }) };
    archive.entry(header, type === 'file' ? content : '');
  }
  archive.finalize();
  const tar = await buffer(archive);
  const bytes = compression === 'gzip' ? zlib.gzipSync(tar) : compression === 'zstd' ? zlib.zstdCompressSync(tar) : tar;
  const mediaType = `application/vnd.oci.image.layer.v1.tar${compression === 'none' ? '' : `+${compression}`}`;
  return makeBlob(mediaType, bytes);
}

export function makeBlob(mediaType: string, content: Uint8Array | string): Blob {
  const bytes = Buffer.from(content);
  return { mediaType, digest: digestOf(bytes), size: bytes.length, bytes };
}

export function descriptorOf({ mediaType, digest, size }: Blob, more: object = {}): object {
  return { mediaType, digest, size, ...more };
}

export function platformOf(platform: string): object {
  const [os, architecture, variant] = platform.split('/');
  return { os, architecture, ...(variant === undefined ? {} : { variant }) };
}

/** An image with these layers; its blobs come with it. */
export interface MadeImage {
  readonly manifest: Blob;
  readonly blobs: readonly Blob[];
  readonly platform: string;
}

export function makeImage(
  layers: readonly Blob[],
  platform = 'linux/amd64',
  labels: Record<string, string> = {},
): MadeImage {
  const config = makeBlob(
    'application/vnd.oci.image.config.v1+json',
    JSON.stringify({ ...platformOf(platform), config: { Labels: labels }, rootfs: { type: 'layers', diff_ids: [] } }),
  );
  const document = {
    schemaVersion: 2,
    mediaType: OCI_MANIFEST,
    config: descriptorOf(config),
    layers: layers.map((layer) => descriptorOf(layer)),
  };
  return { manifest: makeBlob(OCI_MANIFEST, JSON.stringify(document)), blobs: [config, ...layers], platform };
}

/** An index as BuildKit writes it: each image, and beside it an attestation for `unknown/unknown`. */
export interface MadeIndex {
  readonly manifest: Blob;
  readonly manifests: readonly Blob[];
  readonly blobs: readonly Blob[];
}

export function makeIndex(
  images: readonly MadeImage[],
  options: { readonly withAttestations?: boolean } = {},
): MadeIndex {
  const attestations = options.withAttestations === true ? images.map(makeAttestation) : [];
  const document = {
    schemaVersion: 2,
    mediaType: OCI_INDEX,
    manifests: [
      ...images.map(({ manifest, platform }) => descriptorOf(manifest, { platform: platformOf(platform) })),
      ...attestations.map(({ manifest }, index) =>
        descriptorOf(manifest, {
          platform: { os: 'unknown', architecture: 'unknown' },
          annotations: {
            [ATTESTATION_TYPE]: 'attestation-manifest',
            [ATTESTATION_SUBJECT]: images[index]?.manifest.digest,
          },
        }),
      ),
    ],
  };
  const all = [...images, ...attestations];
  return {
    manifest: makeBlob(OCI_INDEX, JSON.stringify(document)),
    manifests: all.map(({ manifest }) => manifest),
    blobs: all.flatMap(({ blobs }) => blobs),
  };
}

function makeAttestation(image: MadeImage): MadeImage {
  const statement = makeBlob(
    'application/vnd.in-toto+json',
    JSON.stringify({ _type: 'https://in-toto.io/Statement/v0.1', subject: [{ digest: image.manifest.digest }] }),
  );
  return makeImage([statement], 'unknown/unknown');
}

/** A folder that is removed at the end of an `await using` block. */
export async function temporaryFolder(): Promise<{ readonly path: string } & AsyncDisposable> {
  const path = await mkdtemp(join(tmpdir(), 'slipway-test-'));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

/** Writes an OCI image layout that names one image or index. */
export async function writeLayout(folder: string, root: Blob, content: readonly Blob[]): Promise<void> {
  await mkdir(join(folder, 'blobs', 'sha256'), { recursive: true });
  await writeFile(join(folder, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}');
  await writeFile(join(folder, 'index.json'), JSON.stringify({ schemaVersion: 2, manifests: [descriptorOf(root)] }));
  for (const { digest, bytes } of [root, ...content]) {
    await writeFile(join(folder, 'blobs', 'sha256', digest.slice('sha256:'.length)), bytes);
  }
}
