import { createHash, randomUUID } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Answer, ReceivedRequest } from './listening-server.ts';
import { refuseBlobUrl } from './signed-blob-url.ts';

/** Azure Blob Storage's block blobs, as far as upload and download URLs of the results service go; bytes are kept in a folder. */
export interface BlockBlobs {
  /** Every answer carries the headers without which BuildKit's Azure client dereferences nil. */
  answer(request: ReceivedRequest): Promise<Answer>;
  /** Size in bytes of a blob that was uploaded whole. */
  size(path: string): number | undefined;
  remove(path: string): Promise<void>;
}

interface Blob {
  readonly file: string;
  readonly size: number;
  readonly etag: string;
  readonly modified: Date;
  readonly type: string;
}

export function createBlockBlobs(options: { folder: string; key: Uint8Array; maxBytes: number }): BlockBlobs {
  const blobs = new Map<string, Blob>();
  const blocks = new Map<string, Map<string, string>>();

  async function store(request: ReceivedRequest): Promise<{ file: string; size: number; hasRightMd5: boolean }> {
    const file = join(options.folder, randomUUID());
    const md5 = createHash('md5');
    let size = 0;
    const count = new Transform({
      transform(chunk: Buffer, _encoding, done) {
        size += chunk.length;
        md5.update(chunk);
        done(null, chunk);
      },
    });
    await mkdir(options.folder, { recursive: true });
    await pipeline(request.message, count, createWriteStream(file));
    const given = request.headers['content-md5'];
    return { file, size, hasRightMd5: given === undefined || given === md5.digest('base64') };
  }

  function commit(path: string, file: string, size: number, request: ReceivedRequest): Answer {
    const type = request.headers['x-ms-blob-content-type'];
    blobs.set(path, {
      file,
      size,
      etag: `"0x${randomUUID().replaceAll('-', '').slice(0, 15).toUpperCase()}"`,
      modified: new Date(),
      type: typeof type === 'string' ? type : 'application/octet-stream',
    });
    blocks.delete(path);
    return { status: 201, headers: blobHeaders(request, blobs.get(path)) };
  }

  async function put(request: ReceivedRequest): Promise<Answer> {
    const { pathname: path, searchParams: query } = request.url;
    const operation = query.get('comp');
    if (operation === 'blocklist') return putBlockList(request, path);
    if (Number(request.headers['content-length'] ?? 0) > options.maxBytes)
      return refuse(request, 413, 'RequestBodyTooLarge');
    if (operation !== null && operation !== 'block') return refuse(request, 400, 'InvalidQueryParameterValue');
    if (operation === null && request.headers['x-ms-blob-type'] !== 'BlockBlob') {
      return refuse(request, 400, 'MissingRequiredHeader');
    }
    const { file, size, hasRightMd5 } = await store(request);
    if (!hasRightMd5) return refuse(request, 400, 'Md5Mismatch');
    if (operation === null) return commit(path, file, size, request);
    const id = query.get('blockid');
    if (id === null || id === '') return refuse(request, 400, 'InvalidQueryParameterValue');
    const staged = blocks.get(path) ?? new Map<string, string>();
    blocks.set(path, staged.set(id, file));
    return { status: 201, headers: blobHeaders(request) };
  }

  async function putBlockList(request: ReceivedRequest, path: string): Promise<Answer> {
    const list = (await request.body()).toString();
    const ids = [...list.matchAll(/<(?:Latest|Uncommitted)>([^<]+)<\//g)].map((match) => match[1] ?? '');
    const staged = blocks.get(path) ?? new Map<string, string>();
    const files = ids.map((id) => staged.get(id));
    if (files.some((file) => file === undefined)) return refuse(request, 400, 'InvalidBlockList');
    const whole = join(options.folder, randomUUID());
    const partial = `${whole}.partial`;
    await pipeline(concatenate(files), createWriteStream(partial));
    await rename(partial, whole);
    const { size } = await stat(whole);
    if (size > options.maxBytes) return refuse(request, 413, 'RequestBodyTooLarge');
    return commit(path, whole, size, request);
  }

  function get(request: ReceivedRequest): Answer {
    const blob = blobs.get(request.url.pathname);
    if (blob === undefined) return refuse(request, 404, 'BlobNotFound');
    const condition = request.headers['if-match'];
    if (condition !== undefined && condition !== '*' && condition !== blob.etag) {
      return refuse(request, 412, 'ConditionNotMet');
    }
    const headers = blobHeaders(request, blob);
    const range = /^bytes=(\d+)-(\d*)$/.exec(String(request.headers['x-ms-range'] ?? request.headers.range ?? ''));
    const start = Number(range?.[1] ?? 0);
    const end = Math.min(range?.[2] ? Number(range[2]) : blob.size - 1, blob.size - 1);
    if (range !== null && (start >= blob.size || start > end)) return refuse(request, 416, 'InvalidRange');
    headers['content-length'] = String(end - start + 1);
    if (range !== null) headers['content-range'] = `bytes ${start}-${end}/${blob.size}`;
    const isEmpty = blob.size === 0 || request.method === 'HEAD';
    return {
      status: range === null ? 200 : 206,
      headers,
      body: isEmpty ? '' : createReadStream(blob.file, { start, end }),
    };
  }

  return {
    answer: async (request) => {
      const isWrite = request.method === 'PUT';
      if (!isWrite && request.method !== 'GET' && request.method !== 'HEAD')
        return refuse(request, 405, 'UnsupportedHttpVerb');
      const refusal = refuseBlobUrl(options.key, request.url, isWrite ? 'w' : 'r');
      if (refusal !== undefined) return refuse(request, 403, refusal);
      return isWrite ? put(request) : get(request);
    },
    size: (path) => blobs.get(path)?.size,
    remove: async (path) => {
      const blob = blobs.get(path);
      blobs.delete(path);
      blocks.delete(path);
      if (blob !== undefined) await rm(blob.file, { force: true });
    },
  };
}

async function* concatenate(files: readonly (string | undefined)[]): AsyncGenerator<Buffer> {
  for (const file of files) {
    if (file !== undefined) yield* createReadStream(file);
  }
}

function blobHeaders(request: ReceivedRequest, blob?: Blob): Record<string, string> {
  const disposition = request.url.searchParams.get('rscd');
  return {
    'x-ms-request-id': randomUUID(),
    'x-ms-version': '2025-05-05',
    'x-ms-request-server-encrypted': 'true',
    ...(typeof request.headers['x-ms-client-request-id'] === 'string' && {
      'x-ms-client-request-id': request.headers['x-ms-client-request-id'],
    }),
    date: new Date().toUTCString(),
    etag: blob?.etag ?? '"0x0"',
    'last-modified': (blob?.modified ?? new Date()).toUTCString(),
    ...(blob !== undefined &&
      request.method !== 'PUT' && {
        'content-type': blob.type,
        'accept-ranges': 'bytes',
        'x-ms-blob-type': 'BlockBlob',
        ...(disposition !== null && { 'content-disposition': disposition }),
      }),
  };
}

function refuse(request: ReceivedRequest, status: number, code: string): Answer {
  return {
    status,
    headers: { ...blobHeaders(request), 'content-type': 'application/xml', 'x-ms-error-code': code },
    body: `<?xml version="1.0" encoding="utf-8"?><Error><Code>${code}</Code><Message>${code}</Message></Error>`,
  };
}
