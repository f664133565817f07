import { formatAttributes } from './bake-definition.ts';

export type CacheKind = 'gha' | 'registry' | 'local' | 'off';
export type CacheMode = 'min' | 'max';

/** Where the cache of one target lives. */
export interface CacheRequest {
  readonly kind: CacheKind;
  /** Unique to image, variant, platform and Dockerfile; BuildKit's own default is one scope for a whole repository. */
  readonly scope: string;
  readonly mode: CacheMode;
  readonly isWritable: boolean;
  /** `registry`: the repository that holds the cache beside the image. */
  readonly repository?: string;
  /** `local`: an absolute folder, in which every scope has one of its own. */
  readonly folder?: string;
  /** Milliseconds after which BuildKit gives a GitHub cache up. */
  readonly timeout: number;
}

export interface CacheAttributes {
  readonly 'cache-from'?: readonly string[];
  readonly 'cache-to'?: readonly string[];
}

/**
 * BuildKit's cache attributes for one target.
 *
 * The address and the token of GitHub's cache are not named: buildx takes them from the environment, and they then
 * stand in no file and no argument. GitHub itself reads the base branch's entries after the branch's own.
 * `ignore-error` keeps a full or broken cache from failing a build that succeeded (moby/buildkit#5650).
 */
export function planCache(request: CacheRequest): CacheAttributes {
  const { kind, mode, isWritable } = request;
  const write = { mode, 'ignore-error': true };
  if (kind === 'gha') {
    const place = { type: 'gha', scope: request.scope, timeout: `${Math.ceil(request.timeout / 1000)}s` };
    return attributes(place, { ...place, ...write }, isWritable);
  }
  if (kind === 'registry' && request.repository !== undefined) {
    const place = { type: 'registry', ref: `${request.repository}:${cacheTag(request.scope)}` };
    const manifest = { 'image-manifest': true, 'oci-mediatypes': true };
    return attributes(place, { ...place, ...manifest, ...write }, isWritable);
  }
  if (kind === 'local' && request.folder !== undefined) {
    const folder = localCacheFolder(request.folder, request.scope);
    const to = { type: 'local', dest: nextFolder(folder), ...write };
    return attributes({ type: 'local', src: folder }, to, isWritable);
  }
  return {};
}

type Attributes = Readonly<Record<string, string | boolean>>;

function attributes(from: Attributes, to: Attributes, isWritable: boolean): CacheAttributes {
  return { 'cache-from': [formatAttributes(from)], ...(isWritable ? { 'cache-to': [formatAttributes(to)] } : {}) };
}

/** The tag under which a scope's cache stands in a registry: at most 128 of the characters that tags may have. */
function cacheTag(scope: string): string {
  return `buildcache-${scope.replace(/[^\w.-]/g, '-')}`.slice(0, 128);
}

/** The folder of one scope in a local cache. */
export function localCacheFolder(folder: string, scope: string): string {
  return `${folder}/${scope.replace(/[^\w.-]/g, '-')}`;
}

/**
 * Where a local cache is written before it takes the old one's place: BuildKit only ever adds to a local cache, so
 * that one which is written where it was read from grows for ever.
 */
export function nextFolder(folder: string): string {
  return `${folder}.next`;
}
