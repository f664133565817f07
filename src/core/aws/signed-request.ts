import { setTimeout as sleep } from 'node:timers/promises';
import { type Answer, type RequestBody, RequestError, request } from '../net/request.ts';
import { isWorthRetrying, parseRetryAfter, pauseBefore } from '../net/retry.ts';
import type { Log } from '../runner/log.ts';
import type { AdaptiveConcurrency } from './adaptive-concurrency.ts';
import { AwsError, type Refusal, readRefusal } from './aws-error.ts';
import type { CredentialSource } from './credentials.ts';
import { EMPTY_PAYLOAD, encodePath, encodeQuery, type SigningScope, sha256Hex, signRequest } from './signature.ts';

/** One call of a service. Path and query are not encoded yet. */
export interface SignedCall {
  readonly method: string;
  readonly path: string;
  readonly query?: readonly (readonly [name: string, value: string])[];
  /** Names in lower case. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Asked for at each try, so that waiting calls hold no bytes. */
  readonly body?: () => Promise<RequestBody>;
  /** SHA-256 of the body in hexadecimal; needed for a body that is a stream. */
  readonly payloadHash?: string;
  readonly maxBytes?: number;
  /** What the call does, for the log and errors: `PUT index.html`. */
  readonly describe: string;
}

export interface SignedSender {
  /** `https://bucket.s3.eu-central-1.amazonaws.com`, without a slash at its end; may have a path. */
  readonly endpoint: string;
  readonly scope: SigningScope;
  readonly credentials: CredentialSource;
  readonly concurrency: AdaptiveConcurrency;
  readonly log?: Log;
  /** Once aborted, no try is begun; one that is under way ends by itself. A listener a request was 12 MB at the peak. */
  readonly signal?: AbortSignal;
  /** Milliseconds of silence after which a try is given up. */
  readonly timeout?: number;
}

export interface SignedAnswer extends Answer {
  /** True when an earlier try may have been carried out, its answer lost. */
  readonly isRetried: boolean;
}

const RETRY = { attempts: 8, firstPause: 200, longestPause: 10_000 };
const DEADLINE = 600_000;

/** Codes by which AWS asks for fewer requests, whatever the status. */
const THROTTLED =
  /^(SlowDown|ServiceUnavailable|Throttling|ThrottlingException|RequestLimitExceeded|TooManyRequests|RequestThrottled)$/;
/** Refusals of a try, not of the request. */
const PASSING = /^(RequestTimeout|IncompleteBody|InternalError|OperationAborted|ConditionalRequestConflict)$/;
/** Bytes that are not what was announced: broken on the way, which passes, or changed on disk, which does not. */
const BROKEN = /^(BadDigest|XAmzContentSHA256Mismatch|InvalidDigest)$/;
const BROKEN_ATTEMPTS = 3;

/**
 * Signs and sends a call until it is answered, and returns the answer of a success.
 *
 * Faults of the network, 5xx, and bodies that arrived broken are tried again with backoff, each try signed anew; an
 * answer that asks to slow down lowers the concurrency of all calls. Throws AwsError for a refusal, at once.
 */
export async function sendSigned(sender: SignedSender, call: SignedCall): Promise<SignedAnswer> {
  const end = Date.now() + DEADLINE;
  for (let attempt = 1; ; attempt += 1) {
    const outcome = await sender.concurrency.run(async () => {
      sender.signal?.throwIfAborted();
      return tryOnce(sender, call, end);
    });
    if (outcome.kind === 'answer') return { ...outcome.answer, isRetried: attempt > 1 };
    if (outcome.isThrottled) sender.concurrency.slowDown();
    const pause = pauseBefore(attempt, RETRY, outcome.retryAfter, Math.random());
    if (!outcome.isPassing || attempt >= outcome.attempts || Date.now() + pause >= end) throw outcome.error;
    sender.log?.info(
      `${outcome.error.message}; trying again in ${(pause / 1000).toFixed(1)} s (${attempt} of ${outcome.attempts - 1})`,
    );
    await sleep(pause, undefined, sender.signal === undefined ? {} : { signal: sender.signal });
  }
}

type Outcome =
  | { readonly kind: 'answer'; readonly answer: Answer }
  | {
      readonly kind: 'fault';
      readonly error: Error;
      readonly isPassing: boolean;
      /** How many tries this fault is worth. */
      readonly attempts: number;
      readonly isThrottled: boolean;
      readonly retryAfter: number | undefined;
    };

async function tryOnce(sender: SignedSender, call: SignedCall, end: number): Promise<Outcome> {
  const body = await call.body?.();
  const base = baseOf(sender.endpoint);
  const path = `${base.path}${call.path}`;
  const headers = signRequest(
    { ...call, path, host: base.host, payloadHash: call.payloadHash ?? hashOf(body) },
    sender.scope,
    await sender.credentials(),
    new Date(),
  );
  const query = encodeQuery(call.query ?? []);
  try {
    const answer = await request({
      method: call.method,
      url: `${base.origin}${encodePath(path)}${query === '' ? '' : `?${query}`}`,
      headers,
      retry: false,
      deadline: Math.max(1, end - Date.now()),
      ...(body === undefined ? {} : { body }),
      ...(call.maxBytes === undefined ? {} : { maxBytes: call.maxBytes }),
      ...(sender.timeout === undefined ? {} : { timeout: sender.timeout }),
    });
    // CopyObject and CompleteMultipartUpload answer 200 first and may end with an error in the body.
    const isError =
      answer.status >= 300 || /^\s*(<\?xml[^>]*>\s*)?<Error>/.test(answer.body.toString('latin1', 0, 200));
    return isError ? faultOf(call, answer, readRefusal(answer)) : { kind: 'answer', answer };
  } catch (error) {
    if (!(error instanceof RequestError)) throw error;
    const fault = new Error(`${call.describe}: ${error.message}`, { cause: error });
    return {
      kind: 'fault',
      error: fault,
      isPassing: error.isPassing,
      attempts: RETRY.attempts,
      isThrottled: false,
      retryAfter: undefined,
    };
  }
}

interface Base {
  readonly endpoint: string;
  readonly origin: string;
  readonly host: string;
  /** Decoded, without a slash at its end. */
  readonly path: string;
}

let lastBase: Base | undefined;

/** The parts of an endpoint, which all requests of a deploy share. */
function baseOf(endpoint: string): Base {
  if (lastBase?.endpoint !== endpoint) {
    const { origin, host, pathname } = new URL(endpoint);
    lastBase = { endpoint, origin, host, path: pathname === '/' ? '' : decodeURIComponent(pathname) };
  }
  return lastBase;
}

function faultOf(call: SignedCall, answer: Answer, refusal: Refusal): Outcome {
  const isThrottled = answer.status === 503 || answer.status === 429 || THROTTLED.test(refusal.code);
  const isBroken = BROKEN.test(refusal.code);
  return {
    kind: 'fault',
    error: new AwsError({ of: call.describe, ...refusal }),
    isThrottled,
    isPassing: isThrottled || isWorthRetrying(answer.status) || PASSING.test(refusal.code) || isBroken,
    attempts: isBroken ? BROKEN_ATTEMPTS : RETRY.attempts,
    retryAfter: parseRetryAfter(answer.headers['retry-after'], Date.now()),
  };
}

function hashOf(body: RequestBody | undefined): string {
  if (body === undefined) return EMPTY_PAYLOAD;
  if (typeof body === 'string' || body instanceof Uint8Array) return sha256Hex(body);
  throw new Error('a body that is a stream needs its hash beforehand');
}
