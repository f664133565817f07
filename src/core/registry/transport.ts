import {
  type Answer,
  type RequestBody,
  type RequestOptions,
  request,
  requestStream,
  type StreamAnswer,
} from '../net/request.ts';
import type { RetryPolicy } from '../net/retry.ts';
import type { Log } from '../runner/log.ts';
import type { Access, Credentials } from './access.ts';
import { isLoopback, registryOrigin } from './reference.ts';
import { type Attempt, refusalOf } from './refusal.ts';
import { createAuthorizer } from './token-auth.ts';

export interface RegistryCall {
  readonly registry: string;
  readonly accesses: readonly Access[];
  readonly method: 'GET' | 'HEAD' | 'PUT' | 'POST' | 'PATCH' | 'DELETE';
  /** A path under `/v2/`, or a URL that the registry gave in `Location`. */
  readonly target: string | URL;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: RequestBody;
  readonly doing: string;
  /** Milliseconds, for long transfers. */
  readonly deadline?: number;
  readonly timeout?: number;
  readonly maxBytes?: number;
  readonly retry?: false;
}

/** Sends authorised requests to registries; statuses are the caller's to judge, but 401 has been answered first. */
export interface Transport {
  send(call: RegistryCall): Promise<Answer & { readonly url: URL }>;
  stream(call: RegistryCall): Promise<StreamAnswer>;
  /** The error for an answer that the caller did not expect. */
  refuse(call: RegistryCall, answer: { readonly status: number; readonly body: Buffer }): Error;
}

const MAX_REDIRECTS = 5;

export interface TransportOptions {
  /** Username and password of a registry's host; undefined for anonymous reading. */
  readonly credentials?: (registry: string) => Credentials | undefined;
  readonly log?: Log;
  readonly retry?: RetryPolicy;
  readonly now?: () => number;
}

export function createTransport(options: TransportOptions): Transport {
  const credentials = options.credentials ?? (() => undefined);
  const authorizer = createAuthorizer({
    credentials,
    ...(options.log === undefined ? {} : { log: options.log }),
    ...(options.now === undefined ? {} : { now: options.now }),
  });

  async function authorized<T extends { readonly status: number; readonly headers: Readonly<Record<string, string>> }>(
    call: RegistryCall,
    sendOne: (options: RequestOptions) => Promise<T>,
    discard: (answer: T) => void,
  ): Promise<T & { readonly url: URL }> {
    const origin = registryOrigin(call.registry);
    let url = typeof call.target === 'string' ? new URL(`/v2/${call.target}`, origin) : call.target;
    for (let redirects = 0, tries = 0; ; ) {
      // Storage behind a redirect has its own signature in the URL and must not see the registry's token.
      const isRegistry = url.origin === new URL(origin).origin;
      const authorization: Readonly<Record<string, string>> = isRegistry
        ? await authorizer.headers(call.registry, call.accesses)
        : {};
      const answer = await sendOne({
        ...requestOptions(call, options),
        url,
        headers: { ...call.headers, ...authorization },
      });
      if (
        answer.status === 401 &&
        isRegistry &&
        tries < 2 &&
        authorizer.learn(call.registry, call.accesses, answer, authorization['authorization'])
      ) {
        tries += 1;
        discard(answer);
        continue;
      }
      const location = answer.headers['location'];
      const isRedirect = [301, 302, 303, 307, 308].includes(answer.status) && location !== undefined;
      if (!isRedirect || (call.method !== 'GET' && call.method !== 'HEAD')) return { ...answer, url };
      redirects += 1;
      if (redirects > MAX_REDIRECTS)
        throw new Error(`${call.registry} redirects more than ${MAX_REDIRECTS} times when ${call.doing}`);
      discard(answer);
      url = safeLocation(location, url);
    }
  }

  return {
    send: (call) => authorized(call, request, () => undefined),
    // What is left of a streamed answer is read away, so that its connection can be used again.
    stream: (call) => authorized(call, requestStream, ({ stream }) => stream.resume()),
    refuse: (call, answer) => {
      const { registry, accesses, doing } = call;
      const attempt: Attempt = { registry, accesses, doing, hasCredentials: credentials(registry) !== undefined };
      return refusalOf(attempt, answer);
    },
  };
}

/** Resolves a `Location`; never from TLS to plain HTTP, except on this machine. Throws Error. */
export function safeLocation(location: string, from: URL): URL {
  const url = URL.parse(location, from.href);
  if (url === null) throw new Error(`${from.host} answered with a location that is no URL`);
  if (url.protocol === 'https:' || (url.protocol === 'http:' && isLoopback(url.host))) return url;
  throw new Error(`${from.host} sends on to ${url.protocol}//${url.host}, which is not https`);
}

function requestOptions(call: RegistryCall, options: TransportOptions): Omit<RequestOptions, 'url'> {
  const { method, body, deadline, timeout, maxBytes } = call;
  const retry = call.retry ?? options.retry;
  return {
    method,
    ...(body === undefined ? {} : { body }),
    ...(deadline === undefined ? {} : { deadline }),
    ...(timeout === undefined ? {} : { timeout }),
    ...(maxBytes === undefined ? {} : { maxBytes }),
    ...(retry === undefined ? {} : { retry }),
    ...(options.log === undefined ? {} : { log: options.log }),
  };
}
