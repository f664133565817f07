import { open } from 'node:fs/promises';
import { crc32 } from 'node:zlib';
import { type AdaptiveConcurrency, createAdaptiveConcurrency } from './adaptive-concurrency.ts';
import { AwsError } from './aws-error.ts';
import { checksumHeaders, encodeCrc32 } from './checksum-headers.ts';
import { combineCrc32 } from './crc32-combine.ts';
import type { ObjectHeaders, S3Client, WrittenObject } from './s3-client.ts';
import { sha256Hex } from './signature.ts';
import { escapeXml, parseXml, textAt, XmlError } from './xml.ts';

/** Files above this are sent in parts; below it a single PUT costs one request and loses little when it fails. */
export const MULTIPART_THRESHOLD = 64 * 1024 * 1024;
const SMALLEST_PART = 16 * 1024 * 1024;
/** Amazon S3 quotas. */
const MAX_PARTS = 10_000;
/** Parts in memory at once, of all files together: with parts of 16 MiB, 64 MiB. */
const PARTS_AT_ONCE = 4;

/** The places that the parts of all large files of a deploy share. */
export function createPartPlaces(): AdaptiveConcurrency {
  return createAdaptiveConcurrency({ initial: PARTS_AT_ONCE, max: PARTS_AT_ONCE });
}

export interface Part {
  /** From 1. */
  readonly number: number;
  readonly offset: number;
  readonly length: number;
}

/** Cuts a file of `size` bytes into parts of 16 MiB, or larger ones where 10,000 of them would not hold it. */
export function planParts(size: number): readonly Part[] {
  const mebibyte = 1024 * 1024;
  const length = Math.max(SMALLEST_PART, Math.ceil(size / MAX_PARTS / mebibyte) * mebibyte);
  const count = Math.max(1, Math.ceil(size / length));
  return Array.from({ length: count }, (_, index) => ({
    number: index + 1,
    offset: index * length,
    length: Math.min(length, size - index * length),
  }));
}

interface LargeFile {
  readonly path: string;
  readonly size: number;
  /** Of all bytes, as an unsigned number. */
  readonly crc32: number;
}

interface SentPart {
  readonly etag: string;
  readonly crc32: number;
}

/**
 * Sends a large file in parts, as many at once as there are `places`, each signed with its own SHA-256 so that the server refuses broken ones;
 * together they must have the file's CRC-32, or nothing appears.
 *
 * The server is told that CRC-32 as well, of the whole object, and keeps it beside the object as it does for one PUT
 * ("Checking object integrity", Amazon S3 User Guide). Servers that do not know checksums of uploads ignore it; one
 * that refuses to begin such an upload gets one without.
 *
 * The object appears whole or not at all. After a failure the upload is aborted, so that its parts cost nothing.
 */
export async function putInParts(
  client: S3Client,
  key: string,
  file: LargeFile,
  headers: ObjectHeaders,
  places: AdaptiveConcurrency,
): Promise<WrittenObject> {
  const { uploadId, isChecked } = await beginUpload(client, key, headers);
  try {
    const sent = await sendParts(client, key, file, { uploadId, isChecked }, places);
    checkWhole(file, sent);
    const parts = sent.map(
      (part, index) =>
        `<Part><PartNumber>${index + 1}</PartNumber><ETag>${escapeXml(part.etag)}</ETag>${isChecked ? `<ChecksumCRC32>${encodeCrc32(part.crc32)}</ChecksumCRC32>` : ''}</Part>`,
    );
    const completed = await client.send(key, {
      method: 'POST',
      query: [['uploadId', uploadId]],
      headers: {
        'content-type': 'application/xml',
        ...(isChecked ? { 'x-amz-checksum-crc32': encodeCrc32(file.crc32), 'x-amz-checksum-type': 'FULL_OBJECT' } : {}),
      },
      body: async () => `<CompleteMultipartUpload>${parts.join('')}</CompleteMultipartUpload>`,
      describe: `COMPLETE UPLOAD ${key}`,
    });
    return { etag: textAt(parseXml(completed.body.toString('utf8')), 'ETag') ?? '', isRetried: completed.isRetried };
  } catch (error) {
    await abort(client, key, uploadId, error);
    throw error;
  }
}

interface Upload {
  readonly uploadId: string;
  /** Whether it began with a checksum of the whole object. */
  readonly isChecked: boolean;
}

async function beginUpload(client: S3Client, key: string, headers: ObjectHeaders): Promise<Upload> {
  try {
    return await createUpload(client, key, headers, true);
  } catch (error) {
    const isUnknown = error instanceof AwsError && (error.status === 501 || UNKNOWN_HEADER.test(error.code));
    if (!isUnknown) throw error;
    return createUpload(client, key, headers, false);
  }
}

/** How servers refuse a header that they do not know. */
const UNKNOWN_HEADER = /^(NotImplemented|InvalidRequest|InvalidArgument)$/;

async function createUpload(
  client: S3Client,
  key: string,
  headers: ObjectHeaders,
  isChecked: boolean,
): Promise<Upload> {
  const checksum = { 'x-amz-checksum-algorithm': 'CRC32', 'x-amz-checksum-type': 'FULL_OBJECT' };
  const created = await client.send(key, {
    method: 'POST',
    query: [['uploads', '']],
    headers: { ...headers, ...(isChecked ? checksum : {}) },
    describe: `CREATE UPLOAD ${key}`,
  });
  const uploadId = textAt(parseXml(created.body.toString('utf8')), 'UploadId') ?? '';
  if (uploadId === '') throw new XmlError('an upload without an id');
  return { uploadId, isChecked };
}

async function sendParts(
  client: S3Client,
  key: string,
  file: LargeFile,
  { uploadId, isChecked }: Upload,
  places: AdaptiveConcurrency,
): Promise<readonly SentPart[]> {
  const handle = await open(file.path);
  let failure: unknown;
  const sendPart = async (part: Part): Promise<SentPart> => {
    if (failure !== undefined) throw failure;
    const data = Buffer.allocUnsafe(part.length);
    const { bytesRead } = await handle.read(data, 0, part.length, part.offset);
    if (bytesRead !== part.length) throw new Error(`${file.path} became shorter while it was sent`);
    const checksum = crc32(data);
    const answer = await client.send(key, {
      method: 'PUT',
      query: [
        ['partNumber', String(part.number)],
        ['uploadId', uploadId],
      ],
      headers: isChecked ? checksumHeaders(checksum) : {},
      body: async () => data,
      payloadHash: sha256Hex(data),
      describe: `PUT ${key} part ${part.number}`,
    });
    return { etag: answer.headers['etag'] ?? '', crc32: checksum };
  };
  try {
    // All parts settle before the file is closed; after the first failure the waiting ones give up at once.
    const results = await Promise.allSettled(
      planParts(file.size).map((part) =>
        places.run(async () => {
          try {
            return await sendPart(part);
          } catch (error) {
            failure ??= error;
            throw error;
          }
        }),
      ),
    );
    if (failure !== undefined) throw failure;
    return results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
  } finally {
    await handle.close();
  }
}

/** The parts were read a second time: a file that changed since it was hashed is another one than was planned. */
function checkWhole(file: LargeFile, sent: readonly SentPart[]): void {
  const parts = planParts(file.size);
  const whole = sent.reduce((sum, part, index) => combineCrc32(sum, part.crc32, parts[index]?.length ?? 0), 0);
  if (whole !== file.crc32) throw new Error(`${file.path} changed while it was sent`);
}

async function abort(client: S3Client, key: string, uploadId: string, cause: unknown): Promise<void> {
  try {
    const call = { method: 'DELETE', query: [['uploadId', uploadId] as const], describe: `ABORT UPLOAD ${key}` };
    // Also of a deploy that was told to stop.
    await client.beside().send(key, call);
  } catch (error) {
    throw new AggregateError([cause, error], `the upload of ${key} failed, and its parts could not be removed`, {
      cause,
    });
  }
}
