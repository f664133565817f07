import type { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { RequestError } from '../net/request.ts';
import { DEFAULT_RETRY, isWorthRetrying, pauseBefore, type RetryPolicy } from '../net/retry.ts';
import type { Log } from '../runner/log.ts';
import type { Access } from './access.ts';
import { formatRepository, type Repository } from './reference.ts';
import { type RegistryCall, safeLocation, type Transport } from './transport.ts';

/** Bytes to upload: read again from an offset when an upload goes on after a fault. */
export interface BlobSource {
  readonly digest: string;
  readonly size: number;
  /** A stream of the bytes from `start` on, up to and without `end`. */
  readonly open: (start: number, end: number) => Readable;
}

export interface UploadOptions {
  readonly transport: Transport;
  readonly repository: Repository;
  readonly source: BlobSource;
  /** Bytes of one request; undefined sends all in one. */
  readonly chunkBytes?: number;
  readonly retry?: RetryPolicy;
  readonly log?: Log;
}

/** The slowest upload that is waited for, in bytes a second: 10 GB in under three hours. */
const SLOWEST = 1_000_000;
/** A registry that checks a large blob's digest says nothing meanwhile. */
const SILENCE = 120_000;

/**
 * Uploads a blob: one POST and one PUT, as BuildKit does, or chunks (OCI distribution specification 1.1, "Pushing a
 * blob in chunks"). After a fault the registry is asked how much it has, and the rest follows; where it does not know,
 * a new upload begins. Throws ConfigurationError or RegistryError for refusals, RequestError when no try gets through.
 */
export async function uploadBlob(options: UploadOptions): Promise<void> {
  const { source, log } = options;
  const policy = options.retry ?? DEFAULT_RETRY;
  let session = await openSession(options);
  for (let attempt = 1; ; attempt += 1) {
    const outcome = await sendRest(options, session);
    if (outcome.kind === 'done') return;
    if (attempt >= policy.attempts) throw outcome.fault;
    const pause = pauseBefore(attempt, policy, undefined, Math.random());
    log?.info(
      `upload of ${source.digest} to ${formatRepository(options.repository)}: ${outcome.fault.message}; trying again in ${(pause / 1000).toFixed(1)} s`,
    );
    await sleep(pause);
    session = (await findSession(options, session)) ?? (await openSession(options));
  }
}

interface Session {
  readonly location: URL;
  /** How many bytes the registry has. */
  readonly offset: number;
}

type Outcome = { readonly kind: 'done' } | { readonly kind: 'fault'; readonly fault: Error };

async function openSession({ transport, repository, source }: UploadOptions): Promise<Session> {
  const call = uploadCall(repository, source.digest, 'POST', `${repository.name}/blobs/uploads/`);
  const answer = await transport.send(call);
  if (answer.status !== 202) throw transport.refuse(call, answer);
  return { location: locationOf(answer, repository), offset: 0 };
}

/** Asks how far a broken upload came; undefined when the registry no longer knows it. */
async function findSession(
  { transport, repository, source }: UploadOptions,
  last: Session,
): Promise<Session | undefined> {
  const answer = await transport.send(uploadCall(repository, source.digest, 'GET', last.location));
  const range = /^(?:bytes=)?0-(\d+)$/.exec(answer.headers['range'] ?? '');
  // `0-0` stands for one byte as well as for none (distribution 2.8): then the upload begins anew.
  if (answer.status !== 204 || range === null || range[1] === '0') return undefined;
  const offset = Number(range[1]) + 1;
  return offset > source.size ? undefined : { location: locationOf(answer, repository), offset };
}

async function sendRest(options: UploadOptions, start: Session): Promise<Outcome> {
  const { transport, repository, source } = options;
  let session = start;
  const chunk = options.chunkBytes ?? source.size;
  try {
    // After a fault the rest goes as a chunk, because a closing PUT may not carry a range everywhere.
    while (session.offset < source.size && (session.offset > 0 || chunk < source.size)) {
      const end = Math.min(source.size, session.offset + chunk);
      const call = uploadCall(
        repository,
        source.digest,
        'PATCH',
        session.location,
        bodyOf(source, session.offset, end),
      );
      const answer = await transport.send(call);
      if (isWorthRetrying(answer.status) || answer.status === 416)
        return { kind: 'fault', fault: transport.refuse(call, answer) };
      if (answer.status !== 202) throw transport.refuse(call, answer);
      session = { location: locationOf(answer, repository), offset: end };
    }
    const location = new URL(session.location);
    location.searchParams.set('digest', source.digest);
    const call = uploadCall(repository, source.digest, 'PUT', location, bodyOf(source, session.offset, source.size));
    const answer = await transport.send(call);
    if (answer.status === 201 || answer.status === 204) return { kind: 'done' };
    if (isWorthRetrying(answer.status) || answer.status === 416)
      return { kind: 'fault', fault: transport.refuse(call, answer) };
    throw transport.refuse(call, answer);
  } catch (cause) {
    if (cause instanceof RequestError) return { kind: 'fault', fault: cause };
    throw cause;
  }
}

function bodyOf(
  source: BlobSource,
  start: number,
  end: number,
): Pick<RegistryCall, 'body' | 'headers' | 'deadline' | 'timeout'> {
  if (start === end) return { body: '' };
  return {
    body: { stream: () => source.open(start, end), length: end - start },
    headers: {
      'content-type': 'application/octet-stream',
      ...(start === 0 && end === source.size ? {} : { 'content-range': `${start}-${end - 1}` }),
    },
    deadline: 300_000 + ((end - start) / SLOWEST) * 1000,
    timeout: SILENCE,
  };
}

function uploadCall(
  repository: Repository,
  digest: string,
  method: RegistryCall['method'],
  target: string | URL,
  body: Pick<RegistryCall, 'body' | 'headers' | 'deadline' | 'timeout'> = method === 'POST' ? { body: '' } : {},
): RegistryCall {
  const accesses: readonly Access[] = [{ name: repository.name, actions: 'pull,push' }];
  const doing = `the blob ${digest} was uploaded to ${formatRepository(repository)}`;
  // A request with a body is one try: what follows depends on how much of it arrived.
  const isWhole = method === 'PUT' || method === 'PATCH';
  return {
    registry: repository.registry,
    accesses,
    method,
    target,
    doing,
    ...body,
    ...(isWhole ? { retry: false } : {}),
  };
}

function locationOf(
  answer: { readonly headers: Readonly<Record<string, string>>; readonly url: URL },
  repository: Repository,
): URL {
  const location = answer.headers['location'];
  if (location === undefined) throw new Error(`${repository.registry} opened an upload without a location`);
  return safeLocation(location, answer.url);
}
