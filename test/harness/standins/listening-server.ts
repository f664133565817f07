import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import { Readable, Transform } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { createFaultRules, type Fault, type FaultRules } from './fault-rules.ts';

/** One line of a stand-in's log. The status is 0 while, and if, nothing was answered. */
export interface LoggedRequest {
  readonly method: string;
  /** Path with its query. */
  readonly path: string;
  readonly status: number;
}

export interface ReceivedRequest {
  readonly method: string;
  readonly url: URL;
  readonly headers: IncomingHttpHeaders;
  readonly message: IncomingMessage;
  readonly body: () => Promise<Buffer>;
}

export interface Answer {
  readonly status: number;
  /** By name, or Node's flat list of names and values where a name has several. */
  readonly headers?: Readonly<Record<string, string>> | readonly string[];
  readonly body?: string | Uint8Array | Readable;
}

/** What every stand-in offers. */
export interface Standin extends AsyncDisposable {
  /** Scheme, host and port, without a slash at the end. */
  readonly url: string;
  readonly requests: readonly LoggedRequest[];
  readonly faults: FaultRules;
  /** Answers the next `times` (1) matching requests with this status instead of acting on them. */
  fail(failure: Failure): void;
  stop(): Promise<void>;
}

export interface Failure {
  readonly status: number;
  readonly times?: number;
  /** Tested on `METHOD /path?query`. */
  readonly match?: RegExp;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** Listens on a free port of 127.0.0.1, keeps the log and applies the faults; the handler only answers. */
export async function listen(
  handle: (request: ReceivedRequest) => Answer | Promise<Answer>,
  options: { readonly port?: number } = {},
): Promise<Standin> {
  const requests: { method: string; path: string; status: number }[] = [];
  const faults = createFaultRules();
  const server = createServer((message, response) => {
    const entry = { method: message.method ?? 'GET', path: message.url ?? '/', status: 0 };
    requests.push(entry);
    serve(message, response, entry).catch((cause: unknown) => {
      // The client went away, or a stream broke on the way: there is nobody to answer.
      if (response.headersSent || response.destroyed) response.destroy();
      else {
        entry.status = 500;
        response.writeHead(500, { 'content-type': 'text/plain' }).end(`stand-in failed: ${String(cause)}`);
      }
    });
  });
  // A client that uploads slowly or stalls is the client's test, not the stand-in's limit.
  server.requestTimeout = 0;

  async function serve(message: IncomingMessage, response: ServerResponse, entry: { status: number; path: string }) {
    const method = message.method ?? 'GET';
    const { delay, fault } = faults.take(method, entry.path);
    if (delay > 0) await sleep(delay);
    if (fault?.kind === 'stall') return;
    if (fault?.kind === 'reset' && fault.when === 'before') return reset(message);
    const answer: Answer =
      fault?.kind === 'status'
        ? { status: fault.status, headers: fault.headers ?? {}, body: fault.body ?? '' }
        : await handle({
            method,
            url: new URL(entry.path, url),
            headers: message.headers,
            message,
            body: () => buffer(message),
          });
    // An answer before the end of the request's body: what is left is read away, as a keep-alive server does.
    message.resume();
    if (fault?.kind === 'reset') {
      if (answer.body instanceof Readable) answer.body.destroy();
      return reset(message);
    }
    entry.status = answer.status;
    await send(response, answer, method, fault);
  }

  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port ?? 0, '127.0.0.1', resolve);
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the stand-in listens on no port');
  const url = `http://127.0.0.1:${address.port}`;
  const stop = async () => {
    if (!server.listening) return;
    await new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  };
  return {
    url,
    requests,
    faults,
    fail: ({ status, times, match, headers, body }) =>
      faults.add({
        fault: { kind: 'status', status, ...(headers && { headers }), ...(body !== undefined && { body }) },
        ...(match && { match }),
        ...(times !== undefined && { times }),
      }),
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

export function jsonAnswer(body: unknown, status = 200): Answer {
  return { status, headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
}

function reset(message: IncomingMessage): void {
  message.socket.resetAndDestroy();
}

async function send(response: ServerResponse, answer: Answer, method: string, fault: Fault | undefined): Promise<void> {
  const { body } = answer;
  const isStream = body instanceof Readable;
  const bytes = isStream || body === undefined ? undefined : Buffer.from(body);
  const headers = Array.isArray(answer.headers) ? [...answer.headers] : Object.entries(answer.headers ?? {}).flat();
  const hasLength = headers.some(
    (value, index) => index % 2 === 0 && /^(content-length|transfer-encoding)$/i.test(value),
  );
  if (!hasLength && !isStream && answer.status !== 204 && answer.status !== 304) {
    headers.push('content-length', String(bytes?.length ?? 0));
  }
  response.writeHead(answer.status, headers);
  if (method === 'HEAD') {
    if (isStream) body.destroy();
    response.end();
    return;
  }
  const source = isStream ? body : Readable.from(bytes === undefined || bytes.length === 0 ? [] : [bytes]);
  if (fault?.kind === 'wrong-bytes') await pipeline(source, flipFirstByte(), response);
  else if (fault?.kind === 'cut') await sendPart(source, response, fault.bytes);
  else await pipeline(source, response);
}

function flipFirstByte(): Transform {
  let isFlipped = false;
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      if (isFlipped || chunk.length === 0) return done(null, chunk);
      isFlipped = true;
      const copy = Buffer.from(chunk);
      copy.writeUInt8(copy.readUInt8(0) ^ 0xff, 0);
      done(null, copy);
    },
  });
}

async function sendPart(source: Readable, response: ServerResponse, limit: number): Promise<void> {
  response.flushHeaders();
  let left = limit;
  for await (const chunk of source) {
    const part = Buffer.from(chunk).subarray(0, left);
    if (part.length > 0) await new Promise<void>((resolve) => response.write(part, () => resolve()));
    left -= part.length;
    if (left <= 0) break;
  }
  // An ordinary close would let bytes already written arrive; a reset may throw them away at the client.
  response.socket?.destroySoon();
}
