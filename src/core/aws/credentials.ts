/** What a request is signed with. Lives in memory only; the secret parts are masked before this value exists. */
export interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
  /** Milliseconds since the epoch; absent for keys that do not end. */
  readonly expiration?: number;
}

export type CredentialSource = () => Promise<Credentials>;

/** Credentials are renewed this long before they end, so that no request in flight carries dead ones. */
const RENEWAL_MARGIN = 300_000;

/**
 * Credentials that are fetched once, shared by concurrent callers, and renewed before they end.
 *
 * The margin is five minutes, or a quarter of the lifetime for sessions shorter than twenty minutes. A failed renewal
 * is thrown to whoever asked, and the next caller tries again.
 */
export function renewing(source: CredentialSource, now: () => number = Date.now): CredentialSource {
  let current: { readonly credentials: Promise<Credentials>; renewAt: number } | undefined;
  return () => {
    if (current !== undefined && now() < current.renewAt) return current.credentials;
    const fetching = { credentials: source(), renewAt: Number.POSITIVE_INFINITY };
    current = fetching;
    fetching.credentials.then(
      ({ expiration }) => {
        if (expiration === undefined) return;
        fetching.renewAt = expiration - Math.min(RENEWAL_MARGIN, (expiration - now()) / 4);
      },
      () => {
        if (current === fetching) current = undefined;
      },
    );
    return fetching.credentials;
  };
}
