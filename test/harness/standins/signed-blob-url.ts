import { createHmac } from 'node:crypto';

export interface BlobAccess {
  /** `r` to read, `w` to write. */
  readonly permission: 'r' | 'w';
  /** Seconds from now. */
  readonly expiresIn: number;
  /** What a download is saved as (`rscd` of a shared access signature). */
  readonly contentDisposition?: string;
}

/** Path and query of a blob, signed as Azure's shared access signatures are: what the signature covers cannot be changed. */
export function signBlobPath(key: Uint8Array, path: string, access: BlobAccess): string {
  const query = new URLSearchParams({
    sv: '2025-05-05',
    sr: 'b',
    sp: access.permission,
    se: new Date(Date.now() + access.expiresIn * 1000).toISOString(),
  });
  if (access.contentDisposition !== undefined) query.set('rscd', access.contentDisposition);
  query.set('sig', signature(key, path, query));
  return `${path}?${query}`;
}

/** Why this URL may not be used in this way, in Azure's error codes; undefined when it may. */
export function refuseBlobUrl(key: Uint8Array, url: URL, permission: 'r' | 'w'): string | undefined {
  const query = url.searchParams;
  if (query.get('sig') !== signature(key, url.pathname, query)) return 'AuthenticationFailed';
  if (!(Date.parse(query.get('se') ?? '') > Date.now())) return 'AuthenticationFailed';
  return query.get('sp') === permission ? undefined : 'AuthorizationPermissionMismatch';
}

function signature(key: Uint8Array, path: string, query: URLSearchParams): string {
  const signed = [path, ...['sv', 'sr', 'sp', 'se', 'rscd'].map((name) => query.get(name) ?? '')].join('\n');
  return createHmac('sha256', key).update(signed).digest('base64');
}
