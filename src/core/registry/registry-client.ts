import { Readable } from 'node:stream';
import { blobChunks } from './blob-download.ts';
import { type BlobSource, uploadBlob } from './blob-upload.ts';
import { type Descriptor, digestOf, MAX_MANIFEST_BYTES, type StoredManifest, sniffMediaType } from './manifest.ts';
import { MANIFEST_TYPES } from './media-types.ts';
import { formatRepository, isDigest, isTag, type Repository } from './reference.ts';
import { createTransport, type RegistryCall, type TransportOptions } from './transport.ts';

/**
 * The calls of the OCI distribution specification 1.1 that publishing needs. `name` is a tag or a digest.
 *
 * All throw ConfigurationError for refusals that the user can mend (401, 403, 429), RegistryError for other answers,
 * RequestError when none came, and Error when bytes are not what their digest says.
 */
export interface RegistryClient {
  /**
   * Asks for the right to push with every further request to this repository. GHCR denies reading a package that does not
   * exist yet to a token that may only pull; and one token then serves all requests.
   */
  willPush(repository: Repository): void;
  /** The manifest's exact bytes; undefined when the registry has no such manifest or repository. */
  findManifest(repository: Repository, name: string): Promise<StoredManifest | undefined>;
  /** The digest that a tag names now, or that exists; undefined when there is none. */
  findDigest(repository: Repository, name: string): Promise<string | undefined>;
  /** Puts exactly these bytes; `name` is a tag, or the manifest's own digest. */
  putManifest(repository: Repository, name: string, manifest: StoredManifest): Promise<void>;
  hasBlob(repository: Repository, digest: string): Promise<boolean>;
  /** The blob's bytes; ends in an error when they are not what the descriptor says. */
  readBlob(repository: Repository, blob: Pick<Descriptor, 'digest' | 'size'>): Readable;
  uploadBlob(repository: Repository, source: BlobSource): Promise<void>;
  /** Has the registry take a blob from another of its repositories; false when it will not. */
  mountBlob(repository: Repository, from: Repository, digest: string): Promise<boolean>;
  /** All tags of a repository, in the registry's order; none for a repository that does not exist. */
  listTags(repository: Repository): Promise<readonly string[]>;
}

/** What taking files out of an image needs: a registry gives it, and an image layout does. */
export type ImageReader = Pick<RegistryClient, 'findManifest' | 'readBlob'>;

export interface RegistryClientOptions extends TransportOptions {
  /** Bytes of one upload request; undefined sends every blob in one. */
  readonly chunkBytes?: number;
}

const MAX_TAGS = 100_000;

/** A client for any number of registries; nothing is sent before the first call. */
export function createRegistryClient(options: RegistryClientOptions = {}): RegistryClient {
  const transport = createTransport(options);
  const pushed = new Set<string>();
  const pull = (repository: Repository, method: 'GET' | 'HEAD', path: string, doing: string): RegistryCall => ({
    registry: repository.registry,
    accesses: [{ name: repository.name, actions: pushed.has(formatRepository(repository)) ? 'pull,push' : 'pull' }],
    method,
    target: `${repository.name}/${path}`,
    doing: `${doing} of ${formatRepository(repository)} was read`,
  });
  const shared = {
    ...(options.log === undefined ? {} : { log: options.log }),
    ...(options.retry === undefined ? {} : { retry: options.retry }),
  };

  async function findManifest(repository: Repository, name: string): Promise<StoredManifest | undefined> {
    const call: RegistryCall = {
      ...pull(repository, 'GET', `manifests/${checkName(name)}`, `the manifest ${name}`),
      headers: { accept: MANIFEST_TYPES.join(', ') },
      maxBytes: MAX_MANIFEST_BYTES,
    };
    const answer = await transport.send(call);
    if (answer.status === 404) return undefined;
    if (answer.status !== 200) throw transport.refuse(call, answer);
    const digest = isDigest(name) ? name : (answer.headers['docker-content-digest'] ?? digestOf(answer.body));
    // sha512 digests are taken as told: the registry is the only one who hands them out.
    if (digest.startsWith('sha256:') && digestOf(answer.body) !== digest) {
      throw new Error(`${formatRepository(repository)} answered with bytes that are not ${digest}`);
    }
    const type = answer.headers['content-type']?.split(';')[0]?.trim();
    const mediaType = type !== undefined && MANIFEST_TYPES.includes(type) ? type : sniffMediaType(answer.body);
    return { mediaType: mediaType ?? type ?? '', digest, bytes: answer.body };
  }

  return {
    willPush: (repository) => pushed.add(formatRepository(repository)),
    findManifest,
    async findDigest(repository, name) {
      const call: RegistryCall = {
        ...pull(repository, 'HEAD', `manifests/${checkName(name)}`, `the manifest ${name}`),
        headers: { accept: MANIFEST_TYPES.join(', ') },
      };
      const answer = await transport.send(call);
      if (answer.status === 404) return undefined;
      if (answer.status !== 200) throw transport.refuse(call, answer);
      const digest = answer.headers['docker-content-digest'];
      return digest !== undefined && isDigest(digest) ? digest : (await findManifest(repository, name))?.digest;
    },
    async putManifest(repository, name, { mediaType, bytes, digest }) {
      if (isDigest(name) && name !== digest) throw new Error(`a manifest of ${digest} cannot be put as ${name}`);
      const call: RegistryCall = {
        registry: repository.registry,
        accesses: [{ name: repository.name, actions: 'pull,push' }],
        method: 'PUT',
        target: `${repository.name}/manifests/${checkName(name)}`,
        headers: { 'content-type': mediaType },
        body: bytes,
        doing: `${formatRepository(repository)}${isDigest(name) ? '@' : ':'}${name} was written`,
      };
      const answer = await transport.send(call);
      if (answer.status !== 201 && answer.status !== 200) throw transport.refuse(call, answer);
      const stored = answer.headers['docker-content-digest'];
      if (stored !== undefined && stored !== digest) {
        throw new Error(`${repository.registry} stored ${stored} where ${digest} was written`);
      }
    },
    async hasBlob(repository, digest) {
      const call = pull(repository, 'HEAD', `blobs/${checkName(digest)}`, `the blob ${digest}`);
      const answer = await transport.send(call);
      if (answer.status === 404) return false;
      if (answer.status !== 200) throw transport.refuse(call, answer);
      return true;
    },
    readBlob(repository, blob) {
      const call = pull(repository, 'GET', `blobs/${checkName(blob.digest)}`, `the blob ${blob.digest}`);
      return Readable.from(blobChunks({ transport, call, blob, ...shared }));
    },
    uploadBlob: (repository, source) =>
      uploadBlob({
        transport,
        repository,
        source,
        ...shared,
        ...(options.chunkBytes === undefined ? {} : { chunkBytes: options.chunkBytes }),
      }),
    async mountBlob(repository, from, digest) {
      if (repository.registry !== from.registry) return false;
      const query = new URLSearchParams({ mount: digest, from: from.name });
      const call: RegistryCall = {
        registry: repository.registry,
        accesses: [
          { name: repository.name, actions: 'pull,push' },
          { name: from.name, actions: 'pull' },
        ],
        method: 'POST',
        target: `${repository.name}/blobs/uploads/?${query}`,
        body: '',
        doing: `the blob ${digest} was mounted from ${formatRepository(from)} into ${formatRepository(repository)}`,
      };
      const answer = await transport.send(call);
      if (answer.status === 201) return true;
      // 202 opens an upload instead: the registry does not mount, or may not read the other repository.
      if (answer.status === 202 || answer.status === 404) return false;
      throw transport.refuse(call, answer);
    },
    async listTags(repository) {
      const tags: string[] = [];
      let target: string | URL = `${repository.name}/tags/list?n=1000`;
      while (tags.length < MAX_TAGS) {
        const call: RegistryCall = { ...pull(repository, 'GET', '', 'the list of tags'), target };
        const answer = await transport.send(call);
        if (answer.status === 404) return tags;
        if (answer.status !== 200) throw transport.refuse(call, answer);
        const page = readTags(answer.body, repository);
        tags.push(...page);
        const next = /<([^>]+)>\s*;\s*rel="?next"?/.exec(answer.headers['link'] ?? '')?.[1];
        const url: URL | null = next === undefined || page.length === 0 ? null : URL.parse(next, answer.url.href);
        if (url === null || url.origin !== answer.url.origin) return tags;
        target = url;
      }
      throw new Error(`${formatRepository(repository)} has more than ${MAX_TAGS} tags`);
    },
  };
}

/** Tags and digests become parts of a path: anything else stops here. */
function checkName(name: string): string {
  if (!isTag(name) && !isDigest(name)) throw new Error(`"${name.slice(0, 200)}" is no tag and no digest`);
  return name;
}

function readTags(body: Buffer, repository: Repository): readonly string[] {
  const document: unknown = JSON.parse(body.toString('utf8'));
  const tags: unknown =
    typeof document === 'object' && document !== null && 'tags' in document ? document.tags : undefined;
  if (tags === null || tags === undefined) return [];
  if (!Array.isArray(tags))
    throw new Error(`${formatRepository(repository)} answered with a list of tags that is none`);
  return tags.filter((tag): tag is string => typeof tag === 'string' && isTag(tag));
}
