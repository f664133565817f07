import { once } from 'node:events';
import { request as sendRequest } from 'node:http';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { describe, expect, test } from 'vitest';
import { startFaultProxy } from '../../../harness/standins/fault-proxy.ts';
import { listen } from '../../../harness/standins/listening-server.ts';

/** An upstream that answers what it got. */
function startEcho() {
  return listen(async ({ method, url, headers, body }) => ({
    status: 201,
    headers: ['content-type', 'text/plain', 'x-host', headers.host ?? '', 'set-cookie', 'a=1', 'set-cookie', 'b=2'],
    body: `${method} ${url.pathname}${url.search} ${(await body()).length}`,
  }));
}

describe('the fault proxy', () => {
  test('passes method, path, body, status and repeated headers on, and keeps the client’s host', async () => {
    await using upstream = await startEcho();
    await using proxy = await startFaultProxy({ upstream: upstream.url });
    const answer = await fetch(`${proxy.url}/a/b?c=%2F`, { method: 'PUT', body: 'x'.repeat(1_000_000) });
    expect(answer.status).toBe(201);
    expect(await answer.text()).toBe('PUT /a/b?c=%2F 1000000');
    expect(answer.headers.getSetCookie()).toEqual(['a=1', 'b=2']);
    expect(answer.headers.get('x-host')).toBe(new URL(proxy.url).host);
    expect(proxy.requests).toEqual([{ method: 'PUT', path: '/a/b?c=%2F', status: 201 }]);
  });

  test('shows the upstream its own host on request', async () => {
    await using upstream = await startEcho();
    await using proxy = await startFaultProxy({ upstream: upstream.url, keepHost: false });
    expect((await fetch(proxy.url)).headers.get('x-host')).toBe(new URL(upstream.url).host);
  });

  test('streams: an answer’s first part arrives while the upstream still holds back the second', async () => {
    const held = new Readable({ read() {} });
    await using upstream = await listen(() => ({ status: 200, body: held }));
    await using proxy = await startFaultProxy({ upstream: upstream.url });
    held.push('first');
    const reader = (await fetch(proxy.url)).body?.getReader();
    expect(Buffer.from((await reader?.read())?.value ?? []).toString()).toBe('first');
    held.push('second');
    held.push(null);
    expect(Buffer.from((await reader?.read())?.value ?? []).toString()).toBe('second');
  });

  test('streams: the upstream sees the beginning of an upload before its end was sent', async () => {
    let seen = '';
    await using upstream = await listen(async ({ message }) => {
      for await (const chunk of message) seen += String(chunk);
      return { status: 200, body: seen };
    });
    await using proxy = await startFaultProxy({ upstream: upstream.url });
    const upload = sendRequest(proxy.url, { method: 'PUT' });
    upload.write('begin');
    await expect.poll(() => seen).toBe('begin');
    upload.end('-end');
    const [answer] = await once(upload, 'response');
    answer.resume();
    expect(seen).toBe('begin-end');
  });

  test('passes an upload on that waits for the word to continue, and a HEAD with the length of what it left out', async () => {
    await using upstream = await startEcho();
    await using proxy = await startFaultProxy({ upstream: upstream.url });
    const upload = sendRequest(proxy.url, {
      method: 'PUT',
      headers: { expect: '100-continue', 'content-length': '5' },
    });
    upload.flushHeaders();
    await once(upload, 'continue');
    upload.end('12345');
    const [answer] = await once(upload, 'response');
    expect(await text(answer)).toBe('PUT / 5');
    const head = await fetch(proxy.url, { method: 'HEAD' });
    expect([head.status, head.headers.get('content-length')]).toEqual([201, String('HEAD / 0'.length)]);
  });

  test('answers a status with headers and a body as often as the rule says, and only where it matches', async () => {
    await using upstream = await startEcho();
    await using proxy = await startFaultProxy({ upstream: upstream.url });
    proxy.faults.add({
      match: /^PUT \/slow/,
      times: 2,
      fault: { kind: 'status', status: 503, headers: { 'retry-after': '1' }, body: 'SlowDown' },
    });
    expect((await fetch(`${proxy.url}/slow`)).status).toBe(201);
    for (let attempt = 0; attempt < 2; attempt += 1) {
      const answer = await fetch(`${proxy.url}/slow`, { method: 'PUT', body: 'x' });
      expect([answer.status, answer.headers.get('retry-after'), await answer.text()]).toEqual([503, '1', 'SlowDown']);
    }
    expect((await fetch(`${proxy.url}/slow`, { method: 'PUT', body: 'x' })).status).toBe(201);
    expect([proxy.count(), proxy.count(/^PUT/), proxy.upstreamCount(/^PUT/)]).toEqual([4, 3, 1]);
  });

  test.each([
    { when: 'before', reached: 0 },
    { when: 'after', reached: 1 },
  ] as const)('resets the connection $when the upstream got the request', async ({ when, reached }) => {
    await using upstream = await startEcho();
    await using proxy = await startFaultProxy({ upstream: upstream.url });
    proxy.faults.add({ fault: { kind: 'reset', when } });
    await expect(fetch(proxy.url, { method: 'DELETE' })).rejects.toThrow();
    expect(upstream.requests.length).toBe(reached);
    expect(proxy.requests[0]?.status).toBe(0);
    expect((await fetch(proxy.url)).status).toBe(201);
  });

  test('stalls: no answer comes until it is stopped', async () => {
    await using upstream = await startEcho();
    await using proxy = await startFaultProxy({ upstream: upstream.url });
    proxy.faults.add({ fault: { kind: 'stall' } });
    await expect(fetch(proxy.url, { signal: AbortSignal.timeout(150) })).rejects.toThrow(/timeout/);
    expect(upstream.requests).toEqual([]);
    proxy.faults.add({ fault: { kind: 'stall' } });
    const pending = expect(fetch(proxy.url)).rejects.toThrow();
    await expect.poll(() => proxy.count()).toBe(2);
    await proxy.stop();
    await pending;
  });

  test('delays, and then does what the next rule says', async () => {
    await using upstream = await startEcho();
    await using proxy = await startFaultProxy({ upstream: upstream.url });
    proxy.faults.add({ fault: { kind: 'delay', milliseconds: 120 } });
    proxy.faults.add({ fault: { kind: 'status', status: 500 } });
    const start = performance.now();
    expect((await fetch(proxy.url)).status).toBe(500);
    expect(performance.now() - start).toBeGreaterThan(110);
  });

  test('changes one byte and neither length nor headers', async () => {
    await using upstream = await startEcho();
    await using proxy = await startFaultProxy({ upstream: upstream.url });
    proxy.faults.add({ fault: { kind: 'wrong-bytes' } });
    const wrong = Buffer.from(await (await fetch(`${proxy.url}/x`)).arrayBuffer());
    const right = Buffer.from(await (await fetch(`${proxy.url}/x`)).arrayBuffer());
    expect(wrong.length).toBe(right.length);
    expect(wrong.equals(right)).toBe(false);
    expect(wrong.subarray(1).equals(right.subarray(1))).toBe(true);
  });

  test('cuts an answer after so many bytes although its headers promise all', async () => {
    await using upstream = await listen(() => ({ status: 200, body: 'x'.repeat(1000) }));
    await using proxy = await startFaultProxy({ upstream: upstream.url });
    proxy.faults.add({ fault: { kind: 'cut', bytes: 300 } });
    const received: Buffer[] = [];
    const outgoing = sendRequest(proxy.url).end();
    const [answer] = await once(outgoing, 'response');
    expect(answer.headers['content-length']).toBe('1000');
    answer.on('data', (chunk: Buffer) => received.push(chunk));
    await expect(once(answer, 'end')).rejects.toThrow(/aborted/);
    expect(Buffer.concat(received).length).toBe(300);
  });

  test('lets N requests pass and drops every one after them', async () => {
    await using upstream = await startEcho();
    await using proxy = await startFaultProxy({ upstream: upstream.url });
    proxy.faults.add({ after: 2, times: Number.POSITIVE_INFINITY, fault: { kind: 'reset', when: 'before' } });
    expect((await fetch(proxy.url)).status).toBe(201);
    expect((await fetch(proxy.url)).status).toBe(201);
    await expect(fetch(proxy.url)).rejects.toThrow();
    await expect(fetch(proxy.url)).rejects.toThrow();
    expect(proxy.upstreamCount()).toBe(2);
    proxy.faults.clear();
    expect((await fetch(proxy.url)).status).toBe(201);
  });

  test('answers 502 when there is no upstream', async () => {
    const upstream = await startEcho();
    await upstream.stop();
    await using proxy = await startFaultProxy({ upstream: upstream.url });
    expect((await fetch(proxy.url)).status).toBe(502);
  });
});
