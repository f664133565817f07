import type { BlockBlobs } from './block-blobs.ts';
import {
  type CacheEntry,
  entriesToEvict,
  findEntry,
  findReservation,
  readableScopes,
  writableScope,
} from './cache-entries.ts';
import type { RuntimeToken } from './runtime-token.ts';
import { TwirpError, type TwirpMessage } from './twirp.ts';

/** GitHub's answer when a policy took a job's right to its caches; @actions/cache knows the words. */
const READ_DENIED = 'cache read denied: the token has no readable cache scopes';
const WRITE_DENIED = 'cache write denied: the token has no writable cache scopes';

export interface CacheServiceOptions {
  readonly blobs: BlockBlobs;
  readonly signedUrl: (blob: string, permission: 'r' | 'w') => string;
  /** Bytes of all entries together; the least recently used go when it is passed. */
  readonly quota: number;
}

export interface CacheService {
  readonly entries: () => readonly CacheEntry[];
  readonly call: (method: string, message: TwirpMessage, token: RuntimeToken) => Promise<object>;
}

export function createCacheService({ blobs, signedUrl, quota }: CacheServiceOptions): CacheService {
  let entries: CacheEntry[] = [];
  const lastUse = new Map<number, number>();
  let clock = 0;
  const touch = ({ id }: CacheEntry) => {
    clock += 1;
    lastUse.set(id, clock);
  };
  let lastId = 0;

  function create(message: TwirpMessage, token: RuntimeToken): object {
    const { key, version } = requiredKey(message);
    const scope = writableScope(token.scopes);
    if (scope === undefined) return { ok: false, signed_upload_url: '', message: WRITE_DENIED };
    if (findReservation(entries, { scope, key, version }) !== undefined) {
      throw new TwirpError('already_exists', 'cache entry with the same key, version, and scope already exists');
    }
    lastId += 1;
    const entry = { id: lastId, scope, key, version, blob: `/actions-results/caches/${lastId}` };
    entries.push(entry);
    return { ok: true, signed_upload_url: signedUrl(entry.blob, 'w'), message: '' };
  }

  async function finalize(message: TwirpMessage, token: RuntimeToken): Promise<object> {
    const { key, version } = requiredKey(message);
    const scope = writableScope(token.scopes);
    if (scope === undefined) return { ok: false, entry_id: '0', message: WRITE_DENIED };
    const entry = findReservation(entries, { scope, key, version });
    if (entry === undefined) throw new TwirpError('not_found', 'cache entry not found');
    const size = blobs.size(entry.blob);
    if (size === undefined || size !== message.integer('size_bytes')) {
      throw new TwirpError('invalid_argument', `size_bytes does not match the ${size ?? 0} bytes that were uploaded`);
    }
    const finalized = { ...entry, size };
    entries = entries.map((other) => (other === entry ? finalized : other));
    touch(finalized);
    const evicted = entriesToEvict(entries, quota, lastUse);
    entries = entries.filter((other) => !evicted.includes(other));
    for (const { blob } of evicted) await blobs.remove(blob);
    return { ok: true, entry_id: String(entry.id), message: '' };
  }

  function lookUp(message: TwirpMessage, token: RuntimeToken): object {
    const { key, version } = requiredKey(message);
    if (readableScopes(token.scopes).length === 0) throw new TwirpError('permission_denied', READ_DENIED);
    const restoreKeys = message.texts('restore_keys');
    const entry = findEntry(entries, { key, restoreKeys, version, scopes: token.scopes });
    if (entry === undefined) return { ok: false, signed_download_url: '', matched_key: '' };
    touch(entry);
    return { ok: true, signed_download_url: signedUrl(entry.blob, 'r'), matched_key: entry.key };
  }

  return {
    entries: () => entries,
    call: async (method, message, token) => {
      if (method === 'CreateCacheEntry') return create(message, token);
      if (method === 'FinalizeCacheEntryUpload') return finalize(message, token);
      if (method === 'GetCacheEntryDownloadURL') return lookUp(message, token);
      throw new TwirpError('bad_route', `no handler for CacheService/${method}`);
    },
  };
}

function requiredKey(message: TwirpMessage): { key: string; version: string } {
  const key = message.text('key');
  const version = message.text('version');
  if (key === '' || key.length > 512) throw new TwirpError('invalid_argument', 'key must have 1 to 512 characters');
  if (version === '') throw new TwirpError('invalid_argument', 'version is required');
  return { key, version };
}
