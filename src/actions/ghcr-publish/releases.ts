import type { BuildRecord } from '../../core/handoff/build-record.ts';
import type { Row } from '../../core/images/row.ts';
import { isDigest, parseReference, type Reference, type Repository } from '../../core/registry/reference.ts';
import { ConfigurationError } from '../../core/runner/errors.ts';

/** An image in one variant, as tags are dealt out to it. */
export interface ReleaseName {
  /** `''` where no image is told from another. */
  readonly image: string;
  readonly variant: string;
  /** What its tags end with; `''` for none. */
  readonly suffix: string;
}

/** One thing to name, over its platforms: where each image is to be found. */
export interface WantedRelease extends ReleaseName {
  readonly sources: readonly WantedSource[];
}

/** One thing to name, over its platforms: where each image is. */
export interface Release extends ReleaseName {
  readonly sources: readonly ReleaseSource[];
}

interface SourceFacts {
  /** The platform that it must hold; undefined where nothing was said. */
  readonly platform: string | undefined;
  /** The row's digest of what it was built from; undefined for what is no row. */
  readonly inputs: string | undefined;
}

export interface ReleaseSource extends SourceFacts {
  readonly reference: Reference;
}

export type WantedSource = SourceFacts &
  (
    | { readonly at: 'registry'; readonly reference: Reference }
    /** Wherever the release's tags stand, under the tag of its inputs. */
    | { readonly at: 'inputs'; readonly row: string; readonly inputs: string }
    /** In this machine's engine. */
    | { readonly at: 'engine'; readonly name: string }
  );

type Placed = ReleaseName & { readonly source: WantedSource };

interface SourceGrammar {
  readonly input: 'sources' | 'promote' | 'local';
  readonly registry: string;
  /** Where a digest without a name stands, by the line's image. */
  readonly home: (image: string) => Repository;
}

const KEYS: readonly string[] = ['image', 'variant', 'platform', 'suffix', 'ref'];

/** The releases of a matrix's rows, in their order: a row is what its record says, or else is found by its inputs. */
export function releasesOfRows(
  rows: readonly Row[],
  records: ReadonlyMap<string, BuildRecord>,
): readonly WantedRelease[] {
  return groupSources(
    rows.map((row): Placed => {
      const { image, variant, suffix, platform, id } = row;
      const facts = { platform, inputs: row.inputs === '' ? undefined : row.inputs };
      const record = records.get(id);
      const source: WantedSource =
        record === undefined
          ? { ...facts, at: 'inputs', row: id, inputs: row.inputs }
          : { ...facts, at: 'registry', reference: { ...parseReference(record.repository), digest: record.digest } };
      return { image, variant, suffix, source };
    }),
  );
}

/**
 * The releases that lines name: references, or `key=value` pairs between commas. Throws ConfigurationError that names
 * the input and the line.
 */
export function parseSources(given: readonly string[], grammar: SourceGrammar): readonly WantedRelease[] {
  const entries: Placed[] = [];
  for (const [index, text] of given.entries()) {
    const line = text.trim();
    if (line === '' || line.startsWith('#')) continue;
    try {
      entries.push(parseSource(line, grammar));
    } catch (error) {
      if (!(error instanceof ConfigurationError)) throw error;
      throw new ConfigurationError(`input "${grammar.input}", line ${index + 1}: ${error.message}`, { cause: error });
    }
  }
  return groupSources(entries);
}

function parseSource(line: string, { input, registry, home }: SourceGrammar): Placed {
  const fields = line.includes('=') ? parseFields(line) : new Map([['ref', line]]);
  const ref = fields.get('ref') ?? '';
  if (ref === '') throw new ConfigurationError(`"${line}" holds no "ref="`);
  const image = fields.get('image') ?? '';
  const variant = fields.get('variant') ?? '';
  const facts = { platform: fields.get('platform'), inputs: undefined };
  return {
    image,
    variant,
    suffix: fields.get('suffix') ?? (variant === '' ? '' : `-${variant}`),
    source:
      input === 'local'
        ? { ...facts, at: 'engine', name: engineName(ref) }
        : {
            ...facts,
            at: 'registry',
            reference: isDigest(ref) ? { ...home(image), digest: ref } : parseReference(ref, registry),
          },
  };
}

/** An image's name or id, as the engine knows it. It becomes an argument, and must not look like an option. */
function engineName(ref: string): string {
  if (/^[a-zA-Z0-9][\w.:/@-]*$/.test(ref)) return ref;
  throw new ConfigurationError(`"${ref}" is no name and no id of an image of this machine's engine`);
}

function parseFields(line: string): ReadonlyMap<string, string> {
  const fields = new Map<string, string>();
  for (const pair of line.split(',')) {
    const split = pair.indexOf('=');
    const key = pair.slice(0, Math.max(0, split)).trim();
    if (!KEYS.includes(key)) {
      throw new ConfigurationError(`"${pair.trim()}" is none of ${KEYS.map((one) => `${one}=…`).join(', ')}`);
    }
    if (fields.has(key)) throw new ConfigurationError(`"${key}" stands there twice`);
    fields.set(key, pair.slice(split + 1).trim());
  }
  return fields;
}

function groupSources(entries: readonly Placed[]): readonly WantedRelease[] {
  const releases = new Map<string, WantedRelease>();
  for (const { image, variant, suffix, source } of entries) {
    const key = JSON.stringify([image, variant]);
    const sources = releases.get(key)?.sources ?? [];
    releases.set(key, { image, variant, suffix, sources: [...sources, source] });
  }
  return [...releases.values()];
}

/** An image and variant as messages name it. */
export function nameOf({ image, variant }: Pick<ReleaseName, 'image' | 'variant'>): string {
  return [image, variant].filter((part) => part !== '').join(' ') || 'the image';
}
