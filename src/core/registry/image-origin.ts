import { isRecord } from '../runner/event.ts';
import { type Annotations, isAttestation, type ManifestContent, parseManifest } from './manifest.ts';
import { readConfig } from './platform-image.ts';
import type { Repository } from './reference.ts';
import type { RegistryClient } from './registry-client.ts';

/** What an image says it was built from: the annotations and labels that the OCI image specification 1.1 names. */
export interface ImageOrigin {
  /** `org.opencontainers.image.revision`: a commit. */
  readonly revision?: string;
  /** `org.opencontainers.image.version`. */
  readonly version?: string;
}

const REVISION = 'org.opencontainers.image.revision';
const VERSION = 'org.opencontainers.image.version';

/** Reads the origin from an index's annotations, else from an image's annotations, else from its labels. */
export async function readOrigin(
  client: RegistryClient,
  repository: Repository,
  content: ManifestContent,
): Promise<ImageOrigin> {
  const own = originOf(content.annotations);
  if (own.revision !== undefined && own.version !== undefined) return own;
  if (content.kind === 'image') {
    return { ...originOf(readLabels(await readConfig(client, repository, content.config))), ...own };
  }
  const child = content.manifests.find((entry) => !isAttestation(entry));
  const manifest = child === undefined ? undefined : await client.findManifest(repository, child.digest);
  if (manifest === undefined) return own;
  const image = parseManifest(manifest.bytes, manifest.mediaType);
  return image.kind === 'index' ? own : { ...(await readOrigin(client, repository, image)), ...own };
}

/** What annotations or labels tell; a revision that is no commit and a version that is too long are left out. */
export function originOf(values: Annotations): ImageOrigin {
  const [revision, version] = [values[REVISION], values[VERSION]];
  return {
    ...(revision !== undefined && /^[0-9a-f]{40,64}$/.test(revision) ? { revision } : {}),
    ...(version !== undefined && version.length <= 128 ? { version } : {}),
  };
}

/** The labels of an image, by its configuration; none where it has none. */
export function readLabels(config: Readonly<Record<string, unknown>> | undefined): Annotations {
  const inner = config?.['config'];
  const labels = isRecord(inner) ? inner['Labels'] : undefined;
  if (!isRecord(labels)) return {};
  return Object.fromEntries(
    Object.entries(labels).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
  );
}
