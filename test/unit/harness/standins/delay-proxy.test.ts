import { createServer } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { describe, expect, test } from 'vitest';
import { request } from '../../../../src/core/net/request.ts';
import { startDelayProxy } from '../../../harness/standins/delay-proxy.ts';

describe('the delay proxy', () => {
  test('puts a round trip before every answer, two before the first of a connection, and keeps every byte in order', async () => {
    const server = createServer(async (incoming, outgoing) => outgoing.end(await buffer(incoming)));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    const port = typeof address === 'object' ? address?.port : 0;
    await using proxy = await startDelayProxy(`http://127.0.0.1:${port}`, 60);
    const body = Buffer.from(Array.from({ length: 1_000_000 }, (_, index) => index % 251));
    const times: number[] = [];
    for (let round = 0; round < 3; round += 1) {
      const began = performance.now();
      const answer = await request({ url: proxy.url, method: 'POST', body });
      times.push(performance.now() - began);
      expect(answer.body.equals(body)).toBe(true);
    }
    server.closeAllConnections();
    server.close();
    expect(times[0]).toBeGreaterThanOrEqual(118);
    expect(Math.min(...times.slice(1))).toBeGreaterThanOrEqual(58);
    expect(Math.min(...times.slice(1))).toBeLessThan(118);
  });
});
