import { connect, createServer, type Socket } from 'node:net';

export interface DelayProxy extends AsyncDisposable {
  /** The upstream's address with this proxy's port. */
  readonly url: string;
  stop(): Promise<void>;
}

/**
 * A distance between a client and a server on one machine: every byte arrives half of `roundTrip` milliseconds later,
 * in both directions, in order; bandwidth is not limited. As on a real line, opening a connection costs a round trip
 * before the first request's own.
 */
export async function startDelayProxy(upstream: string, roundTrip: number): Promise<DelayProxy> {
  const target = new URL(upstream);
  const sockets = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (client) => {
    const remote = connect({ host: target.hostname, port: Number(target.port), allowHalfOpen: true, noDelay: true });
    for (const socket of [client, remote]) {
      sockets.add(socket);
      socket.once('close', () => sockets.delete(socket));
    }
    // The handshake: its round trip is paid by what the client sends first.
    forward(client, remote, roundTrip / 2, roundTrip);
    forward(remote, client, roundTrip / 2, 0);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the delay proxy listens on no port');
  const stop = async (): Promise<void> => {
    for (const socket of sockets) socket.destroy();
    await new Promise<void>((resolve) => server.close(() => resolve()));
  };
  return { url: `http://127.0.0.1:${address.port}`, stop, [Symbol.asyncDispose]: stop };
}

function forward(from: Socket, to: Socket, delay: number, opening: number): void {
  const opened = performance.now() + opening;
  const waiting: { readonly due: number; readonly task: () => void }[] = [];
  // One queue and one timer: timers of different lengths would not keep the bytes in order.
  const release = (): void => {
    for (let next = waiting[0]; next !== undefined && next.due <= performance.now(); next = waiting[0]) {
      waiting.shift();
      next.task();
    }
    const [next] = waiting;
    if (next !== undefined) setTimeout(release, Math.max(1, next.due - performance.now()));
  };
  const later = (task: () => void): void => {
    waiting.push({ due: Math.max(performance.now(), opened) + delay, task });
    if (waiting.length === 1) release();
  };
  from.on('data', (chunk) => later(() => to.writable && to.write(chunk)));
  from.on('end', () => later(() => to.end()));
  from.on('error', () => to.destroy());
}
