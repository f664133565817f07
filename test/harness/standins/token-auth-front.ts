import { randomUUID } from 'node:crypto';
import { forwardRequest } from './forward-request.ts';
import { type Answer, jsonAnswer, listen, type ReceivedRequest, type Standin } from './listening-server.ts';

export interface FrontUser {
  readonly password: string;
  /** `packages: write`. */
  readonly canPush: boolean;
}

export interface TokenAuthFrontOptions {
  /** A registry that asks for nothing: scheme `http:`, host and port. */
  readonly upstream: string;
  readonly users: Readonly<Record<string, FrontUser>>;
  /** Repositories that everybody may read; all others are private. */
  readonly publicNames?: readonly string[];
  /** Seconds that tokens live; 300. */
  readonly tokenLife?: number;
}

/** A registry as GHCR is where that differs from a plain one: tokens with scopes, lower-case names, reads that lag. */
export interface TokenAuthFront extends Standin {
  readonly host: string;
  /** Scopes of the tokens that were given out, one text a token request. */
  readonly tokenRequests: readonly string[];
  /** So many reads of a tag still answer what it named before it was last written. */
  staleReads(count: number): void;
}

interface Scope {
  readonly name: string;
  readonly actions: readonly string[];
}

interface LaggingTag {
  readonly previous: string | undefined;
  reads: number;
}

/** GHCR's own words, as its answers have them. */
const DENIED = { code: 'DENIED', message: 'permission_denied: write_package' };

export async function startTokenAuthFront(options: TokenAuthFrontOptions): Promise<TokenAuthFront> {
  const upstream = new URL(options.upstream);
  const tokens = new Map<string, { readonly scopes: readonly Scope[]; readonly expires: number }>();
  const tokenRequests: string[] = [];
  const lagging = new Map<string, LaggingTag>();
  let stale = 0;

  function giveToken({ headers, url }: ReceivedRequest): Answer {
    const encoded = /^Basic (.+)$/.exec(headers.authorization ?? '')?.[1];
    const [name = '', password] = Buffer.from(encoded ?? '', 'base64')
      .toString()
      .split(':');
    const user = Object.hasOwn(options.users, name) ? options.users[name] : undefined;
    if (encoded !== undefined && user?.password !== password) return refuse(403, DENIED);
    const asked = url.searchParams.getAll('scope');
    tokenRequests.push(asked.join(' '));
    const scopes = asked.map(parseScope);
    const mayPush = user?.canPush === true;
    if (scopes.some(({ actions }) => actions.includes('push')) && !mayPush) return refuse(403, DENIED);
    // Who is not logged in gets a token too, which is good for public packages.
    const granted = scopes.filter((scope) => user !== undefined || options.publicNames?.includes(scope.name) === true);
    const token = randomUUID();
    tokens.set(token, { scopes: granted, expires: Date.now() + (options.tokenLife ?? 300) * 1000 });
    return jsonAnswer({ token, expires_in: options.tokenLife ?? 300 });
  }

  function isAllowed({ headers }: ReceivedRequest, name: string, action: string): boolean {
    const token = tokens.get(/^Bearer (.+)$/.exec(headers.authorization ?? '')?.[1] ?? '');
    if (token === undefined || token.expires < Date.now()) return false;
    return token.scopes.some((scope) => scope.name === name && scope.actions.includes(action));
  }

  function challenge(name: string, actions: string): Answer {
    const value = `Bearer realm="${server.url}/token",service="${host}",scope="repository:${name}:${actions}"`;
    const body = refuse(401, { code: 'UNAUTHORIZED', message: 'authentication required' });
    return { ...body, headers: { 'content-type': 'application/json', 'www-authenticate': value } };
  }

  async function answer(request: ReceivedRequest): Promise<Answer> {
    if (request.url.pathname === '/token') return giveToken(request);
    const [, name, kind, rest = ''] = /^\/v2\/(.+?)\/(manifests|tags|blobs)\/(.*)$/.exec(request.url.pathname) ?? [];
    if (name === undefined) return challenge('user/image', 'pull');
    if (name !== name.toLowerCase()) return refuse(404, { code: 'NAME_INVALID', message: 'invalid repository name' });
    const refusal = refusalOf(request, name, rest.startsWith('uploads/'));
    if (refusal !== undefined) return refusal;
    if (kind === 'manifests' && !rest.startsWith('sha256:')) return answerTag(request, name, rest);
    return forwardRequest(request, upstream, true);
  }

  function refusalOf(request: ReceivedRequest, name: string, isUpload: boolean): Answer | undefined {
    const isRead = (request.method === 'GET' || request.method === 'HEAD') && !isUpload;
    if (!isAllowed(request, name, isRead ? 'pull' : 'push')) return challenge(name, isRead ? 'pull' : 'pull,push');
    const from = request.url.searchParams.get('from');
    return from === null || isAllowed(request, from, 'pull') ? undefined : challenge(name, 'pull,push');
  }

  async function answerTag(request: ReceivedRequest, name: string, tag: string): Promise<Answer> {
    const key = `${name}:${tag}`;
    if (request.method === 'PUT') {
      const now = await fetch(new URL(`/v2/${name}/manifests/${tag}`, upstream), { method: 'HEAD', headers: ACCEPT });
      const previous = now.headers.get('docker-content-digest') ?? undefined;
      const written = await forwardRequest(request, upstream, true);
      lagging.set(key, { previous, reads: stale });
      return written;
    }
    const lag = lagging.get(key);
    if (lag === undefined || lag.reads <= 0) return forwardRequest(request, upstream, true);
    lag.reads -= 1;
    if (lag.previous === undefined) return refuse(404, { code: 'MANIFEST_UNKNOWN', message: 'manifest unknown' });
    const old = await fetch(new URL(`/v2/${name}/manifests/${lag.previous}`, upstream), { headers: ACCEPT });
    const headers = {
      'content-type': old.headers.get('content-type') ?? '',
      'docker-content-digest': lag.previous,
    };
    return { status: 200, headers, body: Buffer.from(await old.arrayBuffer()) };
  }

  const server = await listen(answer);
  const { host } = new URL(server.url);
  return {
    ...server,
    host,
    tokenRequests,
    staleReads: (count) => {
      stale = count;
    },
  };
}

const ACCEPT = {
  accept: [
    'application/vnd.oci.image.index.v1+json',
    'application/vnd.oci.image.manifest.v1+json',
    'application/vnd.docker.distribution.manifest.list.v2+json',
    'application/vnd.docker.distribution.manifest.v2+json',
  ].join(', '),
};

function parseScope(text: string): Scope {
  const [, name = '', actions = ''] = text.split(':');
  return { name, actions: actions.split(',') };
}

function refuse(status: number, error: { readonly code: string; readonly message: string }): Answer {
  return jsonAnswer({ errors: [error] }, status);
}
