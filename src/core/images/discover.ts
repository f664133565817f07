import { posix } from 'node:path';
import picomatch from 'picomatch';
import { ConfigurationError } from '../runner/errors.ts';
import { type FoundImages, type RefusedImage, readComposeFiles } from './compose-file.ts';
import { readConfigFile } from './config-file.ts';
import type { ImageDefinition } from './definition.ts';
import { isPassedOver, readDockerfileName } from './dockerfile-names.ts';
import { type GitIgnored, readPlainDockerfiles } from './plain-dockerfiles.ts';
import type { Snapshot } from './snapshot.ts';

export type Source = 'auto' | 'config' | 'compose' | 'dockerfiles';

export interface DiscoveryOptions {
  /** The file of image definitions; undefined for the default one, which need not be there. */
  readonly config: string | undefined;
  readonly source: Source;
  /** Paths or globs of the compose files or Dockerfiles to read; empty for those found by their names. */
  readonly files: readonly string[];
  /** The repository's short name, for a Dockerfile at its root. */
  readonly repository: string;
  readonly gitIgnored: GitIgnored;
}

export interface Discovery {
  readonly source: Exclude<Source, 'auto'>;
  /** The files that the definitions come from. */
  readonly files: readonly string[];
  readonly definitions: readonly ImageDefinition[];
  readonly refused: readonly RefusedImage[];
}

export const DEFAULT_CONFIG = '.github/images.yml';
const COMPOSE_NAMES = ['compose.yaml', 'compose.yml', 'docker-compose.yml', 'docker-compose.yaml'];
const MAX_FILES = 5000;

/**
 * Finds a commit's image definitions: the configuration file, else compose files, else Dockerfiles; the first that
 * yields an image wins, unless `source` names one. Throws ConfigurationError for a source that is asked for and is
 * not there, and for two definitions of one name.
 */
export async function discoverImages(snapshot: Snapshot, options: DiscoveryOptions): Promise<Discovery> {
  const found =
    (await fromConfig(snapshot, options)) ??
    (await fromCompose(snapshot, options)) ??
    (await fromDockerfiles(snapshot, options));
  const names = new Map<string, ImageDefinition>();
  for (const definition of found.definitions) {
    const key = `${definition.image} ${definition.variant}`;
    const first = names.get(key);
    if (first !== undefined) {
      throw new ConfigurationError(
        `two images are named "${key.trim()}": "${first.dockerfile}" and "${definition.dockerfile}"; name them in ${DEFAULT_CONFIG}`,
        definition.place,
      );
    }
    names.set(key, definition);
  }
  return found;
}

async function fromConfig(snapshot: Snapshot, { config, source }: DiscoveryOptions): Promise<Discovery | undefined> {
  if (source !== 'auto' && source !== 'config') return undefined;
  const file = config ?? DEFAULT_CONFIG;
  await snapshot.load([file]);
  const text = snapshot.text(file);
  if (text !== undefined)
    return { source: 'config', files: [file], definitions: readConfigFile(text, file), refused: [] };
  if (config === undefined && source === 'auto') return undefined;
  throw new ConfigurationError(
    `there is no file "${file}" in this commit; it must be committed, and named relative to the repository's root`,
  );
}

async function fromCompose(snapshot: Snapshot, { source, files }: DiscoveryOptions): Promise<Discovery | undefined> {
  if (source !== 'auto' && source !== 'compose') return undefined;
  if (source === 'auto' && files.length > 0 && !files.every((file) => /\.ya?ml$/.test(file))) return undefined;
  const found = files.length > 0 ? namedFiles(snapshot, files) : defaultComposeFiles(snapshot);
  const images: FoundImages = await readComposeFiles(snapshot, found);
  if (source === 'auto' && images.definitions.length === 0 && images.refused.length === 0) return undefined;
  if (found.length === 0)
    throw new ConfigurationError(`"source" is compose, and no compose file is in this commit; name it with "files"`);
  return { source: 'compose', files: found, ...images };
}

async function fromDockerfiles(
  snapshot: Snapshot,
  { files, repository, gitIgnored }: DiscoveryOptions,
): Promise<Discovery> {
  const found =
    files.length > 0
      ? namedFiles(snapshot, files)
      : snapshot.entries
          .map(({ path }) => path)
          .filter((path) => readDockerfileName(path) !== undefined && !isPassedOver(path));
  if (found.length > MAX_FILES)
    throw new ConfigurationError(`more than ${MAX_FILES} Dockerfiles were found; name those to build with "files"`);
  return {
    source: 'dockerfiles',
    files: found,
    ...(await readPlainDockerfiles(snapshot, found, repository, gitIgnored)),
  };
}

/** Compose's own file at the root, else those of folders that are not passed over, one a folder. */
function defaultComposeFiles(snapshot: Snapshot): readonly string[] {
  const atRoot = COMPOSE_NAMES.find((name) => snapshot.byPath.has(name));
  if (atRoot !== undefined) return [atRoot];
  const byFolder = new Map<string, string>();
  for (const name of COMPOSE_NAMES) {
    for (const { path } of snapshot.entries) {
      const folder = posix.dirname(path);
      if (posix.basename(path) === name && !isPassedOver(path) && !byFolder.has(folder)) byFolder.set(folder, path);
    }
  }
  return [...byFolder.values()].sort();
}

function namedFiles(snapshot: Snapshot, patterns: readonly string[]): readonly string[] {
  const found = new Set<string>();
  for (const pattern of patterns.map((file) => posix.normalize(file))) {
    const matches = picomatch(pattern, { dot: true });
    const paths = snapshot.byPath.has(pattern)
      ? [pattern]
      : snapshot.entries.map(({ path }) => path).filter((path) => matches(path));
    if (paths.length === 0) throw new ConfigurationError(`"files" names "${pattern}", which is not in this commit`);
    for (const path of paths) found.add(path);
  }
  return [...found];
}
