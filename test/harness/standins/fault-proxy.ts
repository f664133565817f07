import { type IncomingMessage, request as sendRequest } from 'node:http';
import { type Answer, listen, type ReceivedRequest, type Standin } from './listening-server.ts';

export interface FaultProxyOptions {
  /** Scheme `http:`, host and port; a path is put before every request's. */
  readonly upstream: string;
  readonly port?: number;
  /** Whether the upstream sees the Host that the client sent (true; SigV4 signs it) or its own. */
  readonly keepHost?: boolean;
}

/** A reverse proxy that breaks what its rules (`faults`) say: everything else passes both ways as a stream, unchanged. */
export interface FaultProxy extends Standin {
  /** How many requests came whose `METHOD /path?query` matches; all without a pattern. */
  count(match?: RegExp): number;
  /** How many requests the upstream got: a request that was reset `before`, stalled or answered here is none. */
  upstreamCount(match?: RegExp): number;
}

export async function startFaultProxy({ upstream, port, keepHost = true }: FaultProxyOptions): Promise<FaultProxy> {
  const base = new URL(upstream);
  const forwarded: { method: string; path: string }[] = [];

  async function forward(received: ReceivedRequest): Promise<Answer> {
    const path = received.message.url ?? '/';
    forwarded.push({ method: received.method, path });
    try {
      const answer = await exchange(received, base, keepHost);
      return { status: answer.statusCode ?? 502, headers: endToEndHeaders(answer.rawHeaders), body: answer };
    } catch (error) {
      return { status: 502, headers: { 'content-type': 'text/plain' }, body: `upstream: ${String(error)}` };
    }
  }

  const server = await listen(forward, port === undefined ? {} : { port });
  const countIn = (list: readonly { method: string; path: string }[], match: RegExp | undefined) =>
    list.filter(({ method, path }) => match === undefined || `${method} ${path}`.search(match) >= 0).length;
  return {
    ...server,
    count: (match) => countIn(server.requests, match),
    upstreamCount: (match) => countIn(forwarded, match),
  };
}

function exchange({ method, message }: ReceivedRequest, base: URL, keepHost: boolean): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const headers = endToEndHeaders(message.rawHeaders);
    if (!keepHost) replaceHost(headers, base.host);
    const outgoing = sendRequest({
      host: base.hostname,
      port: base.port || 80,
      method,
      path: base.pathname.replace(/\/$/, '') + (message.url ?? '/'),
      headers,
      setHost: false,
      // One connection a request: an idle one that the upstream closes at this very moment would be a fault that no rule asked for.
      agent: false,
    });
    outgoing.once('response', resolve);
    outgoing.once('error', reject);
    // A client that goes away in the middle of its upload must not leave half a request at the upstream.
    message.once('aborted', () => outgoing.destroy());
    message.pipe(outgoing);
  });
}

/** All but what belongs to one connection (RFC 9110, section 7.6.1), in Node's flat list of names and values. */
function endToEndHeaders(rawHeaders: readonly string[]): string[] {
  const kept: string[] = [];
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] ?? '';
    if (/^(connection|keep-alive|proxy-connection|upgrade)$/i.test(name)) continue;
    kept.push(name, rawHeaders[index + 1] ?? '');
  }
  return kept;
}

function replaceHost(headers: string[], host: string): void {
  for (let index = 0; index < headers.length; index += 2) {
    if (/^host$/i.test(headers[index] ?? '')) headers[index + 1] = host;
  }
}
