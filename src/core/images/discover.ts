import { posix } from 'node:path';
import picomatch from 'picomatch';
import { ConfigurationError } from '../runner/errors.ts';
import { BAKE_NAMES, readBakeDefinition } from './bake-file.ts';
import { composeVariant, type FoundImages, type RefusedImage, readComposeFiles } from './compose-file.ts';
import { type ImageDefinition, insideRepository } from './definition.ts';
import { passedOverFolder, readDockerfileName } from './dockerfile-names.ts';
import type { GitIgnored } from './infer-context.ts';
import { readPlainDockerfiles } from './plain-dockerfiles.ts';
import type { PrintBake } from './print-bake.ts';
import type { Snapshot } from './snapshot.ts';
import { createVendoredTest } from './vendored.ts';

export type Source = 'auto' | 'config' | 'bake' | 'compose' | 'dockerfiles';

export interface DiscoveryOptions {
  /** The file of image definitions; undefined for the default one, which need not be there. */
  readonly config: string | undefined;
  readonly source: Source;
  /** Paths or globs of the bake files, compose files or Dockerfiles to read; empty for those found by their names. */
  readonly files: readonly string[];
  /** The folder that paths of compose files are relative to; undefined for the files' own. */
  readonly projectDirectory: string | undefined;
  /** The repository's short name, for a Dockerfile at its root. */
  readonly repository: string;
  readonly gitIgnored: GitIgnored;
  readonly printBake: PrintBake;
}

/** A file that looks like one of an image and was not read, and why. */
export interface PassedOverFile {
  readonly file: string;
  readonly reason: string;
}

export interface Discovery {
  readonly source: Exclude<Source, 'auto'>;
  /** The files that the definitions come from. */
  readonly files: readonly string[];
  readonly definitions: readonly ImageDefinition[];
  readonly refused: readonly RefusedImage[];
  readonly passedOver: readonly PassedOverFile[];
}

export const DEFAULT_CONFIG = '.github/images.yml';
const COMPOSE_NAMES = ['compose.yaml', 'compose.yml', 'docker-compose.yml', 'docker-compose.yaml'];
const MAX_FILES = 5000;

/**
 * Finds a commit's image definitions: the configuration file, else bake files, else compose files, else Dockerfiles;
 * the first that yields an image wins, unless `source` names one. Throws ConfigurationError for a source that is asked for and is
 * not there, and for two definitions of one name.
 */
export async function discoverImages(snapshot: Snapshot, options: DiscoveryOptions): Promise<Discovery> {
  const found =
    (await fromConfig(snapshot, options)) ??
    (await fromBake(snapshot, options)) ??
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
  const definitions = snapshot.config(file);
  if (definitions !== undefined) return { source: 'config', files: [file], definitions, refused: [], passedOver: [] };
  if (config === undefined && source === 'auto') return undefined;
  throw new ConfigurationError(
    `there is no file "${file}" in this commit; it must be committed, and named relative to the repository's root`,
  );
}

async function fromBake(
  snapshot: Snapshot,
  { source, files, printBake }: DiscoveryOptions,
): Promise<Discovery | undefined> {
  if (source !== 'auto' && source !== 'bake') return undefined;
  if (source === 'auto' && files.length > 0 && !files.every((file) => /\.(?:hcl|json)$/.test(file))) return undefined;
  const found =
    files.length > 0 ? namedFiles(snapshot, files) : BAKE_NAMES.filter((name) => snapshot.entryAt(name) !== undefined);
  const [first] = found;
  if (first === undefined) {
    if (source === 'auto') return undefined;
    throw new ConfigurationError(`"source" is bake, and no bake file is in this commit; name it with "files"`);
  }
  const images = readBakeDefinition(await printBake(snapshot, found), first);
  return { source: 'bake', files: found, ...images, passedOver: [] };
}

async function fromCompose(
  snapshot: Snapshot,
  { source, files, projectDirectory }: DiscoveryOptions,
): Promise<Discovery | undefined> {
  if (source !== 'auto' && source !== 'compose') return undefined;
  if (source === 'auto' && files.length > 0 && !files.every((file) => /\.ya?ml$/.test(file))) return undefined;
  const found = files.length > 0 ? namedFiles(snapshot, files) : defaultComposeFiles(snapshot);
  const folder = projectDirectory === undefined ? undefined : insideRepository('.', projectDirectory, {});
  const images: FoundImages = await readComposeFiles(snapshot, found, folder);
  if (source === 'auto' && images.definitions.length === 0 && images.refused.length === 0) return undefined;
  if (found.length === 0)
    throw new ConfigurationError(`"source" is compose, and no compose file is in this commit; name it with "files"`);
  return { source: 'compose', files: found, ...images, passedOver: [] };
}

async function fromDockerfiles(
  snapshot: Snapshot,
  { files, repository, gitIgnored }: DiscoveryOptions,
): Promise<Discovery> {
  const { found, passedOver } =
    files.length > 0 ? { found: namedFiles(snapshot, files), passedOver: [] } : await findDockerfiles(snapshot);
  if (found.length > MAX_FILES)
    throw new ConfigurationError(`more than ${MAX_FILES} Dockerfiles were found; name those to build with "files"`);
  return {
    source: 'dockerfiles',
    files: found,
    ...(await readPlainDockerfiles(snapshot, found, repository, gitIgnored)),
    passedOver,
  };
}

/** Every Dockerfile by its name, but for those of others' code, examples, tests and documentation. */
async function findDockerfiles(
  snapshot: Snapshot,
): Promise<{ readonly found: readonly string[]; readonly passedOver: readonly PassedOverFile[] }> {
  const named = snapshot.entries.map(({ path }) => path).filter((path) => readDockerfileName(path) !== undefined);
  const whyVendored = await createVendoredTest(snapshot);
  const found: string[] = [];
  const passedOver: PassedOverFile[] = [];
  for (const file of named) {
    const folder = passedOverFolder(file);
    const reason = folder === undefined ? whyVendored(file) : `it lies in "${folder}"`;
    if (reason === undefined) found.push(file);
    else if (folder !== 'node_modules') passedOver.push({ file, reason });
  }
  return { found, passedOver };
}

/** Compose's own file at the root, else those of folders that are not passed over, one a folder; each with its pairs. */
function defaultComposeFiles(snapshot: Snapshot): readonly string[] {
  const atRoot = COMPOSE_NAMES.find((name) => snapshot.entryAt(name) !== undefined);
  const byFolder = new Map<string, string>(atRoot === undefined ? [] : [['.', atRoot]]);
  const pairs: string[] = [];
  for (const { path } of snapshot.entries) {
    if (!path.endsWith('.yml') && !path.endsWith('.yaml')) continue;
    const name = posix.basename(path);
    if (!/compose.*\.ya?ml$/.test(name) || passedOverFolder(path) !== undefined) continue;
    const folder = posix.dirname(path);
    if (composeVariant(path) !== undefined) pairs.push(path);
    else if (atRoot === undefined && isPreferred(name, byFolder.get(folder))) byFolder.set(folder, path);
  }
  const bases = [...byFolder.values()].sort();
  return [...bases, ...pairs.filter((path) => byFolder.has(posix.dirname(path)))];
}

/** Compose takes one file of a folder, in the order of its names. */
function isPreferred(name: string, known: string | undefined): boolean {
  const rank = COMPOSE_NAMES.indexOf(name);
  return rank !== -1 && (known === undefined || rank < COMPOSE_NAMES.indexOf(posix.basename(known)));
}

function namedFiles(snapshot: Snapshot, patterns: readonly string[]): readonly string[] {
  const found = new Set<string>();
  for (const pattern of patterns.map((file) => posix.normalize(file))) {
    const matches = picomatch(pattern, { dot: true });
    const paths =
      snapshot.entryAt(pattern) !== undefined
        ? [pattern]
        : snapshot.entries.map(({ path }) => path).filter((path) => matches(path));
    if (paths.length === 0) throw new ConfigurationError(`"files" names "${pattern}", which is not in this commit`);
    for (const path of paths) found.add(path);
  }
  return [...found];
}
