import { childrenOf, parseXml, textAt, type XmlElement, XmlError } from './xml.ts';

export interface ListedObject {
  readonly key: string;
  /** Bytes. */
  readonly size: number;
  /** With its quotes; an MD5 in hexadecimal only for objects sent in one piece and not encrypted by KMS. */
  readonly etag: string;
}

export interface ListPage {
  readonly objects: readonly ListedObject[];
  /** Given to the next call; undefined on the last page. */
  readonly continuation: string | undefined;
}

export interface DeleteError {
  readonly key: string;
  readonly code: string;
  readonly message: string;
}

/** Reads the answer of ListObjectsV2 that was asked for with `encoding-type=url`. Throws XmlError. */
export function readListPage(source: string): ListPage {
  const document = expectRoot(source, 'ListBucketResult');
  // Servers that do not know the encoding (s3rver) do not name it in the answer, and send keys as they are.
  const isEncoded = textAt(document, 'EncodingType') === 'url';
  const objects = childrenOf(document, 'Contents').map((entry) => readEntry(entry, isEncoded));
  const isTruncated = textAt(document, 'IsTruncated') === 'true';
  const continuation = textAt(document, 'NextContinuationToken');
  if (isTruncated && (continuation === undefined || continuation === ''))
    throw new XmlError('a listing that goes on without a token');
  return { objects, continuation: isTruncated ? continuation : undefined };
}

/** Reads what DeleteObjects, asked to be quiet, did not delete. Throws XmlError. */
export function readDeleteErrors(source: string): readonly DeleteError[] {
  return childrenOf(expectRoot(source, 'DeleteResult'), 'Error').map((error) => ({
    key: textAt(error, 'Key') ?? '',
    code: textAt(error, 'Code') ?? '',
    message: textAt(error, 'Message') ?? '',
  }));
}

function readEntry(entry: XmlElement, isEncoded: boolean): ListedObject {
  const key = textAt(entry, 'Key');
  const size = textAt(entry, 'Size') ?? '';
  if (key === undefined || !/^\d{1,15}$/.test(size)) throw new XmlError('an entry of a listing without key or size');
  const etag = textAt(entry, 'ETag') ?? '';
  return {
    key: isEncoded ? decodeKey(key) : key,
    size: Number(size),
    etag: etag.startsWith('"') ? etag : `"${etag}"`,
  };
}

/** S3 encodes a blank as `+`, which decodeURIComponent leaves as it is. */
function decodeKey(key: string): string {
  try {
    return decodeURIComponent(key.replaceAll('+', ' '));
  } catch (cause) {
    throw new XmlError('a key of a listing that is not URL-encoded', { cause });
  }
}

function expectRoot(source: string, name: string): XmlElement {
  const document = parseXml(source);
  if (document.name !== name) throw new XmlError(`<${document.name}> where <${name}> was expected`);
  return document;
}
