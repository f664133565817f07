import { ConfigurationError } from '../runner/errors.ts';
import { fieldOf, isRecord } from '../runner/event.ts';

/** What buildx tells of one built target. */
export interface TargetMetadata {
  /** Of the image's manifest or index; undefined where nothing was exported as an image. */
  readonly digest: string | undefined;
  /** Of the image's configuration: the id that `docker image ls` shows. */
  readonly imageId: string | undefined;
  readonly names: readonly string[];
  /** Media type and bytes of the manifest or index that `digest` names. */
  readonly mediaType: string | undefined;
  readonly manifestSize: number | undefined;
}

/** Reads the file that `--metadata-file` wrote: targets by name. Throws when it is no JSON object. */
export function parseMetadata(text: string): ReadonlyMap<string, TargetMetadata> {
  const value: unknown = JSON.parse(text);
  if (!isRecord(value)) throw new ConfigurationError('the metadata file of buildx holds no JSON object');
  return new Map(
    Object.entries(value)
      .filter(([, target]) => isRecord(target))
      .map(([name, target]) => [name, toMetadata(target)]),
  );
}

function toMetadata(target: unknown): TargetMetadata {
  const names = fieldOf(target, 'image.name');
  const digest = toDigest(fieldOf(target, 'containerimage.digest'));
  const mediaType = fieldOf(target, 'containerimage.descriptor', 'mediaType');
  const size = fieldOf(target, 'containerimage.descriptor', 'size');
  return {
    digest,
    mediaType: typeof mediaType === 'string' ? mediaType : undefined,
    manifestSize: typeof size === 'number' ? size : undefined,
    imageId: toDigest(fieldOf(target, 'containerimage.config.digest')) ?? digest,
    names: typeof names === 'string' ? names.split(',').filter((name) => name !== '') : [],
  };
}

/** A SHA-256 digest as OCI writes it, or undefined. */
function toDigest(value: unknown): string | undefined {
  return typeof value === 'string' && /^sha256:[0-9a-f]{64}$/.test(value) ? value : undefined;
}
