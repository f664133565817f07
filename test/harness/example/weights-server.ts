import { listen, type Standin } from '../standins/listening-server.ts';

/** A server of one model file, whatever path is asked for. */
export interface WeightsServer extends Standin {
  /** What it sends from now on. */
  weights: Buffer;
}

export async function startWeightsServer(weights: Buffer): Promise<WeightsServer> {
  const served = { weights };
  return Object.assign(served, await listen(() => ({ status: 200, body: served.weights })));
}
