import { type Answer, request } from '../net/request.ts';
import { isRecord } from '../runner/event.ts';
import type { Log } from '../runner/log.ts';
import type { Access, Credentials } from './access.ts';
import { isLoopback, registryOrigin } from './reference.ts';
import { refusalOf } from './refusal.ts';

export interface Authorizer {
  /** The Authorization header for requests of these accesses, as far as this registry is known to ask for one. */
  headers(registry: string, accesses: readonly Access[]): Promise<Readonly<Record<string, string>>>;
  /** Learns from a 401 answer to a request with the header `sent`; true when another try can have another end. */
  learn(registry: string, accesses: readonly Access[], answer: Refused, sent: string | undefined): boolean;
}

interface Refused {
  readonly headers: Readonly<Record<string, string>>;
}

export type Challenge =
  | { readonly scheme: 'basic' }
  | { readonly scheme: 'bearer'; readonly realm: string; readonly service: string | undefined };

interface Token {
  readonly value: string;
  /** Milliseconds since the epoch. */
  readonly expires: number;
}

interface KeptToken {
  readonly request: Promise<Token>;
  /** Set once the request has been answered. */
  token: Token | undefined;
}

/** The least a token lives (distribution's token specification, `expires_in`), in seconds. */
const DEFAULT_LIFE = 60;
/** Milliseconds before its end at which a token is no longer used: a request takes time to arrive. */
const MARGIN = 10_000;
const MAX_TOKEN_BYTES = 256 * 1024;

/**
 * Registry authentication: distribution's token specification (Bearer) and Basic.
 *
 * The first request goes out bare; its challenge is remembered for the registry, so that every further scope costs one
 * token request and no second 401. Tokens are kept per scope until shortly before they expire. Credentials go to the
 * registry's realm in an Authorization header and nowhere else.
 */
export function createAuthorizer(options: {
  readonly credentials: (registry: string) => Credentials | undefined;
  readonly log?: Log;
  readonly now?: () => number;
}): Authorizer {
  const now = options.now ?? Date.now;
  const challenges = new Map<string, Challenge>();
  const tokens = new Map<string, KeptToken>();
  const keyOf = (registry: string, accesses: readonly Access[]): string => [registry, ...scopesOf(accesses)].join(' ');

  return {
    async headers(registry, accesses) {
      const challenge = challenges.get(registry);
      const credentials = options.credentials(registry);
      if (challenge === undefined) return {};
      if (challenge.scheme === 'basic') return credentials === undefined ? {} : { authorization: basic(credentials) };
      const key = keyOf(registry, accesses);
      const kept = tokens.get(key);
      const isUsable = kept?.token === undefined || kept.token.expires - MARGIN > now();
      if (kept !== undefined && isUsable) return { authorization: `Bearer ${(await kept.request).value}` };
      // Kept before it is there: parallel uploads wait for one token request.
      const fetched: KeptToken = {
        request: fetchToken({ registry, challenge, credentials, accesses, now, log: options.log }),
        token: undefined,
      };
      tokens.set(key, fetched);
      try {
        fetched.token = await fetched.request;
        return { authorization: `Bearer ${fetched.token.value}` };
      } catch (cause) {
        tokens.delete(key);
        throw cause;
      }
    },
    learn(registry, accesses, answer, sent) {
      const challenge = parseChallenge(answer.headers['www-authenticate'] ?? '');
      if (challenge === undefined) return false;
      challenges.set(registry, challenge);
      if (challenge.scheme === 'basic') return sent === undefined && options.credentials(registry) !== undefined;
      const key = keyOf(registry, accesses);
      // Another request may have got a new token meanwhile: only the one that was refused is given up.
      if (sent !== undefined && sent === `Bearer ${tokens.get(key)?.token?.value}`) tokens.delete(key);
      return true;
    },
  };
}

/** The first challenge of a WWW-Authenticate header that can be met (RFC 9110, 11.6.1); Bearer before Basic. */
export function parseChallenge(header: string): Challenge | undefined {
  if (header.length > 8192) return undefined;
  const bearer = /(?:^|,)\s*bearer\s+/i.exec(header);
  if (bearer !== null) {
    const parameters = new Map<string, string>();
    const pattern = /([A-Za-z]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))\s*,?\s*/y;
    pattern.lastIndex = bearer.index + bearer[0].length;
    for (let match = pattern.exec(header); match !== null; match = pattern.exec(header)) {
      parameters.set((match[1] ?? '').toLowerCase(), match[2]?.replace(/\\(.)/g, '$1') ?? match[3] ?? '');
    }
    const realm = parameters.get('realm');
    if (realm !== undefined) return { scheme: 'bearer', realm, service: parameters.get('service') };
  }
  return /(?:^|,)\s*basic(?:\s|$)/i.test(header) ? { scheme: 'basic' } : undefined;
}

function scopesOf(accesses: readonly Access[]): readonly string[] {
  return accesses.map(({ name, actions }) => `repository:${name}:${actions}`);
}

function basic({ username, password }: Credentials): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
}

async function fetchToken(options: {
  readonly registry: string;
  readonly challenge: Extract<Challenge, { scheme: 'bearer' }>;
  readonly credentials: Credentials | undefined;
  readonly accesses: readonly Access[];
  readonly now: () => number;
  readonly log: Log | undefined;
}): Promise<Token> {
  const { registry, challenge, credentials, accesses } = options;
  const url = realmUrl(registry, challenge.realm);
  if (challenge.service !== undefined) url.searchParams.set('service', challenge.service);
  for (const scope of scopesOf(accesses)) url.searchParams.append('scope', scope);
  const answer = await request({
    url,
    headers: {
      accept: 'application/json',
      ...(credentials === undefined ? {} : { authorization: basic(credentials) }),
    },
    maxBytes: MAX_TOKEN_BYTES,
    ...(options.log === undefined ? {} : { log: options.log }),
  });
  if (answer.status !== 200) {
    throw refusalOf(
      { registry, accesses, hasCredentials: credentials !== undefined, doing: 'a token was asked for' },
      answer,
    );
  }
  return readToken(answer, registry, options.now());
}

function realmUrl(registry: string, realm: string): URL {
  const url = URL.parse(realm, registryOrigin(registry));
  // A registry reached over TLS may not send the password somewhere else in the clear.
  const isSafe = url !== null && (url.protocol === 'https:' || (url.protocol === 'http:' && isLoopback(url.host)));
  if (!isSafe)
    throw new Error(
      `the registry ${registry} asks for a token from "${realm.slice(0, 200)}", which is no https address`,
    );
  return url;
}

function readToken(answer: Answer, registry: string, received: number): Token {
  let body: unknown;
  try {
    body = JSON.parse(answer.body.toString('utf8'));
  } catch (cause) {
    throw new Error(`the token service of ${registry} did not answer with JSON`, { cause });
  }
  const fields = isRecord(body) ? body : {};
  const value = fields['token'] ?? fields['access_token'];
  if (typeof value !== 'string' || !/^[\x21-\x7e]+$/.test(value)) {
    throw new Error(`the token service of ${registry} answered without a token`);
  }
  const life = fields['expires_in'];
  return { value, expires: received + 1000 * (typeof life === 'number' && life > 0 ? life : DEFAULT_LIFE) };
}
