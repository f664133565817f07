import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import type { RequestBody } from '../net/request.ts';
import type { Log } from '../runner/log.ts';
import { type AdaptiveConcurrency, createAdaptiveConcurrency } from './adaptive-concurrency.ts';
import { AwsError } from './aws-error.ts';
import { checksumHeaders } from './checksum-headers.ts';
import type { CredentialSource } from './credentials.ts';
import { type DeleteError, type ListPage, readDeleteErrors, readListPage } from './s3-answers.ts';
import type { S3Location } from './s3-location.ts';
import { encodePath, sha256Hex } from './signature.ts';
import { type SignedAnswer, type SignedCall, type SignedSender, sendSigned } from './signed-request.ts';
import { escapeXml, parseXml, textAt } from './xml.ts';

export interface S3ClientOptions {
  readonly location: S3Location;
  readonly credentials: CredentialSource;
  readonly concurrency: AdaptiveConcurrency;
  readonly log?: Log;
  readonly signal?: AbortSignal;
  readonly timeout?: number;
}

/** Headers of an object as S3 keeps them, names in lower case; metadata as `x-amz-meta-*`. */
export type ObjectHeaders = Readonly<Record<string, string>>;

export interface PutBody {
  /** Asked for at each try. */
  readonly open: () => Promise<RequestBody>;
  /** SHA-256 in hexadecimal. The server refuses bytes that do not have it. */
  readonly sha256: string;
  /** CRC-32 of all bytes, which S3 keeps beside the object. */
  readonly crc32: number;
}

/** A write that takes place only when the object is (`ifMatch`: its ETag) or is not (`ifNoneMatch`) there. */
export interface Condition {
  readonly ifMatch?: string;
  readonly ifNoneMatch?: '*';
}

/** Bytes of an object, both ends included (RFC 9110, section 14.1.2). */
export interface ByteRange {
  readonly first: number;
  readonly last: number;
}

export interface CopySource {
  readonly key: string;
  /** With its quotes. */
  readonly etag: string;
}

export interface WrittenObject {
  /** With its quotes, as If-Match wants it. */
  readonly etag: string;
  /** True when an earlier try may have written the object already. */
  readonly isRetried: boolean;
}

/** The operations of S3 that a deploy needs. Each throws AwsError for a refusal. */
export interface S3Client {
  readonly location: S3Location;
  put(key: string, body: PutBody, headers: ObjectHeaders, condition?: Condition): Promise<WrittenObject>;
  /** Undefined when there is no such object. */
  get(
    key: string,
    options: { readonly maxBytes: number; readonly range?: ByteRange },
  ): Promise<{ readonly etag: string; readonly body: Buffer } | undefined>;
  /** Undefined when there is no such object. */
  head(key: string): Promise<ObjectHeaders | undefined>;
  /** One page of ListObjectsV2: at most 1,000 keys in the order of their UTF-8 bytes. */
  listPage(prefix: string, continuation?: string): Promise<ListPage>;
  /**
   * Copies an object of the bucket on the server, with these headers and no others, only while it still has `etag`.
   * A copy onto itself gives it new headers without sending its bytes.
   */
  copy(from: CopySource, key: string, headers: ObjectHeaders): Promise<WrittenObject>;
  delete(key: string): Promise<void>;
  /** Deletes at most 1,000 objects; returns those the server refused to delete. */
  deleteObjects(keys: readonly string[]): Promise<readonly DeleteError[]>;
  /** The same client, which begins nothing once the signal is aborted; what is under way ends by itself. */
  until(signal: AbortSignal): S3Client;
  /** The same bucket without a signal and with a place of its own, for what must not wait behind a queue of uploads. */
  beside(): S3Client;
  /** Any other operation, such as those of multipart uploads. `key` is undefined for the bucket itself. */
  send(key: string | undefined, call: Omit<SignedCall, 'path'>): Promise<SignedAnswer>;
}

/** ListObjectsV2 answers of 1,000 keys of 1,024 encoded characters stay below this. */
const MAX_LISTING = 16 * 1024 * 1024;

export function createS3Client(options: S3ClientOptions): S3Client {
  const { location } = options;
  const sender: SignedSender = {
    ...options,
    endpoint: location.endpoint,
    scope: { service: 's3', region: location.region },
  };
  const send = (key: string | undefined, call: Omit<SignedCall, 'path'>): Promise<SignedAnswer> =>
    sendSigned(sender, { ...call, path: `${location.bucketPath}/${reachable(key ?? '')}` });

  return {
    location,
    send,
    until: (signal) => createS3Client({ ...options, signal }),
    beside() {
      const { signal: _, ...others } = options;
      return createS3Client({ ...others, concurrency: createAdaptiveConcurrency({ initial: 1, max: 1 }) });
    },

    async put(key, body, headers, condition = {}) {
      const answer = await send(key, {
        method: 'PUT',
        headers: { ...headers, ...conditionHeaders(condition), ...checksumHeaders(body.crc32) },
        body: body.open,
        payloadHash: body.sha256,
        describe: `PUT ${key}`,
      });
      return { etag: answer.headers['etag'] ?? '', isRetried: answer.isRetried };
    },

    async get(key, { maxBytes, range }) {
      const headers = range === undefined ? {} : { range: `bytes=${range.first}-${range.last}` };
      const answer = await absentAs404(send(key, { method: 'GET', headers, maxBytes, describe: `GET ${key}` }));
      return answer === undefined ? undefined : { etag: answer.headers['etag'] ?? '', body: answer.body };
    },

    async head(key) {
      const answer = await absentAs404(send(key, { method: 'HEAD', describe: `HEAD ${key}` }));
      return answer?.headers;
    },

    async listPage(prefix, continuation) {
      const answer = await send(undefined, {
        method: 'GET',
        query: [
          ['list-type', '2'],
          ['encoding-type', 'url'],
          ['prefix', prefix],
          ...(continuation === undefined ? [] : [['continuation-token', continuation] as const]),
        ],
        maxBytes: MAX_LISTING,
        describe: `LIST ${prefix}*`,
      });
      return readListPage(answer.body.toString('utf8'));
    },

    async copy(from, key, headers) {
      const answer = await send(key, {
        method: 'PUT',
        headers: {
          ...headers,
          'x-amz-copy-source': encodePath(`/${location.bucket}/${from.key}`),
          'x-amz-copy-source-if-match': from.etag,
          'x-amz-metadata-directive': 'REPLACE',
        },
        describe: `COPY ${key}`,
      });
      const result = parseXml(answer.body.toString('utf8'));
      return { etag: textAt(result, 'ETag') ?? '', isRetried: answer.isRetried };
    },

    async delete(key) {
      await send(key, { method: 'DELETE', describe: `DELETE ${key}` });
    },

    async deleteObjects(keys) {
      const objects = keys.map((key) => `<Object><Key>${escapeXml(key)}</Key></Object>`).join('');
      const body = `<Delete xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${objects}<Quiet>true</Quiet></Delete>`;
      const answer = await send(undefined, {
        method: 'POST',
        query: [['delete', '']],
        headers: {
          'content-type': 'application/xml',
          // DeleteObjects demands a checksum; MD5 is the one that every S3-compatible server takes.
          'content-md5': createHash('md5').update(body).digest('base64'),
        },
        body: async () => body,
        describe: `DELETE ${keys.length} objects`,
      });
      return readDeleteErrors(answer.body.toString('utf8'));
    },
  };
}

/** Keys come from manifests and listings: `site/../other` in a URL would be another object than the one named. */
function reachable(key: string): string {
  if (!key.split('/').some((segment) => segment === '.' || segment === '..')) return key;
  throw new Error(`no URL reaches the key ${JSON.stringify(key)}`);
}

/** The body of a text held in memory. */
export function bodyOf(data: Uint8Array): PutBody {
  return {
    open: async () => data,
    sha256: sha256Hex(data),
    crc32: crc32(data),
  };
}

function conditionHeaders({ ifMatch, ifNoneMatch }: Condition): ObjectHeaders {
  return {
    ...(ifMatch === undefined ? {} : { 'if-match': ifMatch }),
    ...(ifNoneMatch === undefined ? {} : { 'if-none-match': ifNoneMatch }),
  };
}

async function absentAs404(answer: Promise<SignedAnswer>): Promise<SignedAnswer | undefined> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof AwsError && (error.code === 'NoSuchKey' || error.code === 'NotFound')) return undefined;
    throw error;
  }
}
