import { forwardRequest } from './forward-request.ts';
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
    return forwardRequest(received, base, keepHost);
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
