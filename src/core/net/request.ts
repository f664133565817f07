import http from 'node:http';
import https from 'node:https';
import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Log } from '../runner/log.ts';
import { DEFAULT_RETRY, isWorthRetrying, parseRetryAfter, pauseBefore, type RetryPolicy } from './retry.ts';

/** A body that is sent again on a retry; a stream's length is always told, so that no server sees chunked framing. */
export type RequestBody = string | Uint8Array | { readonly stream: () => Readable; readonly length: number };

export interface RequestOptions {
  readonly url: string | URL;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: RequestBody;
  /** Milliseconds for everything, retries and pauses included. Default 5 minutes. */
  readonly deadline?: number;
  /** Milliseconds of silence after which one try is given up. Default 30 seconds. */
  readonly timeout?: number;
  /** Bytes of an answer that are kept; a longer one is an error. Default 16 MiB. */
  readonly maxBytes?: number;
  readonly retry?: RetryPolicy | false;
  readonly log?: Log;
  readonly signal?: AbortSignal;
  /** Asked before each try, for headers that age, such as a signature's date. Added to `headers`. */
  readonly freshHeaders?: () => Promise<Readonly<Record<string, string>>>;
}

export interface Answer {
  readonly status: number;
  /** Names in lower case; repeated fields are joined by `, `. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

export interface StreamAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly stream: Readable;
}

/** No answer came: the last fault of the network stands in `cause`. */
export class RequestError extends Error {
  override readonly name = 'RequestError';
  /** Whether another try may get an answer; false for an answer that was too long, and for a request that was given up. */
  readonly isPassing: boolean;

  constructor(message: string, options: { readonly cause: Error; readonly isPassing: boolean }) {
    super(message, { cause: options.cause });
    this.isPassing = options.isPassing;
  }
}

const DEFAULT_DEADLINE = 300_000;
const DEFAULT_TIMEOUT = 30_000;
const DEFAULT_MAX_BYTES = 16 * 1024 * 1024;

const AGENT = {
  keepAlive: true,
  // Callers go up to 64 at once; the rest is for what must not wait behind their uploads, such as a lease.
  maxSockets: 68,
  // Honours HTTP_PROXY, HTTPS_PROXY and NO_PROXY, which self-hosted runners set.
  proxyEnv: process.env,
};
const agents = { 'http:': new http.Agent(AGENT), 'https:': new https.Agent(AGENT) };

/**
 * Sends a request and returns the final answer, whatever its status.
 *
 * Time-outs, resets and the statuses of `isWorthRetrying` are tried again within `deadline`, each said in one line;
 * a refusal (any other 4xx) is returned at once. Redirects are not followed: who may follow one decides where to.
 * Throws RequestError when no answer came, or one longer than `maxBytes`.
 */
export async function request(options: RequestOptions): Promise<Answer> {
  return withRetries(options, async (answer) => ({ ...answer, body: await readAll(answer.stream, options) }));
}

/** As `request`, but the body of the answer is a stream: the caller reads or destroys it. */
export async function requestStream(options: RequestOptions): Promise<StreamAnswer> {
  return withRetries(options, async (answer) => answer);
}

async function withRetries<T extends { readonly status: number; readonly headers: Readonly<Record<string, string>> }>(
  options: RequestOptions,
  finish: (answer: StreamAnswer) => Promise<T>,
): Promise<T> {
  const policy = options.retry === false ? { ...DEFAULT_RETRY, attempts: 1 } : (options.retry ?? DEFAULT_RETRY);
  const end = Date.now() + (options.deadline ?? DEFAULT_DEADLINE);
  for (let attempt = 1; ; attempt += 1) {
    const outcome = await attemptOnce(options, end, finish);
    const answered = outcome.kind === 'answer';
    const worthRetrying = answered ? isWorthRetrying(outcome.answer.status) : outcome.isPassing;
    const retryAfter = answered ? parseRetryAfter(outcome.answer.headers['retry-after'], Date.now()) : undefined;
    const pause = pauseBefore(attempt, policy, retryAfter, Math.random());
    if (!worthRetrying || attempt >= policy.attempts || Date.now() + pause >= end) {
      if (answered) return outcome.answer;
      throw new RequestError(`${describe(options)}: ${outcome.fault.message}`, {
        cause: outcome.fault,
        isPassing: outcome.isPassing,
      });
    }
    if (answered) discard(outcome.answer);
    const why = answered ? `status ${outcome.answer.status}` : outcome.fault.message;
    options.log?.info(
      `${describe(options)}: ${why}; trying again in ${(pause / 1000).toFixed(1)} s (${attempt} of ${policy.attempts - 1})`,
    );
    await sleep(pause, undefined, options.signal === undefined ? {} : { signal: options.signal });
  }
}

type Outcome<T> =
  | { readonly kind: 'answer'; readonly answer: T }
  | { readonly kind: 'fault'; readonly fault: Error; readonly isPassing: boolean };

/** Frees the connection of an answer that nobody will read. */
function discard(answer: object): void {
  if ('stream' in answer && answer.stream instanceof Readable) answer.stream.destroy();
}

async function attemptOnce<T>(
  options: RequestOptions,
  end: number,
  finish: (answer: StreamAnswer) => Promise<T>,
): Promise<Outcome<T>> {
  const fresh = options.freshHeaders === undefined ? {} : await options.freshHeaders();
  try {
    return { kind: 'answer', answer: await finish(await send(options, fresh, Math.max(1, end - Date.now()))) };
  } catch (cause) {
    const fault = cause instanceof Error ? cause : new Error(String(cause));
    return { kind: 'fault', fault, isPassing: options.signal?.aborted !== true && !(fault instanceof TooLongError) };
  }
}

class TooLongError extends Error {}

function send(
  options: RequestOptions,
  fresh: Readonly<Record<string, string>>,
  remaining: number,
): Promise<StreamAnswer> {
  const url = new URL(options.url);
  const { body } = options;
  const length = body === undefined ? undefined : typeof body === 'string' ? Buffer.byteLength(body) : body.length;
  const client = url.protocol === 'http:' ? http : https;
  return new Promise((resolve, reject) => {
    const outgoing = client.request(url, {
      method: options.method ?? 'GET',
      agent: agents[url.protocol === 'http:' ? 'http:' : 'https:'],
      headers: {
        'user-agent': 'slipway',
        ...options.headers,
        ...fresh,
        ...(length === undefined ? {} : { 'content-length': String(length) }),
      },
      ...(options.signal === undefined ? {} : { signal: options.signal }),
    });
    const timeout = Math.min(options.timeout ?? DEFAULT_TIMEOUT, remaining);
    // An idle limit alone lets a server drip bytes for ever: the deadline bounds the whole try as well.
    const whole = setTimeout(() => outgoing.destroy(new Error('the deadline passed')), remaining);
    whole.unref();
    outgoing.setTimeout(timeout, () => outgoing.destroy(new Error(`no answer in ${timeout} ms`)));
    outgoing.on('close', () => clearTimeout(whole));
    outgoing.on('error', reject);
    outgoing.on('response', (incoming) => {
      resolve({ status: incoming.statusCode ?? 0, headers: joinHeaders(incoming.headers), stream: incoming });
    });
    if (body === undefined || typeof body === 'string' || body instanceof Uint8Array) outgoing.end(body);
    else {
      const source = body.stream();
      source.on('error', (error) => outgoing.destroy(error));
      outgoing.on('close', () => source.destroy());
      source.pipe(outgoing);
    }
  });
}

/** By events: the iterator of a stream is a tenth of the processor time of a small request. */
function readAll(stream: Readable, options: RequestOptions): Promise<Buffer> {
  const limit = options.maxBytes ?? DEFAULT_MAX_BYTES;
  const chunks: Buffer[] = [];
  let size = 0;
  return new Promise((resolve, reject) => {
    stream.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size <= limit) chunks.push(chunk);
      else stream.destroy(new TooLongError(`the answer is longer than ${limit} bytes`));
    });
    stream.once('end', () => resolve(Buffer.concat(chunks)));
    stream.once('error', reject);
    // A connection that is cut in the middle of an answer; after its end, or an error, this says nothing new.
    stream.once('close', () => reject(new Error('the answer was cut')));
  });
}

function joinHeaders(headers: http.IncomingHttpHeaders): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, Array.isArray(value) ? value.join(', ') : (value ?? '')]),
  );
}

/** The request for the log: without the query, which can hold a signature. */
function describe(options: RequestOptions): string {
  const url = new URL(options.url);
  return `${options.method ?? 'GET'} ${url.origin}${url.pathname}`;
}
