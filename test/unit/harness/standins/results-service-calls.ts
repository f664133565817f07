import type { ResultsService } from '../../../harness/standins/results-service.ts';

/** A Twirp call of a job, as any HTTP client could make it. */
export async function call(
  service: ResultsService,
  method: string,
  message: object,
  token = service.mintRuntimeToken(),
) {
  const name = method.includes('Artifact') ? 'ArtifactService' : 'CacheService';
  const answer = await fetch(`${service.url}/twirp/github.actions.results.api.v1.${name}/${method}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify(message),
  });
  return { status: answer.status, body: JSON.parse(await answer.text()) };
}

export function put(url: string, body: string | Uint8Array<ArrayBuffer>, headers: Record<string, string> = {}) {
  return fetch(url, { method: 'PUT', body, headers: { 'x-ms-blob-type': 'BlockBlob', ...headers } });
}

export async function save(service: ResultsService, key: string, content: string, token = service.mintRuntimeToken()) {
  const created = await call(service, 'CreateCacheEntry', { key, version: 'v' }, token);
  await put(created.body.signed_upload_url, content);
  return call(service, 'FinalizeCacheEntryUpload', { key, version: 'v', size_bytes: content.length }, token);
}

export function lookUp(service: ResultsService, key: string, token?: string) {
  return call(service, 'GetCacheEntryDownloadURL', { key, restore_keys: [], version: 'v' }, token);
}
