import { isMap, isNode, isScalar, isSeq, LineCounter, type Pair, parseDocument, type YAMLMap } from 'yaml';
import { ConfigurationError, type ErrorPlace } from '../runner/errors.ts';
import { isRecord } from '../runner/event.ts';
import { nearest } from '../runner/input-grammar.ts';

type Path = readonly (string | number)[];

const MAX_CHARACTERS = 1024 * 1024;
/** Keeps a file of a few lines from growing into gigabytes ("billion laughs"). */
const MAX_ALIASES = 1000;

/** Reads a YAML file. Throws ConfigurationError with the line for one that is too large, or is no YAML. */
export function readYamlFile(text: string, file: string): YamlFields {
  if (text.length > MAX_CHARACTERS) throw new ConfigurationError(`"${file}" is larger than 1 MiB`, { file });
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, merge: true, uniqueKeys: true, prettyErrors: false });
  const [error] = document.errors;
  if (error !== undefined) {
    throw new ConfigurationError(`"${file}" is no YAML: ${error.message}`, {
      file,
      line: lines.linePos(error.pos[0]).line,
    });
  }
  let value: unknown;
  try {
    value = document.toJS({ maxAliasCount: MAX_ALIASES });
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : 'its aliases cannot be resolved';
    throw new ConfigurationError(`"${file}" cannot be read: ${why}`, { file, line: 1, cause });
  }
  const places = new KeyPlaces(document.contents);
  const lineOf = (path: Path): number => {
    // What comes by an alias or a merge has no node of its own on this path: then the nearest above it tells the line.
    for (let length = path.length; length > 0; length -= 1) {
      const offset = places.offsetOf(path.slice(0, length));
      if (offset !== undefined) return lines.linePos(offset).line;
    }
    return 1;
  };
  return new YamlFields(value ?? {}, [], (path) => ({ file, line: lineOf(path) }));
}

/** Finds where keys stand. A mapping's keys are indexed once: files of thousands of images ask for every one of them. */
class KeyPlaces {
  readonly #root: unknown;
  readonly #indexes = new WeakMap<YAMLMap, ReadonlyMap<unknown, Pair>>();

  constructor(root: unknown) {
    this.#root = root;
  }

  /** Where a key stands; for an entry of a list, where its value does. Undefined for what comes by an alias or a merge. */
  offsetOf(path: Path): number | undefined {
    let node = this.#root;
    let place: unknown = node;
    for (const key of path) {
      const pair = isMap(node) ? this.#index(node).get(key) : undefined;
      const entry = isSeq(node) && typeof key === 'number' ? node.items[key] : undefined;
      place = pair?.key ?? entry;
      node = pair?.value ?? entry;
    }
    return isNode(place) ? place.range?.[0] : undefined;
  }

  #index(map: YAMLMap): ReadonlyMap<unknown, Pair> {
    const known =
      this.#indexes.get(map) ?? new Map(map.items.map((pair) => [isScalar(pair.key) ? pair.key.value : pair, pair]));
    this.#indexes.set(map, known);
    return known;
  }
}

/** The fields of one mapping of a YAML file. Every error names the field and its line. */
export class YamlFields {
  readonly #value: unknown;
  readonly #path: Path;
  readonly #placeOf: (path: Path) => ErrorPlace;

  constructor(value: unknown, path: Path, placeOf: (path: Path) => ErrorPlace) {
    this.#value = value;
    this.#path = path;
    this.#placeOf = placeOf;
  }

  place(...more: Path): ErrorPlace {
    return this.#placeOf([...this.#path, ...more]);
  }

  refuse(key: string, must: string): never {
    const shown = JSON.stringify(this.get(key))?.slice(0, 80) ?? 'nothing';
    throw new ConfigurationError(
      `"${[...this.#path, key].join('.')}" is ${shown}; it must be ${must}`,
      this.place(key),
    );
  }

  get isMapping(): boolean {
    return isRecord(this.#value);
  }

  keys(): readonly string[] {
    return isRecord(this.#value) ? Object.keys(this.#value) : [];
  }

  /** Undefined for a key that is absent or null. */
  get(key: string): unknown {
    return isRecord(this.#value) && Object.hasOwn(this.#value, key) ? (this.#value[key] ?? undefined) : undefined;
  }

  /** The mapping under a key; an absent one has no keys. */
  fields(key: string): YamlFields {
    const value = this.get(key) ?? {};
    if (!isRecord(value)) return this.refuse(key, 'a mapping');
    return new YamlFields(value, [...this.#path, key], this.#placeOf);
  }

  /** The mappings of a list under a key; entries that are none are passed over. */
  items(key: string): readonly YamlFields[] {
    const value = this.get(key);
    if (!Array.isArray(value)) return [];
    return value.flatMap((entry: unknown, index) =>
      isRecord(entry) ? [new YamlFields(entry, [...this.#path, key, index], this.#placeOf)] : [],
    );
  }

  /** Throws for a key that is not known, with the one that was probably meant. `x-…` keys are the writer's own. */
  refuseUnknownKeys(known: readonly string[]): void {
    for (const key of this.keys()) {
      if (known.includes(key) || key.startsWith('x-')) continue;
      const near = nearest(key, known);
      const hint = near === undefined ? `known are ${known.join(', ')}` : `did you mean "${near}"?`;
      throw new ConfigurationError(
        `"${[...this.#path, key].join('.')}" is no key of an image definition; ${hint}`,
        this.place(key),
      );
    }
  }

  /** A text; numbers and booleans are taken as they are written in JSON. */
  text(key: string): string | undefined {
    const value = this.get(key);
    if (value === undefined) return undefined;
    return toText(value) ?? this.refuse(key, 'a text');
  }

  flag(key: string): boolean | undefined {
    const value = this.get(key);
    return value === undefined || typeof value === 'boolean' ? value : this.refuse(key, 'true or false');
  }

  /** A list of texts, or one text. */
  list(key: string): readonly string[] {
    const value = this.get(key) ?? [];
    const entries = (Array.isArray(value) ? value : [value]).map(toText);
    return entries.every((entry) => entry !== undefined) ? entries : this.refuse(key, 'a list of texts');
  }

  /** `key: value`, or a list of `key=value`; the value is undefined where none is given. */
  map(key: string): ReadonlyMap<string, string | undefined> {
    const value = this.get(key) ?? {};
    if (Array.isArray(value)) return new Map(this.list(key).map(splitEntry));
    if (!isRecord(value)) return this.refuse(key, 'a mapping, or a list of key=value');
    return new Map(
      Object.entries(value).map(([name, entry]): [string, string | undefined] => [
        name,
        entry === null ? undefined : (toText(entry) ?? this.refuse(key, 'a mapping of texts')),
      ]),
    );
  }
}

function toText(value: unknown): string | undefined {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
    ? String(value)
    : undefined;
}

function splitEntry(entry: string): [string, string | undefined] {
  const separator = entry.indexOf('=');
  return separator === -1 ? [entry, undefined] : [entry.slice(0, separator), entry.slice(separator + 1)];
}
