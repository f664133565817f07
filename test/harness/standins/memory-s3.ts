import { createHash } from 'node:crypto';
import http from 'node:http';

/** An object as the server holds it. */
export interface HeldObject {
  readonly body: Buffer;
  readonly etag: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** What the server says instead of serving a request: a refusal, a cut connection, or (undefined) nothing. */
export type Fault = { readonly status: number; readonly code: string } | 'cut' | 'lose answer' | undefined;

export interface MemoryS3 extends AsyncDisposable {
  readonly endpoint: string;
  readonly objects: Map<string, HeldObject>;
  /** `PUT index.html`, `LIST`, …: every request in the order it was taken. */
  readonly requests: string[];
  /** The access keys that requests were signed with. */
  readonly accessKeys: Set<string>;
  /** Asked at each request, by its number from 1. */
  fault: (number: number, request: string) => Fault;
}

export interface MemoryS3Options {
  readonly pageSize?: number;
  /** `honoured` as S3; `ignored` as older servers; `refused` as Ceph's gateway 16, whose If-Match always fails. */
  readonly conditions?: 'honoured' | 'ignored' | 'refused';
}

/**
 * As much of S3 as a deploy speaks: conditional PUT, GET, paged ListObjectsV2, self-copy with REPLACE, DeleteObjects,
 * path style, one bucket. Signatures are not verified (the vectors of AWS are in signature.test.ts); the payload's hash is.
 */
export async function startMemoryS3(options: MemoryS3Options = {}): Promise<MemoryS3> {
  const objects = new Map<string, HeldObject>();
  const requests: string[] = [];
  const accessKeys = new Set<string>();
  const server: MemoryS3 = {
    endpoint: '',
    objects,
    requests,
    accessKeys,
    fault: () => undefined,
    async [Symbol.asyncDispose]() {
      listener.closeAllConnections();
      await new Promise((resolve) => listener.close(resolve));
    },
  };
  const listener = http.createServer(async (incoming, outgoing) => {
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(Buffer.from(chunk));
    const body = Buffer.concat(chunks);
    const url = new URL(incoming.url ?? '/', 'http://localhost');
    const key = decodeURIComponent(url.pathname.replace(/^\/bucket\/?/, ''));
    const name = nameOf(incoming, key);
    requests.push(name);
    accessKeys.add(/Credential=([^/]+)/.exec(incoming.headers.authorization ?? '')?.[1] ?? '');
    const fault = server.fault(requests.length, name);
    if (fault === 'cut') return incoming.socket.destroy();
    const answer =
      typeof fault === 'object' ? refuse(fault.status, fault.code) : serve(objects, options, incoming, url, key, body);
    if (fault === 'lose answer') return incoming.socket.destroy();
    outgoing.writeHead(answer.status, answer.headers);
    return outgoing.end(incoming.method === 'HEAD' ? undefined : answer.body);
  });
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
  const address = listener.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return Object.assign(server, { endpoint: `http://127.0.0.1:${address.port}` });
}

function nameOf({ method = '', headers }: http.IncomingMessage, key: string): string {
  if (headers['x-amz-copy-source'] !== undefined) return `COPY ${key}`;
  if (key !== '') return `${method} ${key}`;
  return method === 'GET' ? 'LIST' : 'DELETE';
}

interface Served {
  readonly status: number;
  readonly headers: Record<string, string>;
  readonly body: Buffer | string;
}

function serve(
  objects: Map<string, HeldObject>,
  options: MemoryS3Options,
  incoming: http.IncomingMessage,
  url: URL,
  key: string,
  body: Buffer,
): Served {
  const header = (name: string): string | undefined => incoming.headers[name]?.toString();
  if (header('authorization')?.startsWith('AWS4-HMAC-SHA256 ') !== true) return refuse(403, 'AccessDenied');
  if (createHash('sha256').update(body).digest('hex') !== header('x-amz-content-sha256')) {
    return refuse(400, 'XAmzContentSHA256Mismatch');
  }
  if (key === '' && incoming.method === 'GET') return list(objects, url, options.pageSize ?? 1000);
  if (key === '' && url.searchParams.has('delete')) {
    for (const [, name = ''] of body.toString().matchAll(/<Key>(.*?)<\/Key>/g)) objects.delete(name);
    return { status: 200, headers: {}, body: '<DeleteResult></DeleteResult>' };
  }
  const found = objects.get(key);
  if (incoming.method === 'GET' || incoming.method === 'HEAD') return read(found, header('range'));
  if (incoming.method === 'DELETE') {
    objects.delete(key);
    return { status: 204, headers: {}, body: '' };
  }
  return write(objects, options, header, key, body);
}

function read(found: HeldObject | undefined, range: string | undefined): Served {
  if (found === undefined) return refuse(404, 'NoSuchKey');
  const headers = { ...found.headers, etag: found.etag };
  const [, first, last] = /^bytes=(\d+)-(\d+)$/.exec(range ?? '') ?? [];
  if (first === undefined) return { status: 200, headers, body: found.body };
  return { status: 206, headers, body: found.body.subarray(Number(first), Number(last) + 1) };
}

function write(
  objects: Map<string, HeldObject>,
  options: MemoryS3Options,
  header: (name: string) => string | undefined,
  key: string,
  body: Buffer,
): Served {
  const found = objects.get(key);
  const match = header('if-match');
  const isRefused =
    (header('if-none-match') === '*' && found !== undefined) ||
    (match !== undefined && (options.conditions === 'refused' || match !== found?.etag));
  if (options.conditions !== 'ignored' && isRefused) return refuse(412, 'PreconditionFailed');
  const kept = ['content-type', 'content-encoding', 'cache-control'].map((name) => [name, header(name) ?? ''] as const);
  const headers = Object.fromEntries(kept.filter(([, value]) => value !== ''));
  const copied = header('x-amz-copy-source');
  if (copied !== undefined) {
    const source = objects.get(decodeURIComponent(copied).replace(/^\/bucket\//, ''));
    if (source === undefined) return refuse(404, 'NoSuchKey');
    if (header('x-amz-copy-source-if-match') !== source.etag) return refuse(412, 'PreconditionFailed');
    objects.set(key, { body: source.body, etag: source.etag, headers });
    return { status: 200, headers: {}, body: `<CopyObjectResult><ETag>${source.etag}</ETag></CopyObjectResult>` };
  }
  const etag = `"${createHash('md5').update(body).digest('hex')}"`;
  objects.set(key, { body, etag, headers });
  return { status: 200, headers: { etag }, body: '' };
}

function list(objects: Map<string, HeldObject>, url: URL, pageSize: number): Served {
  const after = url.searchParams.get('continuation-token') ?? '';
  const keys = [...objects.keys()]
    .filter((key) => key.startsWith(url.searchParams.get('prefix') ?? '') && key > after)
    .sort();
  const page = keys.slice(0, pageSize);
  const entries = page.map((key) => {
    const { etag, body } = objects.get(key) ?? { etag: '', body: '' };
    return `<Contents><Key>${encodeURIComponent(key).replaceAll('%20', '+')}</Key><ETag>${etag.replaceAll('"', '&quot;')}</ETag><Size>${body.length}</Size></Contents>`;
  });
  const isTruncated = keys.length > page.length;
  const next = isTruncated ? `<NextContinuationToken>${page.at(-1)}</NextContinuationToken>` : '';
  return {
    status: 200,
    headers: {},
    body: `<?xml version="1.0"?><ListBucketResult><EncodingType>url</EncodingType><IsTruncated>${isTruncated}</IsTruncated>${next}${entries.join('')}</ListBucketResult>`,
  };
}

function refuse(status: number, code: string): Served {
  return {
    status,
    headers: {},
    body: `<?xml version="1.0"?><Error><Code>${code}</Code><Message>refused</Message></Error>`,
  };
}
