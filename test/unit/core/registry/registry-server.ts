import { randomUUID } from 'node:crypto';
import { digestOf } from '../../../../src/core/registry/manifest.ts';
import { type Answer, listen, type ReceivedRequest, type Standin } from '../../../harness/standins/listening-server.ts';

/** What is in the registry, by repository name. */
export interface StoredRepository {
  readonly blobs: Map<string, Buffer>;
  readonly manifests: Map<string, { readonly mediaType: string; readonly bytes: Buffer }>;
  readonly tags: Map<string, string>;
}

export interface RegistryServer extends Standin {
  /** Host and port. */
  readonly host: string;
  repository(name: string): StoredRepository;
  /** Scopes of the tokens that were given out, one text a token request. */
  readonly tokenRequests: string[];
  /** For so many reads each tag still answers what it named before it was last written. */
  staleReads: number;
  /** Called with `repository:tag` and the digest as each tag is written. */
  onTag: (name: string, digest: string) => void;
}

export interface RegistryServerOptions {
  /** With users, every request needs a token whose scopes cover it; `readers` may only pull. */
  readonly users?: Readonly<Record<string, { readonly password: string; readonly canPush: boolean }>>;
  readonly scheme?: 'bearer' | 'basic';
  /** Seconds that tokens live. */
  readonly tokenLife?: number;
}

interface Upload {
  readonly name: string;
  readonly parts: Buffer[];
}

/** A registry in memory that behaves as GHCR does where that differs from a plain one: tokens, lower case, stale reads. */
export async function startRegistry(options: RegistryServerOptions = {}): Promise<RegistryServer> {
  const repositories = new Map<string, StoredRepository>();
  const uploads = new Map<string, Upload>();
  const tokens = new Map<string, { readonly scopes: readonly string[]; readonly expires: number }>();
  const tokenRequests: string[] = [];
  const previous = new Map<string, { readonly digest: string | undefined; reads: number }>();

  const repository = (name: string): StoredRepository => {
    const known = repositories.get(name) ?? { blobs: new Map(), manifests: new Map(), tags: new Map() };
    repositories.set(name, known);
    return known;
  };

  function giveToken(request: ReceivedRequest): Answer {
    const user = userOf(request);
    if (request.headers.authorization !== undefined && user === undefined)
      return error(401, 'UNAUTHORIZED', 'bad credentials');
    const asked = request.url.searchParams.getAll('scope');
    tokenRequests.push(asked.join(' '));
    const isDenied = asked.some((scope) => scope.endsWith('push')) && user?.canPush !== true;
    if (isDenied) return error(403, 'DENIED', 'permission_denied: write_package');
    const token = randomUUID();
    const life = options.tokenLife ?? 300;
    tokens.set(token, { scopes: asked, expires: Date.now() + life * 1000 });
    return answerJson(200, { token, expires_in: life });
  }

  function userOf({ headers }: ReceivedRequest) {
    const encoded = /^Basic (.+)$/.exec(headers.authorization ?? '')?.[1] ?? '';
    const [name = '', password] = Buffer.from(encoded, 'base64').toString().split(':');
    const user = options.users?.[name];
    return user?.password === password ? user : undefined;
  }

  function isAllowed(request: ReceivedRequest, name: string, action: 'pull' | 'push'): boolean {
    if (options.users === undefined) return true;
    if (options.scheme === 'basic') {
      const user = userOf(request);
      return user !== undefined && (action === 'pull' || user.canPush);
    }
    const value = /^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1] ?? '';
    const token = tokens.get(value);
    if (token === undefined || token.expires < Date.now()) return false;
    return token.scopes.some((scope) => {
      const [, scoped, actions = ''] = scope.split(':');
      return scoped === name && actions.split(',').includes(action);
    });
  }

  function challenge(name: string, action: string): Answer {
    const value =
      options.scheme === 'basic'
        ? 'Basic realm="registry"'
        : `Bearer realm="${server.url}/token",service="registry.test",scope="repository:${name}:${action}"`;
    return { ...error(401, 'UNAUTHORIZED', 'authentication required'), headers: { 'www-authenticate': value } };
  }

  async function handle(request: ReceivedRequest): Promise<Answer> {
    const { method, url } = request;
    if (url.pathname === '/token') return giveToken(request);
    const match = /^\/v2\/(.+)\/(manifests|tags|blobs\/uploads|blobs)\/(.*)$/.exec(url.pathname);
    const [, name = '', kind = '', rest = ''] = match ?? [];
    if (name === '' || name !== name.toLowerCase()) return error(404, 'NAME_INVALID', 'invalid repository name');
    const isRead = (method === 'GET' || method === 'HEAD') && kind !== 'blobs/uploads';
    if (!isAllowed(request, name, isRead ? 'pull' : 'push')) return challenge(name, isRead ? 'pull' : 'pull,push');
    return answer(request, name, kind, rest);
  }

  function answer(request: ReceivedRequest, name: string, kind: string, rest: string): Answer | Promise<Answer> {
    const { method, url } = request;
    switch (kind) {
      case 'manifests':
        return method === 'PUT' ? putManifest(request, name, rest) : getManifest(request, name, rest);
      case 'tags':
        return listTags(url, name);
      case 'blobs/uploads':
        return method === 'POST' ? openUpload(request, name) : continueUpload(request, name, rest);
      default:
        return getBlob(request, name, rest);
    }
  }

  async function putManifest(request: ReceivedRequest, name: string, target: string): Promise<Answer> {
    const bytes = await request.body();
    const digest = digestOf(bytes);
    const { manifests, blobs, tags } = repository(name);
    const document = JSON.parse(bytes.toString()) as {
      manifests?: { digest: string }[];
      config?: { digest: string };
      layers?: { digest: string }[];
    };
    const lacking = [
      ...(document.manifests ?? []).filter((child) => !manifests.has(child.digest)),
      ...[document.config, ...(document.layers ?? [])].filter((blob) => blob !== undefined && !blobs.has(blob.digest)),
    ];
    if (lacking.length > 0) return error(400, 'MANIFEST_BLOB_UNKNOWN', `unknown ${lacking[0]?.digest}`);
    manifests.set(digest, { mediaType: request.headers['content-type'] ?? '', bytes });
    if (!target.startsWith('sha256:')) {
      previous.set(`${name}:${target}`, { digest: tags.get(target), reads: server.staleReads });
      tags.set(target, digest);
      server.onTag(`${name}:${target}`, digest);
    }
    return { status: 201, headers: { 'docker-content-digest': digest } };
  }

  function getManifest({ method }: ReceivedRequest, name: string, target: string): Answer {
    const { manifests, tags } = repository(name);
    const stale = previous.get(`${name}:${target}`);
    const isStale = stale !== undefined && stale.reads > 0;
    if (isStale) stale.reads -= 1;
    const digest = target.startsWith('sha256:') ? target : isStale ? stale.digest : tags.get(target);
    const found = digest === undefined ? undefined : manifests.get(digest);
    if (found === undefined || digest === undefined) return error(404, 'MANIFEST_UNKNOWN', 'manifest unknown');
    const headers = { 'docker-content-digest': digest, 'content-type': found.mediaType };
    return { status: 200, headers, body: method === 'HEAD' ? '' : found.bytes };
  }

  function listTags(url: URL, name: string): Answer {
    const tags = [...repository(name).tags.keys()].sort();
    const size = Number(url.searchParams.get('n') ?? 100);
    const last = url.searchParams.get('last') ?? '';
    const rest = tags.filter((tag) => tag > last);
    const page = rest.slice(0, Math.min(size, 3));
    const link = `</v2/${name}/tags/list?n=${size}&last=${page.at(-1)}>; rel="next"`;
    return { ...answerJson(200, { name, tags: page }), headers: rest.length > page.length ? { link } : {} };
  }

  function openUpload(request: ReceivedRequest, name: string): Answer {
    const mount = request.url.searchParams.get('mount');
    const from = request.url.searchParams.get('from') ?? '';
    const found = mount === null ? undefined : repository(from).blobs.get(mount);
    if (mount !== null && found !== undefined && isAllowed(request, from, 'pull')) {
      repository(name).blobs.set(mount, found);
      return { status: 201, headers: { 'docker-content-digest': mount } };
    }
    const session = randomUUID();
    uploads.set(session, { name, parts: [] });
    return { status: 202, headers: { location: `/v2/${name}/blobs/uploads/${session}?state=1` } };
  }

  async function continueUpload(request: ReceivedRequest, name: string, id: string): Promise<Answer> {
    const session = uploads.get(id);
    if (session === undefined) return error(404, 'BLOB_UPLOAD_UNKNOWN', 'unknown upload');
    const known = (): number => session.parts.reduce((sum, part) => sum + part.length, 0);
    const headers = { location: `/v2/${name}/blobs/uploads/${id}?state=2`, range: `0-${Math.max(0, known() - 1)}` };
    if (request.method === 'GET') return { status: 204, headers };
    const range = /^(\d+)-(\d+)$/.exec(request.headers['content-range'] ?? '');
    if (range !== null && Number(range[1]) !== known()) return error(416, 'BLOB_UPLOAD_INVALID', 'out of order');
    // What arrived before a connection broke is kept, as distribution does.
    try {
      for await (const chunk of request.message) session.parts.push(Buffer.from(chunk));
    } catch {
      return error(499, 'UNKNOWN', 'client went away');
    }
    if (request.method === 'PATCH') return { status: 202, headers: { ...headers, range: `0-${known() - 1}` } };
    const bytes = Buffer.concat(session.parts);
    const digest = request.url.searchParams.get('digest') ?? '';
    uploads.delete(id);
    if (digestOf(bytes) !== digest)
      return error(400, 'DIGEST_INVALID', 'provided digest did not match uploaded content');
    repository(name).blobs.set(digest, bytes);
    return { status: 201, headers: { 'docker-content-digest': digest } };
  }

  function getBlob(request: ReceivedRequest, name: string, digest: string): Answer {
    const bytes = repository(name).blobs.get(digest);
    if (bytes === undefined) return error(404, 'BLOB_UNKNOWN', 'blob unknown');
    if (request.method === 'HEAD') return { status: 200, headers: { 'content-length': String(bytes.length) } };
    const start = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0);
    return { status: start === 0 ? 200 : 206, body: bytes.subarray(start) };
  }

  const standin = await listen(handle);
  const server: RegistryServer = {
    ...standin,
    host: new URL(standin.url).host,
    repository,
    tokenRequests,
    staleReads: 0,
    onTag: () => undefined,
  };
  return server;
}

function error(status: number, code: string, message: string): Answer {
  return answerJson(status, { errors: [{ code, message }] });
}

function answerJson(status: number, body: object): Answer {
  return { status, body: JSON.stringify(body) };
}
