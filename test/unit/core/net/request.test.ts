import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { request, requestStream } from '../../../../src/core/net/request.ts';
import { parseRetryAfter, pauseBefore } from '../../../../src/core/net/retry.ts';
import { createLog } from '../../../../src/core/runner/log.ts';

const quick = { attempts: 4, firstPause: 1, longestPause: 5 };

async function serve(listener: RequestListener) {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/path?signature=secret`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Answers with one step of the list a request, the last one for ever. */
function steps(
  ...list: ((incoming: IncomingMessage, response: ServerResponse) => void)[]
): RequestListener & { count: number } {
  const listener = (incoming: IncomingMessage, response: ServerResponse): void => {
    list[Math.min(listener.count, list.length - 1)]?.(incoming, response);
    listener.count += 1;
  };
  listener.count = 0;
  return listener;
}

const status =
  (code: number, headers: Record<string, string> = {}) =>
  (_: IncomingMessage, response: ServerResponse) => {
    response.writeHead(code, headers).end('body');
  };
const reset = (incoming: IncomingMessage): void => {
  incoming.socket.destroy();
};

describe('what is worth another try gets one', () => {
  test.each([
    ['a reset', [reset, status(200)]],
    ['429', [status(429), status(200)]],
    ['500 and 503', [status(500), status(503), status(200)]],
    ['408', [status(408), status(200)]],
  ])('%s', async (_, list) => {
    const listener = steps(...list);
    await using server = await serve(listener);
    const answer = await request({ url: server.url, retry: quick });
    expect(answer.status).toBe(200);
    expect(listener.count).toBe(list.length);
  });

  test('silence is given up after the time-out', async () => {
    const listener = steps(() => {}, status(200));
    await using server = await serve(listener);
    expect((await request({ url: server.url, retry: quick, timeout: 100 })).status).toBe(200);
  });

  test('each retry is said in one line, without the query of the address', async () => {
    const lines: string[] = [];
    await using server = await serve(steps(status(503), status(200)));
    await request({ url: server.url, retry: quick, log: createLog((line) => lines.push(line), { debug: false }) });
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatch(/^GET http:\/\/127\.0\.0\.1:\d+\/path: status 503; trying again in 0\.0 s \(1 of 3\)$/);
  });
});

test.each([400, 401, 403, 404, 409, 412, 501])('a refusal such as %d is final', async (code) => {
  const listener = steps(status(code));
  await using server = await serve(listener);
  expect((await request({ url: server.url, retry: quick })).status).toBe(code);
  expect(listener.count).toBe(1);
});

test('a fault that does not pass is returned after the last try', async () => {
  const listener = steps(status(502));
  await using server = await serve(listener);
  expect((await request({ url: server.url, retry: quick })).status).toBe(502);
  expect(listener.count).toBe(4);
});

test('no answer at all is an error with its cause', async () => {
  await using server = await serve(steps(reset));
  await expect(request({ url: server.url, retry: quick })).rejects.toMatchObject({
    name: 'RequestError',
    cause: expect.any(Error),
  });
});

test('an answer without end is cut at the limit and not asked for again', async () => {
  const listener = steps((_, response) => Readable.from(endless()).pipe(response));
  await using server = await serve(listener);
  await expect(request({ url: server.url, retry: quick, maxBytes: 100_000 })).rejects.toThrow(
    /longer than 100000 bytes/,
  );
  expect(listener.count).toBe(1);
});

test('an answer that is cut in its middle is asked for again', async () => {
  const listener = steps(
    (_, response) => {
      response.writeHead(200, { 'content-length': '1000' });
      response.write('half', () => response.destroy());
    },
    (_, response) => response.end('whole'),
  );
  await using server = await serve(listener);
  expect((await request({ url: server.url, retry: quick })).body.toString()).toBe('whole');
  expect(listener.count).toBe(2);
});

test('an answer that drips is cut at the deadline', async () => {
  await using server = await serve((_, response) => {
    response.writeHead(200);
    const timer = setInterval(() => response.write('.'), 20);
    response.on('close', () => clearInterval(timer));
  });
  const started = Date.now();
  await expect(request({ url: server.url, retry: quick, deadline: 300 })).rejects.toThrow();
  expect(Date.now() - started).toBeLessThan(3000);
});

test('a body of a stream is sent whole again on a retry, with its length', async () => {
  const seen: { length: string | undefined; chunked: string | undefined; body: string }[] = [];
  await using server = await serve(async (incoming, response) => {
    let body = '';
    for await (const chunk of incoming) body += String(chunk);
    seen.push({ length: incoming.headers['content-length'], chunked: incoming.headers['transfer-encoding'], body });
    response.writeHead(seen.length === 1 ? 500 : 200).end();
  });
  await request({
    url: server.url,
    method: 'PUT',
    retry: quick,
    body: { stream: () => Readable.from(['he', 'llo']), length: 5 },
  });
  expect(seen).toEqual([
    { length: '5', chunked: undefined, body: 'hello' },
    { length: '5', chunked: undefined, body: 'hello' },
  ]);
});

test('a streamed answer can be read piece by piece', async () => {
  await using server = await serve(steps(status(200)));
  const answer = await requestStream({ url: server.url });
  expect(Buffer.concat(await answer.stream.toArray()).toString()).toBe('body');
});

describe('pauses', () => {
  test.each([
    [1, 0, 250],
    [1, 0.999, 500],
    [3, 0.999, 1999],
    [9, 0.999, 19_990],
  ])('before try %d with chance %d: %d ms', (attempt, random, expected) => {
    const pause = pauseBefore(attempt, { attempts: 9, firstPause: 500, longestPause: 20_000 }, undefined, random);
    expect(pause).toBeCloseTo(expected, -1);
  });

  test('are never shorter than what the server asks for', () => {
    expect(pauseBefore(1, { attempts: 9, firstPause: 500, longestPause: 20_000 }, 30_000, 0)).toBe(30_000);
  });

  test.each([
    ['7', 7000],
    ['Sat, 21 Nov 2026 12:00:10 GMT', 10_000],
    ['soon', undefined],
    [undefined, undefined],
  ])('Retry-After %s', (value, expected) => {
    expect(parseRetryAfter(value, Date.parse('2026-11-21T12:00:00Z'))).toBe(expected);
  });
});

function* endless(): Generator<Buffer> {
  for (;;) yield Buffer.alloc(10_000);
}
