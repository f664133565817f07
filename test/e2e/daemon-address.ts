import { connect, createServer, type Server, type Socket } from 'node:net';
import { serviceAddress } from './service-address.ts';

/**
 * A BuildKit daemon's address that leads to the engine's own BuildKit: Debian has no buildkitd, and the engine speaks
 * the same protocol behind an upgrade of `POST /grpc` (moby, daemon/server/router/grpc).
 */
export async function startDaemonAddress(): Promise<{ readonly port: number } & AsyncDisposable> {
  const socket = serviceAddress('DOCKER_HOST').replace(/^unix:\/\//, '');
  const sockets = new Set<Socket>();
  const server: Server = createServer((client) => {
    const engine = connect(socket);
    for (const each of [client, engine]) {
      sockets.add(each);
      each.on('error', () => each.destroy());
      each.on('close', () => [client, engine].forEach((one) => void one.destroy()));
    }
    engine.write('POST /grpc HTTP/1.1\r\nHost: docker\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n');
    let head = Buffer.alloc(0);
    engine.on('data', function readHead(chunk: Buffer) {
      head = Buffer.concat([head, chunk]);
      const end = head.indexOf('\r\n\r\n');
      if (end < 0) return;
      engine.off('data', readHead);
      client.write(head.subarray(end + 4));
      engine.pipe(client);
    });
    client.pipe(engine);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    [Symbol.asyncDispose]: async () => {
      for (const each of sockets) each.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
