import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { type RequestBody, requestStream, type StreamAnswer } from '../net/request.ts';
import { messagesOf } from '../runner/errors.ts';
import { isRecord } from '../runner/event.ts';
import type { Log } from '../runner/log.ts';

/** A server on this machine between BuildKit and GitHub's cache service. */
export interface CacheGate {
  /** What stands in ACTIONS_RESULTS_URL for it, where this machine is known as `host`. */
  readonly urlAt: (host: string) => string;
  /** True when somebody asked for `knock` under `urlAt(host)`: BuildKit reaches the gate by that name. */
  readonly wasKnockedAt: (host: string) => boolean;
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
  /**
   * `this-machine` takes connections of 127.0.0.1 only. `any-machine` takes all, and lets in who knows the secret first
   * part of its path. (@actions/cache leaves out a path, so that it needs the former.)
   */
  readonly guests: 'this-machine' | 'any-machine';
}

/** Faults in a row after which the service is left alone. */
const MAX_FAULTS = 3;
/** Milliseconds before a second try. BuildKit's own tries for a layer take 45 seconds (moby 28.5). */
const PAUSE = 200;
const MAX_MESSAGE = 1024 * 1024;
/** The path that tells only that somebody came. */
export const KNOCK = 'knock';
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
export async function startCacheGate({ target, patience, log, guests }: CacheGateOptions): Promise<CacheGate> {
  const places = new Map<string, URL>();
  const secret = guests === 'any-machine' ? `${randomUUID()}/` : '';
  const knocks = new Set<string>();
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

  /** An answer that is no fault, after some tries where what is asked can be asked again; else undefined. */
  async function ask(
    message: IncomingMessage,
    url: URL,
    body: RequestBody | undefined,
  ): Promise<StreamAnswer | undefined> {
    const tries = typeof body === 'object' && 'stream' in body ? 1 : MAX_FAULTS;
    for (let left = tries; left > 0; left -= 1) {
      const answer = await askOnce(message, url, body);
      if (typeof answer !== 'string') return answer;
      if (shutReason !== undefined) break;
      if (tries === 1) fault(answer);
      else if (left === 1) shut(answer);
      else await sleep(PAUSE * (tries - left + 1));
    }
    return undefined;
  }

  /** One request: the answer, or what is wrong with the service. */
  async function askOnce(
    message: IncomingMessage,
    url: URL,
    body: RequestBody | undefined,
  ): Promise<StreamAnswer | string> {
    const started = Date.now();
    try {
      const answer = await requestStream({
        url,
        method: message.method ?? 'GET',
        headers: forwardedHeaders(message),
        ...(body === undefined ? {} : { body }),
        timeout: patience,
        deadline: 24 * 3_600_000,
        retry: false,
      });
      if (answer.status !== 429 && answer.status < 500) {
        faults = 0;
        return answer;
      }
      answer.stream.destroy();
      if (answer.status === 429) shut('it is full, or was asked too often (status 429)');
      return `it answered with status ${answer.status}`;
    } catch (error) {
      if (Date.now() - started >= patience) shut(`it said nothing for ${patience / 1_000} s`);
      return messagesOf(error).at(-1) ?? 'it could not be reached';
    }
  }

  /** Signed addresses in an answer become addresses of the gate's: bytes go through it as well. */
  function readdress(text: string, host: string): string {
    const value: unknown = JSON.parse(text);
    if (!isRecord(value)) return text;
    const entries = Object.entries(value).map(([key, entry]) => {
      if (!/^signed_(?:up|down)load_url$/.test(key) || typeof entry !== 'string' || !URL.canParse(entry))
        return [key, entry];
      const id = randomUUID();
      places.set(id, new URL(entry));
      return [key, `${urlAt(host)}blob/${id}`];
    });
    return JSON.stringify(Object.fromEntries(entries));
  }

  async function passBlob(place: URL, asked: URL, message: IncomingMessage, response: ServerResponse): Promise<void> {
    const to = new URL(place);
    for (const [name, value] of asked.searchParams) to.searchParams.set(name, value);
    const length = Number(message.headers['content-length'] ?? 0);
    const answer = await ask(message, to, length > 0 ? { stream: () => message, length } : undefined);
    if (answer === undefined) return refuse(message, response);
    response.writeHead(answer.status, responseHeaders(answer));
    await pipeline(answer.stream, response);
  }

  async function passMessage(path: string, message: IncomingMessage, response: ServerResponse): Promise<void> {
    if (Number(message.headers['content-length'] ?? 0) > MAX_MESSAGE) return refuse(message, response);
    const answer = await ask(message, new URL(`./${path}`, withSlash(target)), await buffer(message));
    if (answer === undefined) return refuse(message, response);
    const text = (await buffer(answer.stream)).toString('utf8');
    response.writeHead(answer.status, { 'content-type': 'application/json' });
    response.end(answer.status === 200 ? readdress(text, hostOf(message)) : text);
  }

  async function serve(message: IncomingMessage, response: ServerResponse): Promise<void> {
    const asked = new URL(message.url ?? '/', 'http://gate');
    if (!asked.pathname.startsWith(`/${secret}`)) return refuse(message, response);
    const path = asked.pathname.slice(secret.length + 1);
    if (path === KNOCK) {
      knocks.add(hostOf(message));
      response.end();
      return;
    }
    if (shutReason !== undefined) return refuse(message, response);
    const place = places.get(path.replace(/^blob\//, ''));
    await (place === undefined ? passMessage(path, message, response) : passBlob(place, asked, message, response));
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
    server.listen(0, guests === 'this-machine' ? '127.0.0.1' : '0.0.0.0', resolve);
  });
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const urlAt = (host: string): string => `http://${host}:${port}/${secret}`;
  return {
    urlAt,
    wasKnockedAt: (host) => knocks.has(host),
    shutReason: () => shutReason,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** The name under which a client knows this machine. */
function hostOf({ headers }: IncomingMessage): string {
  return (headers.host ?? '').replace(/:\d+$/, '');
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
