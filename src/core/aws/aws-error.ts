import { parseXml, textAt, XmlError } from './xml.ts';

/** A refusal of an AWS service, or of one that speaks like it. */
export class AwsError extends Error {
  override readonly name = 'AwsError';
  /** Such as `AccessDenied`; `Http<status>` where the answer had no body. */
  readonly code: string;
  readonly status: number;
  /** What the service said, without the code. */
  readonly detail: string;
  /** Where the bucket is, when the service told it. */
  readonly region: string | undefined;

  constructor(refusal: Refusal & { readonly of: string }) {
    const id = refusal.requestId === undefined ? '' : ` (request ${refusal.requestId})`;
    super(`${refusal.of}: ${refusal.code}${refusal.detail === '' ? '' : `: ${refusal.detail}`}${id}`);
    this.code = refusal.code;
    this.status = refusal.status;
    this.detail = refusal.detail;
    this.region = refusal.region;
  }
}

export interface Refusal {
  readonly status: number;
  readonly code: string;
  readonly detail: string;
  readonly requestId: string | undefined;
  readonly region: string | undefined;
}

/** Codes that stand for the refusal of HEAD requests, whose answers have no body. */
const CODES = new Map([
  [301, 'PermanentRedirect'],
  [403, 'AccessDenied'],
  [404, 'NotFound'],
  [412, 'PreconditionFailed'],
  [503, 'SlowDown'],
]);

/**
 * What a refused request was refused for: `<Error>` of S3, or `<ErrorResponse><Error>` of STS and CloudFront.
 *
 * A body that is no such XML (a proxy's page) is shown in short; it decides nothing.
 */
export function readRefusal(answer: {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}): Refusal {
  const { status, headers } = answer;
  const text = answer.body.toString('utf8');
  const requestId = headers['x-amz-request-id'] ?? headers['x-amzn-requestid'];
  const region = headers['x-amz-bucket-region'];
  const fallback = { status, code: CODES.get(status) ?? `Http${status}`, requestId, region };
  if (text.trim() === '') return { ...fallback, detail: '' };
  try {
    const document = parseXml(text);
    const error = document.children.find(({ name }) => name === 'Error') ?? document;
    const code = oneLine(textAt(error, 'Code') ?? '');
    return {
      status,
      code: code === '' ? fallback.code : code,
      detail: oneLine(textAt(error, 'Message') ?? ''),
      requestId: requestId ?? textAt(document, 'RequestId'),
      region: region ?? textAt(error, 'Region'),
    };
  } catch (error) {
    if (!(error instanceof XmlError)) throw error;
    return { ...fallback, detail: oneLine(text) };
  }
}

function oneLine(text: string): string {
  const line = text.replace(/\s+/g, ' ').trim();
  return line.length <= 400 ? line : `${line.slice(0, 399)}…`;
}
