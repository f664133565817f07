import { connect, createServer } from 'node:net';

/** A TCP proxy that counts what passes, in both directions together. */
export interface CountingProxy extends AsyncDisposable {
  /** `127.0.0.1:PORT`. */
  readonly host: string;
  /** Bytes so far. */
  count(): number;
}

export async function startCountingProxy(target: string): Promise<CountingProxy> {
  const [address = '', port = ''] = target.split(':');
  let bytes = 0;
  const server = createServer((client) => {
    const upstream = connect({ host: address, port: Number(port) });
    for (const [from, to] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      from.on('data', (chunk: Buffer) => {
        bytes += chunk.length;
      });
      from.on('error', () => to.destroy());
      from.pipe(to);
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const own = server.address();
  if (own === null || typeof own === 'string') throw new Error('the counting proxy listens on no port');
  return {
    host: `127.0.0.1:${own.port}`,
    count: () => bytes,
    [Symbol.asyncDispose]: async () => {
      server.close();
    },
  };
}
