import { ConfigurationError } from '../runner/errors.ts';
import {
  type Annotations,
  ATTESTATION_SUBJECT,
  type Descriptor,
  digestOf,
  isAttestation,
  type ManifestContent,
  type StoredManifest,
  UNKNOWN_PLATFORM,
} from './manifest.ts';
import { OCI_INDEX } from './media-types.ts';

/** An image or index that becomes part of a release. */
export interface IndexSource {
  /** For messages: the reference or row that it comes from. */
  readonly name: string;
  readonly manifest: StoredManifest;
  readonly content: ManifestContent;
  /** The platform of a single image, from its configuration; an index tells its own. */
  readonly platform: string | undefined;
}

export interface AssembledIndex {
  readonly manifest: StoredManifest;
  /** The platforms that the release has an image for, sorted. */
  readonly platforms: readonly string[];
  readonly hasUnknownPlatforms: boolean;
  /** False when it is a source's own manifest, byte for byte. */
  readonly isNew: boolean;
}

/** Annotations by the level at which an index can hold them, beside those of its sources. */
export interface IndexAnnotations {
  /** Of the index itself. */
  readonly index: Annotations;
  /** Of the index's entries; attestations get none. */
  readonly descriptors: readonly DescriptorAnnotation[];
}

export interface DescriptorAnnotation {
  /** `os/architecture[/variant]`; undefined for every platform. */
  readonly platform: string | undefined;
  readonly key: string;
  readonly value: string;
}

const NO_ANNOTATIONS: IndexAnnotations = { index: {}, descriptors: [] };

export function hasAnnotations({ index, descriptors }: IndexAnnotations): boolean {
  return Object.keys(index).length > 0 || descriptors.length > 0;
}

/**
 * Puts images and indexes of one variant together into one OCI index: platforms in alphabetical order, each image's
 * attestations (`unknown/unknown`, BuildKit's `vnd.docker.reference.digest`) after the images, annotations by key. Equal
 * sources give equal bytes. A single source without new annotations stays what it is, with its digest.
 *
 * Throws ConfigurationError when two sources hold different images for one platform, or a platform is not known.
 */
export function assembleIndex(
  sources: readonly IndexSource[],
  annotations: IndexAnnotations = NO_ANNOTATIONS,
): AssembledIndex {
  const entries = mergeEntries(sources).map((entry) => annotateEntry(entry, annotations));
  const images = entries.filter((entry) => !isUnknown(entry)).sort(byPlatform);
  const platforms = images.map(({ platform = '' }) => platform);
  const hasUnknownPlatforms = images.length < entries.length;
  const [only, ...others] = sources;
  if (only === undefined) throw new Error('an index is made of one image at least');
  if (others.length === 0 && !hasAnnotations(annotations)) {
    return { manifest: only.manifest, platforms, hasUnknownPlatforms, isNew: false };
  }
  const subjects = new Map(images.map(({ digest }, index) => [digest, index]));
  const rank = (entry: Descriptor): number =>
    subjects.get(entry.annotations?.[ATTESTATION_SUBJECT] ?? '') ?? subjects.size;
  const beside = entries
    .filter(isUnknown)
    .sort((one, other) => rank(one) - rank(other) || compareText(one.digest, other.digest));
  const kept = others.length === 0 && only.content.kind === 'index' ? only.content.annotations : {};
  const document = {
    schemaVersion: 2,
    mediaType: OCI_INDEX,
    manifests: [...images, ...beside].map(toDocument),
    ...toAnnotations({ ...kept, ...annotations.index }),
  };
  const bytes = Buffer.from(JSON.stringify(document, undefined, 2));
  const manifest: StoredManifest = { mediaType: OCI_INDEX, digest: digestOf(bytes), bytes };
  return { manifest, platforms, hasUnknownPlatforms, isNew: true };
}

function annotateEntry(entry: Descriptor, { descriptors }: IndexAnnotations): Descriptor {
  const own = descriptors.filter(({ platform }) => platform === undefined || platform === entry.platform);
  if (isUnknown(entry) || own.length === 0) return entry;
  const added = Object.fromEntries(own.map(({ key, value }) => [key, value]));
  return { ...entry, annotations: { ...entry.annotations, ...added } };
}

function mergeEntries(sources: readonly IndexSource[]): readonly Descriptor[] {
  const entries = new Map<string, Descriptor>();
  const owners = new Map<string, { readonly digest: string; readonly name: string }>();
  for (const source of sources) {
    for (const entry of entriesOf(source)) {
      entries.set(entry.digest, entry);
      if (isUnknown(entry)) continue;
      const key = `${entry.platform ?? ''} ${entry.osVersion ?? ''}`;
      const owner = owners.get(key);
      if (owner !== undefined && owner.digest !== entry.digest) {
        throw new ConfigurationError(
          `two images are for ${entry.platform}: ${owner.digest} of ${owner.name} and ${entry.digest} of ${source.name}; give them different variants or leave one out`,
        );
      }
      owners.set(key, { digest: entry.digest, name: source.name });
    }
  }
  return [...entries.values()];
}

function entriesOf({ name, manifest, content, platform }: IndexSource): readonly Descriptor[] {
  if (content.kind === 'index') {
    const nested = content.manifests.find(
      ({ mediaType }) => mediaType.includes('index') || mediaType.includes('manifest.list'),
    );
    if (nested !== undefined)
      throw new ConfigurationError(`${name} is an index of indexes, which cannot be put together`);
    const nameless = content.manifests.find((entry) => entry.platform === undefined && !isAttestation(entry));
    if (nameless !== undefined)
      throw new ConfigurationError(`${name} does not say which platform ${nameless.digest} is for`);
    return content.manifests;
  }
  if (platform === undefined) throw new ConfigurationError(`${name} does not say which platform it is for`);
  const { mediaType, digest, bytes } = manifest;
  return [{ mediaType, digest, size: bytes.length, platform }];
}

function isUnknown(entry: Descriptor): boolean {
  return isAttestation(entry) || entry.platform === UNKNOWN_PLATFORM;
}

function byPlatform(one: Descriptor, other: Descriptor): number {
  return (
    compareText(one.platform ?? '', other.platform ?? '') || compareText(one.osVersion ?? '', other.osVersion ?? '')
  );
}

/** By code units: the order must not depend on the machine's language. */
function compareText(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0;
}

function toDocument({ mediaType, digest, size, platform, osVersion, artifactType, annotations }: Descriptor): object {
  const [os = '', architecture = '', variant] = (platform ?? UNKNOWN_PLATFORM).split('/');
  return {
    mediaType,
    digest,
    size,
    ...(artifactType === undefined ? {} : { artifactType }),
    ...toAnnotations(annotations ?? {}),
    platform: {
      architecture,
      os,
      ...(osVersion === undefined ? {} : { 'os.version': osVersion }),
      ...(variant === undefined ? {} : { variant }),
    },
  };
}

function toAnnotations(annotations: Annotations): { readonly annotations?: Annotations } {
  const sorted = Object.entries(annotations).sort(([one], [other]) => compareText(one, other));
  return sorted.length === 0 ? {} : { annotations: Object.fromEntries(sorted) };
}
