import type { BuildRecord } from '../../core/handoff/build-record.ts';
import { isDigest, parseReference, type Reference, type Repository } from '../../core/registry/reference.ts';
import { ConfigurationError } from '../../core/runner/errors.ts';

/** One thing to name: an image in one variant, over its platforms. */
export interface Release {
  /** `''` where no image is told from another. */
  readonly image: string;
  readonly variant: string;
  /** What its tags end with; `''` for none. */
  readonly suffix: string;
  readonly sources: readonly ReleaseSource[];
}

export interface ReleaseSource {
  readonly reference: Reference;
  /** The platform that it must hold; undefined where nothing was said. */
  readonly platform: string | undefined;
}

interface SourceLine extends ReleaseSource {
  readonly image: string;
  readonly variant: string;
  readonly suffix: string;
}

interface SourceGrammar {
  /** The input's name, for messages. */
  readonly input: string;
  readonly registry: string;
  /** Where a digest without a name stands, by the line's image. */
  readonly home: (image: string) => Repository;
}

const KEYS: readonly string[] = ['image', 'variant', 'platform', 'suffix', 'ref'];

/** The releases of a matrix's build records, in their order. */
export function releasesOfBuilds(records: readonly BuildRecord[]): readonly Release[] {
  return groupSources(
    records.map(({ row, repository, digest }) => ({
      image: row.image,
      variant: row.variant,
      suffix: row.suffix,
      platform: row.platform,
      reference: { ...parseReference(repository), digest },
    })),
  );
}

/**
 * The releases that lines name: references, or `key=value` pairs between commas. Throws ConfigurationError that names
 * the input and the line.
 */
export function parseSources(given: readonly string[], grammar: SourceGrammar): readonly Release[] {
  const entries: SourceLine[] = [];
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

function parseSource(line: string, { registry, home }: SourceGrammar): SourceLine {
  const fields = line.includes('=') ? parseFields(line) : new Map([['ref', line]]);
  const ref = fields.get('ref') ?? '';
  if (ref === '') throw new ConfigurationError(`"${line}" holds no "ref="`);
  const image = fields.get('image') ?? '';
  const variant = fields.get('variant') ?? '';
  return {
    image,
    variant,
    suffix: fields.get('suffix') ?? (variant === '' ? '' : `-${variant}`),
    platform: fields.get('platform'),
    reference: isDigest(ref) ? { ...home(image), digest: ref } : parseReference(ref, registry),
  };
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

function groupSources(entries: readonly SourceLine[]): readonly Release[] {
  const releases = new Map<string, Release>();
  for (const { image, variant, suffix, ...source } of entries) {
    const key = JSON.stringify([image, variant]);
    const sources = releases.get(key)?.sources ?? [];
    releases.set(key, { image, variant, suffix, sources: [...sources, source] });
  }
  return [...releases.values()];
}

/** An image and variant as messages name it. */
export function nameOf({ image, variant }: Pick<Release, 'image' | 'variant'>): string {
  return [image, variant].filter((part) => part !== '').join(' ') || 'the image';
}
