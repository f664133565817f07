import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { requestStream, type StreamAnswer } from '../net/request.ts';
import { messagesOf } from '../runner/errors.ts';
import { isRecord } from '../runner/event.ts';
import type { Log } from '../runner/log.ts';

/** A server on this machine between BuildKit and GitHub's cache service. */
export interface CacheGate {
  /** What stands in ACTIONS_RESULTS_URL for it. */
  readonly url: string;
  /** Why the gate lets nothing through any more. */
  readonly shutReason: () => string | undefined;
  readonly stop: () => Promise<void>;
}

export interface CacheGateOptions {
  /** The service's own ACTIONS_RESULTS_URL. */
  readonly target: string;
  /** Milliseconds of silence after which the service is given up. */
  readonly patience: number;
  readonly log: Log;
}

/** Faults in a row after which the service is left alone. */
const MAX_FAULTS = 3;
const MAX_MESSAGE = 1024 * 1024;
const HOP_HEADERS =
  /^(?:host|connection|keep-alive|proxy-.*|te|trailer|transfer-encoding|upgrade|expect|content-length)$/i;

/**
 * Starts a gate that gives BuildKit an answer in bounded time, whatever the service does.
 *
 * BuildKit (moby 28.5) asks the service without a time limit while it holds its scheduler: a service that accepts a
 * connection and says nothing stops every build of the engine, also those of other jobs and those that follow, until
 * the connection ends. `timeout` of `type=gha` does not help, and a full service is asked again for minutes.
 * The gate ends what is silent, and after a few faults answers "not for you", which BuildKit takes as final.
 */
export async function startCacheGate({ target, patience, log }: CacheGateOptions): Promise<CacheGate> {
  const places = new Map<string, URL>();
  let faults = 0;
  let shutReason: string | undefined;
  const shut = (reason: string): void => {
    if (shutReason !== undefined) return;
    shutReason = reason;
    log.notice(`the cache service is left alone, and the build goes on without it: ${reason}`);
  };
  const fault = (reason: string): void => {
    faults += 1;
    if (faults >= MAX_FAULTS) shut(reason);
  };

  async function ask(message: IncomingMessage, url: URL, body: Buffer | undefined): Promise<StreamAnswer | undefined> {
    const length = Number(message.headers['content-length'] ?? 0);
    const started = Date.now();
    try {
      const answer = await requestStream({
        url,
        method: message.method ?? 'GET',
        headers: forwardedHeaders(message),
        ...(body === undefined ? (length > 0 ? { body: { stream: () => message, length } } : {}) : { body }),
        timeout: patience,
        deadline: 24 * 3_600_000,
        retry: false,
      });
      if (answer.status === 429) shut('it is full, or was asked too often (status 429)');
      else if (answer.status >= 500) fault(`it answered with status ${answer.status}`);
      else faults = 0;
      return answer;
    } catch (error) {
      if (Date.now() - started >= patience) shut(`it said nothing for ${Math.round(patience / 1_000)} s`);
      else fault(messagesOf(error).at(-1) ?? 'it could not be reached');
      return undefined;
    }
  }

  /** Signed addresses in an answer become addresses of the gate's: bytes go through it as well. */
  function readdress(text: string): string {
    const value: unknown = JSON.parse(text);
    if (!isRecord(value)) return text;
    const entries = Object.entries(value).map(([key, entry]) => {
      if (!/^signed_(?:up|down)load_url$/.test(key) || typeof entry !== 'string' || !URL.canParse(entry))
        return [key, entry];
      const id = randomUUID();
      places.set(id, new URL(entry));
      return [key, `${url}/blob/${id}`];
    });
    return JSON.stringify(Object.fromEntries(entries));
  }

  async function serve(message: IncomingMessage, response: ServerResponse): Promise<void> {
    const asked = new URL(message.url ?? '/', 'http://gate');
    const place = places.get(asked.pathname.replace(/^\/blob\//, ''));
    if (shutReason !== undefined) return refuse(message, response);
    if (place !== undefined) {
      const to = new URL(place);
      for (const [name, value] of asked.searchParams) to.searchParams.set(name, value);
      const answer = await ask(message, to, undefined);
      if (answer === undefined) return refuse(message, response);
      response.writeHead(answer.status, responseHeaders(answer));
      await pipeline(answer.stream, response);
      return;
    }
    if (Number(message.headers['content-length'] ?? 0) > MAX_MESSAGE) return refuse(message, response);
    const answer = await ask(message, new URL(asked.pathname.slice(1), withSlash(target)), await buffer(message));
    if (answer === undefined || shutReason !== undefined) {
      answer?.stream.destroy();
      return refuse(message, response);
    }
    const text = (await buffer(answer.stream)).toString('utf8');
    response.writeHead(answer.status, { 'content-type': 'application/json' });
    response.end(answer.status === 200 ? readdress(text) : text);
  }

  const server = createServer((message, response) => {
    serve(message, response).catch((error: unknown) => {
      fault(messagesOf(error).at(-1) ?? 'its answer broke off');
      if (response.headersSent) response.destroy();
      else refuse(message, response);
    });
  });
  server.requestTimeout = 0;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  const url = `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`;
  return {
    url: `${url}/`,
    shutReason: () => shutReason,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function forwardedHeaders({ headers }: IncomingMessage): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) =>
      typeof value === 'string' && !HOP_HEADERS.test(name) ? [[name, value]] : [],
    ),
  );
}

function responseHeaders({ headers }: StreamAnswer): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(headers).filter(([name]) => name === 'content-length' || !HOP_HEADERS.test(name)),
  );
}

/** Without these headers, BuildKit's client of blobs ends the whole engine's build service (a nil pointer). */
function refuse(message: IncomingMessage, response: ServerResponse): void {
  message.resume();
  response.writeHead(403, {
    'content-type': 'application/json',
    'x-ms-request-id': randomUUID(),
    'x-ms-version': '2025-05-05',
    'x-ms-error-code': 'AuthorizationFailure',
    etag: '"0x0"',
    'last-modified': new Date(0).toUTCString(),
  });
  response.end(JSON.stringify({ code: 'permission_denied', msg: 'the cache is not used any more' }));
}

function withSlash(url: string): string {
  return url.endsWith('/') ? url : `${url}/`;
}
