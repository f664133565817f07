import { type IncomingMessage, request as sendRequest } from 'node:http';
import type { Answer, ReceivedRequest } from './listening-server.ts';

/**
 * Sends a request on to another server, both ways as a stream and unchanged; 502 when that one does not answer. With
 * `keepHost` it sees the Host that the client sent, by which registries write their own addresses.
 */
export async function forwardRequest(received: ReceivedRequest, base: URL, keepHost: boolean): Promise<Answer> {
  try {
    const answer = await exchange(received, base, keepHost);
    return { status: answer.statusCode ?? 502, headers: endToEndHeaders(answer.rawHeaders), body: answer };
  } catch (error) {
    return { status: 502, headers: { 'content-type': 'text/plain' }, body: `upstream: ${String(error)}` };
  }
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
