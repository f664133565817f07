import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { DEFAULT_RETRY, pauseBefore, type RetryPolicy } from '../net/retry.ts';
import type { Log } from '../runner/log.ts';
import type { Descriptor } from './manifest.ts';
import type { RegistryCall, Transport } from './transport.ts';

/** The slowest download that is waited for, in bytes a second. */
const SLOWEST = 500_000;
const MAX_ERROR_BYTES = 64 * 1024;

/**
 * A blob's bytes, chunk by chunk. A download that breaks off goes on where it stopped, by a range request.
 *
 * The last step throws Error when size or digest are not the descriptor's: what was handed on before must not be used.
 */
export async function* blobChunks(options: {
  readonly transport: Transport;
  readonly call: RegistryCall;
  readonly blob: Pick<Descriptor, 'digest' | 'size'>;
  readonly retry?: RetryPolicy;
  readonly log?: Log;
}): AsyncGenerator<Buffer> {
  const { blob, log } = options;
  const policy = options.retry ?? DEFAULT_RETRY;
  const hash = createHash(blob.digest.startsWith('sha512:') ? 'sha512' : 'sha256');
  let offset = 0;
  for (let attempt = 1; offset < blob.size; attempt += 1) {
    try {
      for await (const chunk of openAt(options, offset)) {
        offset += chunk.length;
        if (offset > blob.size) break;
        hash.update(chunk);
        yield chunk;
      }
      if (offset >= blob.size) break;
      throw new BrokenDownload(`ended after ${offset} of ${blob.size} bytes`);
    } catch (cause) {
      if (!(cause instanceof BrokenDownload) || attempt >= policy.attempts) throw cause;
      const pause = pauseBefore(attempt, policy, undefined, Math.random());
      log?.info(`download of ${blob.digest}: ${cause.message}; going on in ${(pause / 1000).toFixed(1)} s`);
      await sleep(pause);
    }
  }
  if (offset !== blob.size)
    throw new Error(`the blob ${blob.digest} is longer than the ${blob.size} bytes of its descriptor`);
  const digest = `${blob.digest.split(':')[0]}:${hash.digest('hex')}`;
  if (digest !== blob.digest)
    throw new Error(`the registry answered with bytes of ${digest} for the blob ${blob.digest}`);
}

/** The bytes stopped coming: worth another try. */
class BrokenDownload extends Error {}

async function* openAt(
  {
    transport,
    call,
    blob,
  }: { readonly transport: Transport; readonly call: RegistryCall; readonly blob: Pick<Descriptor, 'digest' | 'size'> },
  start: number,
): AsyncGenerator<Buffer> {
  const answer = await transport.stream({
    ...call,
    ...(start === 0 ? {} : { headers: { range: `bytes=${start}-` } }),
    deadline: 300_000 + (blob.size / SLOWEST) * 1000,
  });
  if (answer.status !== 200 && answer.status !== 206) {
    const head: Buffer[] = [];
    for await (const chunk of answer.stream.take(4)) head.push(Buffer.from(chunk));
    throw transport.refuse(call, { status: answer.status, body: Buffer.concat(head).subarray(0, MAX_ERROR_BYTES) });
  }
  // Servers may ignore a range; what is known already is then read over.
  let skip = answer.status === 206 ? 0 : start;
  const iterator: AsyncIterator<Buffer> = answer.stream[Symbol.asyncIterator]();
  try {
    while (true) {
      const step = await nextChunk(iterator);
      if (step.done === true) return;
      const chunk = step.value;
      const rest = chunk.subarray(Math.min(skip, chunk.length));
      skip -= chunk.length - rest.length;
      if (rest.length > 0) yield rest;
    }
  } finally {
    answer.stream.destroy();
  }
}

async function nextChunk(iterator: AsyncIterator<Buffer>): Promise<IteratorResult<Buffer>> {
  try {
    return await iterator.next();
  } catch (cause) {
    throw new BrokenDownload(cause instanceof Error ? cause.message : String(cause), { cause });
  }
}
