import { request } from '../../../src/core/net/request.ts';

/** Commands to one page, of https://chromedevtools.github.io/devtools-protocol/. */
export interface DevTools extends AsyncDisposable {
  /** Rejects with the browser's own words when it refuses. What comes back is as the protocol says, unchecked. */
  send<T>(method: string, parameters?: Readonly<Record<string, unknown>>): Promise<T>;
}

interface Waiting {
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: Error) => void;
}

interface Answer {
  readonly id?: number;
  readonly result?: unknown;
  readonly error?: { readonly message: string };
}

const DEADLINE = 30_000;

/** Opens an empty page in the browser whose DevTools are at `endpoint`. The page closes when it is disposed of. */
export async function openDevTools(endpoint: string): Promise<DevTools> {
  const { body } = await request({ method: 'PUT', url: `${endpoint}/json/new?about:blank` });
  const target: { id: string; webSocketDebuggerUrl: string } = JSON.parse(body.toString());
  const waiting = new Map<number, Waiting>();
  const socket = new WebSocket(target.webSocketDebuggerUrl);
  socket.addEventListener('message', ({ data }) => {
    const { id = 0, result, error }: Answer = JSON.parse(String(data));
    if (error === undefined) waiting.get(id)?.resolve(result);
    else waiting.get(id)?.reject(new Error(error.message));
  });
  socket.addEventListener('close', () => {
    for (const { reject } of waiting.values()) reject(new Error('the browser closed the page'));
  });
  await new Promise<void>((resolve, reject) => {
    socket.addEventListener('open', () => resolve());
    socket.addEventListener('error', () => reject(new Error(`no answer from ${target.webSocketDebuggerUrl}`)));
  });
  let calls = 0;
  return {
    async send<T>(method: string, parameters = {}): Promise<T> {
      calls += 1;
      const id = calls;
      const answer = new Promise<unknown>((resolve, reject) => waiting.set(id, { resolve, reject }));
      const late = new Error(`no answer within ${DEADLINE / 1000} s`);
      const timer = setTimeout(() => waiting.get(id)?.reject(late), DEADLINE);
      socket.send(JSON.stringify({ id, method, params: parameters }));
      try {
        return (await answer) as T;
      } catch (error) {
        throw new Error(`${method}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
      } finally {
        clearTimeout(timer);
        waiting.delete(id);
      }
    },
    async [Symbol.asyncDispose]() {
      socket.close();
      await request({ url: `${endpoint}/json/close/${target.id}` });
    },
  };
}
