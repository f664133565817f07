import { posix } from 'node:path';
import { ConfigurationError } from '../runner/errors.ts';
import { isRecord } from '../runner/event.ts';
import { localNames, mergeBuilds, readServiceBuild, type Scope, type ServiceBuild } from './compose-build.ts';
import { readEnvironmentFile } from './compose-variables.ts';
import { insideRepository } from './definition.ts';
import type { Snapshot } from './snapshot.ts';
import { readYamlFile, type YamlFields } from './yaml-file.ts';

/** A service of a compose project that is built here, with everything it extends. */
export interface Service {
  readonly name: string;
  readonly file: string;
  readonly build: ServiceBuild;
  /** References of `image:`, normalised. */
  readonly names: readonly string[];
}

/** A service whose build cannot be read, and why. */
export interface BrokenService {
  readonly name: string;
  readonly file: string;
  readonly error: ConfigurationError;
}

export interface ComposeProject {
  readonly services: readonly Service[];
  readonly broken: readonly BrokenService[];
}

const MAX_DEPTH = 16;
/** Bounds files that include or extend each other over and over. */
const MAX_FILES = 200;

/**
 * Reads a compose file with those it includes and extends.
 *
 * Paths are relative to the file's folder, or to `projectDirectory`, or to what an `include` says; `.env` of that folder
 * gives variables. Throws ConfigurationError with the line for what is no compose file, and for circles.
 */
export async function readComposeProject(
  snapshot: Snapshot,
  file: string,
  projectDirectory: string | undefined,
): Promise<ComposeProject> {
  const reader = new ProjectReader(snapshot);
  await reader.read(file, await reader.scopeOf(projectDirectory ?? posix.dirname(file), []), 0);
  return { services: [...reader.services.values()], broken: reader.broken };
}

class ProjectReader {
  readonly services = new Map<string, Service>();
  readonly broken: BrokenService[] = [];
  readonly #snapshot: Snapshot;
  readonly #documents = new Map<string, YamlFields>();
  #reads = 0;

  constructor(snapshot: Snapshot) {
    this.#snapshot = snapshot;
  }

  async read(file: string, scope: Scope, depth: number): Promise<void> {
    const top = await this.#document(file, depth);
    for (const { path, scope: own } of await this.#included(top, posix.dirname(file), scope))
      await this.read(path, own, depth + 1);
    const services = top.fields('services');
    for (const name of services.keys()) {
      try {
        await this.#take(name, file, services, scope);
      } catch (error) {
        if (!(error instanceof ConfigurationError)) throw error;
        this.broken.push({ name, file, error });
      }
    }
  }

  async scopeOf(folder: string, environmentFiles: readonly string[]): Promise<Scope> {
    const files = environmentFiles.length > 0 ? environmentFiles : [posix.join(folder, '.env')];
    await this.#snapshot.load(files);
    const variables = files.flatMap((file) => [...readEnvironmentFile(this.#snapshot.text(file) ?? '')]);
    return { folder, variables: new Map(variables) };
  }

  async #take(name: string, file: string, services: YamlFields, scope: Scope): Promise<void> {
    const found = await this.#resolve(name, file, services, scope, 0);
    const known = this.services.get(name);
    const build = mergeBuilds(known?.build, found.build);
    if (build === undefined) return;
    this.services.set(name, { name, file, build, names: [...(known?.names ?? []), ...found.names] });
  }

  async #document(file: string, depth: number): Promise<YamlFields> {
    if (depth > MAX_DEPTH) throw new ConfigurationError(`"${file}" is included ${MAX_DEPTH} levels deep`, { file });
    this.#reads += 1;
    if (this.#reads > MAX_FILES)
      throw new ConfigurationError(`"${file}" is one of more than ${MAX_FILES} compose files`, { file });
    const known = this.#documents.get(file);
    if (known !== undefined) return known;
    await this.#snapshot.load([file]);
    const text = this.#snapshot.text(file);
    if (text === undefined) throw new ConfigurationError(`there is no compose file "${file}" in this commit`, { file });
    const top = readYamlFile(text, file);
    this.#documents.set(file, top);
    return top;
  }

  /** The files of `include`, in the short form or the long one (`path`, `project_directory`, `env_file`). */
  async #included(
    top: YamlFields,
    folder: string,
    outer: Scope,
  ): Promise<readonly { readonly path: string; readonly scope: Scope }[]> {
    const given = top.get('include') ?? [];
    const place = top.place('include');
    const found: { path: string; scope: Scope }[] = [];
    for (const entry of Array.isArray(given) ? given : [given]) {
      const long: Readonly<Record<string, unknown>> = isRecord(entry) ? entry : { path: entry };
      const texts = (key: string): readonly string[] =>
        [long[key] ?? []]
          .flat()
          .map((path: unknown) =>
            typeof path === 'string'
              ? insideRepository(folder, path, place)
              : top.refuse('include', 'a list of paths, or of mappings with path, project_directory and env_file'),
          );
      const paths = texts('path');
      const [first] = paths;
      if (first === undefined) top.refuse('include', 'a list of paths');
      const [directory = posix.dirname(first ?? '.')] = texts('project_directory');
      const own = await this.scopeOf(directory, texts('env_file'));
      // What the including project sets wins over the included one's own .env.
      const scope = { ...own, variables: new Map([...own.variables, ...outer.variables]) };
      found.push(...paths.map((path) => ({ path, scope })));
    }
    return found;
  }

  /** A service's build with those of the services that it extends. */
  async #resolve(
    name: string,
    file: string,
    services: YamlFields,
    scope: Scope,
    depth: number,
  ): Promise<{ readonly build: ServiceBuild | undefined; readonly names: readonly string[] }> {
    const fields = services.fields(name);
    if (depth > MAX_DEPTH)
      throw new ConfigurationError(`"${name}" extends services ${MAX_DEPTH} levels deep`, fields.place('extends'));
    const image = fields.text('image');
    const own = readServiceBuild(fields, scope);
    const names = localNames(image === undefined ? [] : [image], scope.variables);
    const extended = fields.get('extends');
    if (extended === undefined) return { build: own, names };
    const long = typeof extended === 'string' ? undefined : fields.fields('extends');
    const of = long === undefined ? fields.text('extends') : long.text('service');
    const other = long?.text('file');
    if (of === undefined) return fields.refuse('extends', 'a service, or a mapping with service and file');
    const path = other === undefined ? file : insideRepository(posix.dirname(file), other, fields.place('extends'));
    const around = path === file ? services : (await this.#document(path, depth)).fields('services');
    const folder = path === file ? scope.folder : posix.dirname(path);
    const below = await this.#resolve(of, path, around, { ...scope, folder }, depth + 1);
    return { build: mergeBuilds(below.build, own), names: names.length > 0 ? names : below.names };
  }
}
