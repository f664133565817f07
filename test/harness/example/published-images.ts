import { gunzipSync } from 'node:zlib';
import { request } from '../../../src/core/net/request.ts';

const MANIFESTS = [
  'application/vnd.oci.image.index.v1+json',
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
  'application/vnd.docker.distribution.manifest.v2+json',
].join(', ');

/** Above those of the base images that stand in for the hub's. */
const MAX_LAYER_BYTES = 100_000_000;

interface Manifest {
  readonly manifests?: readonly {
    readonly digest: string;
    readonly platform?: { readonly os: string; readonly architecture: string };
  }[];
  readonly config?: { readonly digest: string };
  readonly layers?: readonly { readonly digest: string; readonly size: number }[];
}

/** What an image says of itself, and what a registry keeps of it. */
export interface PublishedImage {
  readonly digest: string;
  /** `os/architecture` of every entry of its index, attestations' `unknown/unknown` too. */
  readonly platforms: readonly string[];
  readonly config: {
    readonly User?: string;
    readonly Env?: readonly string[];
    readonly Labels?: Readonly<Record<string, string>>;
    readonly Cmd?: readonly string[];
    readonly Entrypoint?: readonly string[];
    readonly Healthcheck?: { readonly Test: readonly string[] };
  };
  /** The instructions it is made by, with the arguments they were given. */
  readonly history: readonly string[];
  /** Bytes of its compressed layers. */
  readonly size: number;
}

/** What stands in a registry below one name. */
export interface PublishedImages {
  /** Digests by repository and tag, of every repository whose name begins with the prefix. */
  all(): Promise<Readonly<Record<string, Readonly<Record<string, string>>>>>;
  /** Throws when the tag is not there. */
  image(repository: string, tag: string): Promise<PublishedImage>;
  /** The unpacked archives of an image's layers, from the base up: what anybody who pulls it can read. */
  layers(repository: string, tag: string): Promise<readonly Buffer[]>;
}

/** The tags that people pull by: all but `inputs-…`, by which a later run finds what was built of the same inputs. */
export function pulledTags(tags: Readonly<Record<string, string>> = {}): readonly string[] {
  return Object.keys(tags).filter((tag) => !tag.startsWith('inputs-'));
}

export function readPublishedImages(host: string, prefix: string): PublishedImages {
  const get = async (path: string): Promise<{ digest: string; body: unknown }> => {
    const answer = await request({ url: `http://${host}/v2/${path}`, headers: { accept: MANIFESTS } });
    if (answer.status !== 200) throw new Error(`${path}: the registry answers ${answer.status}`);
    return { digest: answer.headers['docker-content-digest'] ?? '', body: JSON.parse(answer.body.toString()) };
  };
  const manifestOf = async (
    repository: string,
    tag: string,
  ): Promise<{ digest: string; top: Manifest; manifest: Manifest }> => {
    const { digest, body } = await get(`${repository}/manifests/${tag}`);
    const top = body as Manifest;
    const first = top.manifests?.find(({ platform }) => platform?.os !== 'unknown');
    if (first === undefined) return { digest, top, manifest: top };
    return { digest, top, manifest: (await get(`${repository}/manifests/${first.digest}`)).body as Manifest };
  };
  const tagsOf = async (repository: string): Promise<Readonly<Record<string, string>>> => {
    const answer = await request({ url: `http://${host}/v2/${repository}/tags/list` });
    const { tags }: { tags?: string[] } = answer.status === 200 ? JSON.parse(answer.body.toString()) : {};
    const entries = (tags ?? [])
      .toSorted()
      .map(async (tag): Promise<[string, string]> => [tag, (await get(`${repository}/manifests/${tag}`)).digest]);
    return Object.fromEntries(await Promise.all(entries));
  };
  return {
    async all() {
      const { repositories } = (await get('_catalog?n=1000')).body as { repositories: string[] };
      const own = repositories.filter((name) => name.startsWith(prefix)).toSorted();
      const named = await Promise.all(own.map(async (name) => [name, await tagsOf(name)] as const));
      return Object.fromEntries(named.filter(([, tags]) => Object.keys(tags).length > 0));
    },
    async layers(repository, tag) {
      const { manifest } = await manifestOf(repository, tag);
      const blobs = (manifest.layers ?? []).map(async ({ digest }) => {
        const url = `http://${host}/v2/${repository}/blobs/${digest}`;
        const { status, body } = await request({ url, maxBytes: MAX_LAYER_BYTES });
        if (status !== 200) throw new Error(`${repository}@${digest}: the registry answers ${status}`);
        return gunzipSync(body);
      });
      return Promise.all(blobs);
    },
    async image(repository, tag) {
      const { digest, top, manifest } = await manifestOf(repository, tag);
      const { config, history, os, architecture } = (await get(`${repository}/blobs/${manifest.config?.digest}`))
        .body as {
        config: PublishedImage['config'];
        history: readonly { created_by?: string }[];
        os: string;
        architecture: string;
      };
      return {
        digest,
        platforms: top.manifests?.map(({ platform }) => `${platform?.os}/${platform?.architecture}`) ?? [
          `${os}/${architecture}`,
        ],
        config,
        history: history.map(({ created_by }) => created_by ?? ''),
        size: (manifest.layers ?? []).reduce((sum, layer) => sum + layer.size, 0),
      };
    },
  };
}
