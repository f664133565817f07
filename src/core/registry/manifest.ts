import { createHash } from 'node:crypto';
import { isRecord } from '../runner/event.ts';
import { isIndexType, isManifestType, OCI_INDEX, OCI_MANIFEST } from './media-types.ts';
import { isDigest } from './reference.ts';

/** OCI image specification 1.1, "Content Descriptors". */
export interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  /** Bytes. */
  readonly size: number;
  /** `os/architecture[/variant]`; `unknown/unknown` for attestations. */
  readonly platform?: string;
  /** Windows only; kept so that an assembled index loses nothing. */
  readonly osVersion?: string;
  readonly artifactType?: string;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** A manifest or index as the registry holds it: the digest is over exactly these bytes. */
export interface StoredManifest {
  readonly mediaType: string;
  readonly digest: string;
  readonly bytes: Buffer;
}

/** What a manifest or index refers to. */
export type ManifestContent =
  | { readonly kind: 'index'; readonly manifests: readonly Descriptor[]; readonly annotations: Annotations }
  | {
      readonly kind: 'image';
      readonly config: Descriptor;
      readonly layers: readonly Descriptor[];
      readonly annotations: Annotations;
    };

export type Annotations = Readonly<Record<string, string>>;

/** The largest manifest that registries must take (OCI distribution specification 1.1, "Pushing Manifests"). */
export const MAX_MANIFEST_BYTES = 4 * 1024 * 1024;
const MAX_CHILDREN = 4096;

/** BuildKit's marks on an attestation manifest: what it is, and which image it describes. */
export const ATTESTATION_TYPE = 'vnd.docker.reference.type';
export const ATTESTATION_SUBJECT = 'vnd.docker.reference.digest';
export const UNKNOWN_PLATFORM = 'unknown/unknown';

export function digestOf(bytes: Uint8Array): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

/**
 * Reads a manifest's or index's JSON. `mediaType` is what the registry or the descriptor called it; the document's own
 * field, if it has one, must agree (OCI image specification 1.1.0, "mediaType").
 * Throws Error for anything that is no image manifest or index: its source is a registry or a folder, not the user.
 */
export function parseManifest(bytes: Uint8Array, mediaType: string): ManifestContent {
  if (bytes.length > MAX_MANIFEST_BYTES) throw new Error(`the manifest is larger than ${MAX_MANIFEST_BYTES} bytes`);
  let document: unknown;
  try {
    document = JSON.parse(Buffer.from(bytes).toString('utf8'));
  } catch (cause) {
    throw new Error('the manifest is no JSON', { cause });
  }
  if (!isRecord(document)) throw new Error('the manifest is no JSON object');
  const own = document['mediaType'];
  if (own !== undefined && own !== mediaType)
    throw new Error(`the manifest calls itself ${String(own)}, not ${mediaType}`);
  const annotations = parseAnnotations(document['annotations']) ?? {};
  if (isIndexType(mediaType)) {
    return { kind: 'index', manifests: parseDescriptors(document['manifests'], 'manifests'), annotations };
  }
  if (!isManifestType(mediaType)) throw new Error(`${mediaType} is no image manifest or index`);
  const layers = parseDescriptors(document['layers'], 'layers');
  return { kind: 'image', config: parseDescriptor(document['config'], 'config'), layers, annotations };
}

/** The media type a manifest's JSON tells of itself, for descriptors and answers that name none. */
export function sniffMediaType(bytes: Uint8Array): string | undefined {
  const document: unknown = JSON.parse(Buffer.from(bytes).toString('utf8'));
  if (!isRecord(document)) return undefined;
  if (typeof document['mediaType'] === 'string') return document['mediaType'];
  if (Array.isArray(document['manifests'])) return OCI_INDEX;
  return isRecord(document['config']) ? OCI_MANIFEST : undefined;
}

/** The digest of what a manifest speaks of (OCI image specification 1.1, `subject`); undefined for most. */
export function parseSubject(bytes: Uint8Array): string | undefined {
  const document: unknown = JSON.parse(Buffer.from(bytes).toString('utf8'));
  const subject = isRecord(document) ? document['subject'] : undefined;
  return subject === undefined ? undefined : parseDescriptor(subject, 'subject').digest;
}

function parseDescriptors(value: unknown, where: string): readonly Descriptor[] {
  if (!Array.isArray(value)) throw new Error(`the manifest has no list "${where}"`);
  if (value.length > MAX_CHILDREN) throw new Error(`the manifest's "${where}" has more than ${MAX_CHILDREN} entries`);
  return value.map((entry: unknown, index) => parseDescriptor(entry, `${where}[${index}]`));
}

/** Reads one descriptor. Throws Error that names `where` it stands. */
export function parseDescriptor(value: unknown, where: string): Descriptor {
  if (!isRecord(value)) throw new Error(`"${where}" of the manifest is no descriptor`);
  const { mediaType, digest, size, artifactType } = value;
  if (typeof mediaType !== 'string' || mediaType.length > 255)
    throw new Error(`"${where}" of the manifest has no media type`);
  if (typeof digest !== 'string' || !isDigest(digest)) throw new Error(`"${where}" of the manifest has no digest`);
  if (typeof size !== 'number' || !Number.isSafeInteger(size) || size < 0) {
    throw new Error(`"${where}" of the manifest has no size`);
  }
  const platform = isRecord(value['platform']) ? formatPlatform(value['platform']) : undefined;
  const osVersion = isRecord(value['platform']) ? value['platform']['os.version'] : undefined;
  const annotations = parseAnnotations(value['annotations']);
  return {
    mediaType,
    digest,
    size,
    ...(platform === undefined ? {} : { platform }),
    ...(typeof osVersion === 'string' ? { osVersion } : {}),
    ...(typeof artifactType === 'string' ? { artifactType } : {}),
    ...(annotations === undefined ? {} : { annotations }),
  };
}

/** `os/architecture[/variant]` of a platform object or an image's configuration; undefined where a part is missing. */
export function formatPlatform(value: Readonly<Record<string, unknown>>): string | undefined {
  const { os, architecture, variant } = value;
  if (typeof os !== 'string' || typeof architecture !== 'string' || os === '' || architecture === '') return undefined;
  // containerd's platforms.Normalize: arm64 is v8 unless it says otherwise, amd64 has no v1.
  const isPlain = (architecture === 'arm64' && variant === 'v8') || (architecture === 'amd64' && variant === 'v1');
  return typeof variant === 'string' && variant !== '' && !isPlain
    ? `${os}/${architecture}/${variant}`
    : `${os}/${architecture}`;
}

function parseAnnotations(value: unknown): Annotations | undefined {
  if (!isRecord(value)) return undefined;
  const texts = Object.entries(value).filter((entry): entry is [string, string] => typeof entry[1] === 'string');
  return Object.fromEntries(texts);
}

/** True for BuildKit's attestation manifests (provenance, SBOM), which stand beside the image in an index. */
export function isAttestation(descriptor: Descriptor): boolean {
  return (
    descriptor.annotations?.[ATTESTATION_TYPE] === 'attestation-manifest' ||
    (descriptor.platform === UNKNOWN_PLATFORM && descriptor.annotations?.[ATTESTATION_SUBJECT] !== undefined)
  );
}
