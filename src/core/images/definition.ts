import { posix } from 'node:path';
import { ConfigurationError, type ErrorPlace } from '../runner/errors.ts';
import type { RowBuild } from './row.ts';

/** What a repository says of one image in one variant, whatever file says it. */
export interface ImageDefinition {
  /** A component of a repository name: lower case. */
  readonly image: string;
  /** `''` for an image that has no variants. */
  readonly variant: string;
  /** A folder of the repository; `.` is its root. */
  readonly context: string;
  /** A file of the repository. */
  readonly dockerfile: string;
  readonly target: string;
  readonly args: ReadonlyMap<string, string>;
  readonly contexts: ReadonlyMap<string, ContextSource>;
  /** Undefined where the definition names none. */
  readonly platforms: readonly string[] | undefined;
  readonly runner: string | undefined;
  /** Short names of images that must be built before. */
  readonly needs: readonly string[];
  /** References by which other Dockerfiles of the repository may name this image, normalised. */
  readonly names: readonly string[];
  readonly models: readonly string[];
  /** Globs that narrow a read of the whole context. */
  readonly only: readonly string[];
  readonly ignore: readonly string[];
  readonly export: string;
  readonly suffix: string | undefined;
  readonly cacheMode: 'min' | 'max' | undefined;
  readonly freeDiskSpace: boolean | undefined;
  /** With a Dockerfile of its own (`dockerfile-inline`), `dockerfile` is the file that holds it. */
  readonly build: RowBuild;
  /** Settings that the definition holds and that are the workflow's to give: `secrets`, `cache_to`, … */
  readonly leftOut: readonly string[];
  readonly place: ErrorPlace;
}

/** Where a named context comes from. */
export type ContextSource =
  | { readonly kind: 'folder'; readonly path: string }
  | { readonly kind: 'image'; readonly reference: string }
  /** Another image of this repository, by its short name. */
  | { readonly kind: 'local'; readonly image: string }
  | { readonly kind: 'remote'; readonly address: string };

/** A definition that says no more than where the Dockerfile is. */
export function plainDefinition(
  image: string,
  context: string,
  dockerfile: string,
  place: ErrorPlace,
): ImageDefinition {
  return {
    image,
    variant: '',
    context,
    dockerfile,
    target: '',
    args: new Map(),
    contexts: new Map(),
    platforms: undefined,
    runner: undefined,
    needs: [],
    names: [],
    models: [],
    only: [],
    ignore: [],
    export: '',
    suffix: undefined,
    cacheMode: undefined,
    freeDiskSpace: undefined,
    build: {},
    leftOut: [],
    place,
  };
}

/** Image and variant as people name them: `worker`, `worker-gpu`. */
export function nameOf({ image, variant }: Pick<ImageDefinition, 'image' | 'variant'>): string {
  return variant === '' ? image : `${image}-${variant}`;
}

/** Reads where a named context comes from; a path is relative to `folder`. Throws ConfigurationError for one outside the repository. */
export function readContextSource(value: string, folder: string, place: ErrorPlace): ContextSource {
  const [, scheme = '', rest = ''] = /^(docker-image:\/\/|service:|target:|image:)(.*)$/.exec(value) ?? [];
  if (scheme === 'docker-image://') return { kind: 'image', reference: rest };
  if (scheme !== '') return { kind: 'local', image: rest };
  if (isRemote(value)) return { kind: 'remote', address: value };
  return { kind: 'folder', path: insideRepository(folder, value, place) };
}

/** True for a context that a build fetches: a URL, a git repository, an OCI layout. */
export function isRemote(value: string): boolean {
  return /^(?:[a-z][a-z0-9+.-]*:\/\/|git@|oci-layout:|github\.com\/)/.test(value);
}

/** Joins a path to a folder of the repository. Throws ConfigurationError for a path that leaves the repository. */
export function insideRepository(folder: string, path: string, place: ErrorPlace): string {
  const joined = posix.join(folder, path).replace(/(?<=.)\/+$/, '');
  if (
    path === '' ||
    path.includes('\0') ||
    posix.isAbsolute(path) ||
    path.startsWith('~') ||
    joined === '..' ||
    joined.startsWith('../')
  ) {
    throw new ConfigurationError(`"${path}" is no path inside the repository`, place);
  }
  return joined;
}

/** A reference as a registry would read it: `node` is `docker.io/library/node:latest`. Digests stay. */
export function normaliseReference(reference: string): string {
  const slash = reference.indexOf('/');
  const first = slash === -1 ? '' : reference.slice(0, slash);
  const hasHost = first.includes('.') || first.includes(':') || first === 'localhost';
  const named = hasHost ? reference : `docker.io/${slash === -1 ? 'library/' : ''}${reference}`;
  return /(?::[\w.-]+|@[\w+.:-]+)$/.test(named.slice(named.lastIndexOf('/'))) ? named : `${named}:latest`;
}

/** A text as an image's short name: `My_App.API` is `my_app.api`. Undefined where nothing is left of it. */
export function toImageName(text: string): string | undefined {
  const name = text
    .toLowerCase()
    .replace(/[^a-z0-9._-]+/g, '-')
    .replace(/[._]*-[._-]*|\.[._]+|_{3,}|_\.[._]*/g, (run) => (run.includes('-') ? '-' : run.charAt(0)))
    .replace(/^[._-]+|[._-]+$/g, '');
  return name === '' ? undefined : name;
}
