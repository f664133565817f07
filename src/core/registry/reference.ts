import { ConfigurationError } from '../runner/errors.ts';

/** A repository of a registry: where manifests and blobs live. */
export interface Repository {
  /** Host, with its port if it has one, in lower case: `ghcr.io`, `127.0.0.1:5000`. */
  readonly registry: string;
  /** `acme/app/worker`, always in lower case. */
  readonly name: string;
}

/** An image's name: a repository with a tag, a digest, both, or neither. */
export interface Reference extends Repository {
  readonly tag?: string;
  readonly digest?: string;
}

/** OCI distribution specification 1.1, "Pulling manifests". */
const NAME = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*$/;
const TAG = /^\w[\w.-]{0,127}$/;
const DIGEST = /^(?:sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$/;
const HOST = /^(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*|\[[0-9a-f:]+\])(?::\d{1,5})?$/;
/** The longest host and name that distribution's own reference grammar takes together. */
const MAX_NAME = 255;

export const DOCKER_HUB = 'docker.io';

/** True for `sha256:…` or `sha512:…` in lower-case hex: the two algorithms that the OCI image specification registers. */
export function isDigest(text: string): boolean {
  return DIGEST.test(text);
}

/** True for what a registry takes as a tag: at most 128 of `[A-Za-z0-9_.-]`, not starting with `.` or `-`. */
export function isTag(text: string): boolean {
  return TAG.test(text);
}

/**
 * Reads `[host/]name[:tag][@digest]` after the grammar of distribution/reference.
 *
 * Host and name are lower-cased, because GitHub's owners and repositories keep their case and registries refuse it. The
 * first part is a host when it holds a `.` or a `:` or is `localhost`, as in Docker; otherwise the reference belongs to
 * `defaultRegistry`, and a single-part name of Docker Hub to `library/`.
 * Throws ConfigurationError that says which part is wrong.
 */
export function parseReference(text: string, defaultRegistry = DOCKER_HUB): Reference {
  const refuse = (why: string): never => {
    throw new ConfigurationError(`"${text.slice(0, 300)}" is no image reference: ${why}`);
  };
  if (/^[a-z]+:\/\//i.test(text)) refuse('leave out the scheme, as in ghcr.io/owner/name:tag');
  const [beforeDigest = '', digest, ...rest] = text.split('@');
  if (rest.length > 0 || (digest !== undefined && !isDigest(digest))) {
    refuse('after @ a digest such as sha256:<64 hexadecimal digits> must follow');
  }
  const lastSlash = beforeDigest.lastIndexOf('/');
  const colon = beforeDigest.indexOf(':', lastSlash + 1);
  const tag = colon === -1 ? undefined : beforeDigest.slice(colon + 1);
  if (tag !== undefined && !isTag(tag)) {
    refuse(
      `the tag "${tag}" must be at most 128 of letters, digits, "_", "." and "-", and start with none of "." and "-"`,
    );
  }
  const repository = parseRepository(colon === -1 ? beforeDigest : beforeDigest.slice(0, colon), defaultRegistry);
  return { ...repository, ...(tag === undefined ? {} : { tag }), ...(digest === undefined ? {} : { digest }) };
}

/** Reads `[host/]name` as `parseReference` does; a tag or digest is refused. Throws ConfigurationError. */
export function parseRepository(text: string, defaultRegistry = DOCKER_HUB): Repository {
  const slash = text.indexOf('/');
  const first = slash === -1 ? '' : text.slice(0, slash);
  const hasHost = first.includes('.') || first.includes(':') || first.toLowerCase() === 'localhost';
  const registry = normalizeRegistry(hasHost ? first : defaultRegistry);
  const name = (hasHost ? text.slice(slash + 1) : text).toLowerCase();
  if (name.length + registry.length > MAX_NAME || !NAME.test(name)) {
    throw new ConfigurationError(
      `"${text.slice(0, 300)}" names no repository: parts of lower-case letters and digits, separated by ".", "_", "-", joined by "/", ${MAX_NAME} characters at most`,
    );
  }
  return { registry, name: registry === DOCKER_HUB && !name.includes('/') ? `library/${name}` : name };
}

/** A registry's host in lower case; Docker Hub's other names become `docker.io`. Throws ConfigurationError for no host. */
export function normalizeRegistry(text: string): string {
  const host = text.toLowerCase().replace(/\/+$/, '');
  if (!HOST.test(host)) {
    throw new ConfigurationError(
      `"${text.slice(0, 300)}" is no registry host; give it as ghcr.io or registry.example.com:5000`,
    );
  }
  return host === 'index.docker.io' || host === 'registry-1.docker.io' ? DOCKER_HUB : host;
}

export function formatRepository({ registry, name }: Repository): string {
  return `${registry}/${name}`;
}

export function formatReference({ registry, name, tag, digest }: Reference): string {
  return `${registry}/${name}${tag === undefined ? '' : `:${tag}`}${digest === undefined ? '' : `@${digest}`}`;
}

export function isSameRepository(one: Repository, other: Repository): boolean {
  return one.registry === other.registry && one.name === other.name;
}

/** Scheme and host of a registry's API. Plain HTTP only towards this machine, as in Docker. */
export function registryOrigin(registry: string): string {
  if (registry === DOCKER_HUB) return 'https://registry-1.docker.io';
  return `${isLoopback(registry) ? 'http' : 'https'}://${registry}`;
}

/** True for hosts (with or without a port) of this very machine: `localhost`, 127.0.0.0/8, `[::1]`. */
export function isLoopback(host: string): boolean {
  return /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d+)?$/i.test(host);
}
