import { parse } from 'yaml';
import { ConfigurationError } from '../../core/runner/errors.ts';
import { isRecord } from '../../core/runner/event.ts';
import { nearest } from '../../core/runner/input-grammar.ts';

/** One of several images that are built from one context. */
export interface Variant {
  readonly name: string;
  readonly args: Readonly<Record<string, string>>;
  readonly target: string | undefined;
  readonly file: string | undefined;
  /** What it adds to each tag; one variant may own the bare tags. */
  readonly suffix: string;
  readonly cacheMode: 'min' | 'max';
}

const KEYS = ['args', 'target', 'file', 'suffix', 'cache-mode'] as const;
const MAX_VARIANTS = 64;

/** Reads YAML such as `cpu: { args: { MODE: cpu } }`. Throws ConfigurationError that names the variant and the key. */
export function parseVariants(text: string): readonly Variant[] {
  let value: unknown;
  try {
    value = parse(text, { maxAliasCount: 100 });
  } catch (cause) {
    throw new ConfigurationError('this is no YAML; write each variant as "name: { args: { NAME: value } }"', { cause });
  }
  if (!isRecord(value)) throw new ConfigurationError('this is no mapping of names to variants');
  const entries = Object.entries(value);
  if (entries.length === 0 || entries.length > MAX_VARIANTS)
    throw new ConfigurationError(`there must be 1 to ${MAX_VARIANTS} variants`);
  return entries.map(([name, fields]) => toVariant(name, fields ?? {}));
}

function toVariant(name: string, fields: unknown): Variant {
  if (!/^[a-z0-9][a-z0-9._-]*$/.test(name))
    throw new ConfigurationError(`"${name.slice(0, 60)}" is no name of a variant: it must be like ^[a-z0-9._-]+$`);
  if (!isRecord(fields)) throw new ConfigurationError(`the variant "${name}" is no mapping`);
  const unknown = Object.keys(fields).find((key) => !KEYS.some((known) => known === key));
  if (unknown !== undefined) {
    const near = nearest(unknown, KEYS);
    throw new ConfigurationError(
      `"${unknown}" of the variant "${name}" is none of ${KEYS.join(', ')}${near === undefined ? '' : `; did you mean ${near}?`}`,
    );
  }
  const text = (key: (typeof KEYS)[number]): string | undefined => {
    const field = fields[key] ?? undefined;
    if (field === undefined || typeof field === 'string') return field;
    throw new ConfigurationError(`"${key}" of the variant "${name}" must be a text`);
  };
  const mode = text('cache-mode') ?? (/gpu|cuda|rocm/.test(name) ? 'min' : 'max');
  if (mode !== 'min' && mode !== 'max')
    throw new ConfigurationError(`"cache-mode" of the variant "${name}" is neither min nor max`);
  return {
    name,
    args: readArguments(name, fields['args'] ?? {}),
    target: text('target'),
    file: text('file'),
    suffix: text('suffix') ?? `-${name}`,
    cacheMode: mode,
  };
}

function readArguments(name: string, value: unknown): Readonly<Record<string, string>> {
  if (!isRecord(value)) throw new ConfigurationError(`"args" of the variant "${name}" must be a mapping`);
  const entries = Object.entries(value).map(([key, entry]): [string, string] => {
    if (typeof entry === 'string' || typeof entry === 'number' || typeof entry === 'boolean')
      return [key, String(entry)];
    throw new ConfigurationError(`the argument "${key}" of the variant "${name}" must be a text`);
  });
  return Object.fromEntries(entries);
}
