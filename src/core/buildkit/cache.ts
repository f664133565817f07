import { createHash } from 'node:crypto';
import { formatAttributes } from './bake-definition.ts';

export type CacheKind = 'gha' | 'registry' | 'local' | 'off';
export type CacheMode = 'min' | 'max';

/** Where the cache of one target lives. */
export interface CacheRequest {
  readonly kind: CacheKind;
  /** Unique to image, variant, platform and Dockerfile; BuildKit's own default is one scope for a whole repository. */
  readonly scope: string;
  /** What the branch that builds adds to the scope in a registry or a folder, then those that it reads after its own. */
  readonly branches: readonly string[];
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
  const scopes = request.branches.map((branch) => `${request.scope}${branch}`);
  const own = scopes[0] ?? request.scope;
  const write = { mode, 'ignore-error': true };
  if (kind === 'gha') {
    const place = { type: 'gha', scope: request.scope, timeout: `${Math.ceil(request.timeout / 1000)}s` };
    return attributes([place], { ...place, ...write }, isWritable);
  }
  if (kind === 'registry' && request.repository !== undefined) {
    const placeOf = (scope: string): Attributes => ({
      type: 'registry',
      ref: `${request.repository}:${cacheTag(scope)}`,
    });
    const manifest = { 'image-manifest': true, 'oci-mediatypes': true };
    return attributes(scopes.map(placeOf), { ...placeOf(own), ...manifest, ...write }, isWritable);
  }
  if (kind === 'local' && request.folder !== undefined) {
    const folder = request.folder;
    const to = { type: 'local', dest: nextFolder(localCacheFolder(folder, own)), ...write };
    const from = scopes.map((scope): Attributes => ({ type: 'local', src: localCacheFolder(folder, scope) }));
    return attributes(from, to, isWritable);
  }
  return {};
}

type Attributes = Readonly<Record<string, string | boolean>>;

function attributes(from: readonly Attributes[], to: Attributes, isWritable: boolean): CacheAttributes {
  return { 'cache-from': from.map(formatAttributes), ...(isWritable ? { 'cache-to': [formatAttributes(to)] } : {}) };
}

/** The tag under which a scope's cache stands in a registry: at most 128 of the characters that tags may have. */
function cacheTag(scope: string): string {
  const tag = `buildcache-${scope.replace(/[^\w.-]/g, '-')}`;
  if (tag.length <= 128) return tag;
  return `${tag.slice(0, 111)}-${createHash('sha256').update(scope).digest('hex').slice(0, 16)}`;
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
