/**
 * One target of a bake file. Field names are bake's own, so that the definition that is printed is the one that runs.
 *
 * Source: docs.docker.com, "Bake file reference"; an argument of `null` takes its value from the environment.
 */
export interface BakeTarget {
  readonly context?: string;
  /** Relative to `context` when that is a folder. */
  readonly dockerfile?: string;
  readonly 'dockerfile-inline'?: string;
  readonly target?: string;
  readonly args?: Readonly<Record<string, string | null>>;
  readonly contexts?: Readonly<Record<string, string>>;
  readonly platforms?: readonly string[];
  readonly tags?: readonly string[];
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: readonly string[];
  readonly attest?: readonly string[];
  readonly 'cache-from'?: readonly string[];
  readonly 'cache-to'?: readonly string[];
  readonly output?: readonly string[];
  readonly secret?: readonly string[];
  readonly ssh?: readonly string[];
  readonly 'no-cache'?: boolean;
  readonly 'no-cache-filter'?: readonly string[];
  readonly pull?: boolean;
  readonly network?: string;
  readonly 'extra-hosts'?: Readonly<Record<string, string>>;
  readonly 'shm-size'?: string;
  readonly ulimits?: readonly string[];
  readonly entitlements?: readonly string[];
}

export interface BakeDefinition {
  readonly group: { readonly default: { readonly targets: readonly string[] } };
  readonly target: Readonly<Record<string, BakeTarget>>;
}

/**
 * The definition as a JSON file of bake's.
 *
 * Bake takes every string of a JSON file for an HCL template: a build argument `${1+1}` would reach the build as `2`,
 * and `${HOME}` would fail it. All templates are escaped, values and names alike.
 * Source: HCL's JSON syntax specification, "Expressions"; seen with buildx 0.29.
 */
export function formatDefinition(definition: BakeDefinition): string {
  return `${JSON.stringify(definition, (_, value: unknown) => escapeTemplates(value), 2)}\n`;
}

function escapeTemplates(value: unknown): unknown {
  if (typeof value === 'string') return escapeTemplate(value);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, entry]) => [escapeTemplate(name), entry]));
}

function escapeTemplate(text: string): string {
  return text.replace(/[$%]\{/g, (opening) => `${opening[0] ?? ''}${opening}`);
}

/** A bake target's name for any id: bake takes letters, digits, `_` and `-` only. */
export function targetName(id: string): string {
  const name = id.replace(/[^A-Za-z0-9_-]/g, '_');
  return /^[A-Za-z_]/.test(name) ? name : `image-${name}`;
}

/**
 * One `type=…,key=value` text as BuildKit's exporters, caches and attestations take it: a CSV record, in which a field
 * with a comma or a quotation mark is quoted. Absent values are left out.
 */
export function formatAttributes(attributes: Readonly<Record<string, string | number | boolean | undefined>>): string {
  return Object.entries(attributes)
    .filter(([, value]) => value !== undefined && value !== '')
    .map(([key, value]) => quoteField(`${key}=${String(value)}`))
    .join(',');
}

function quoteField(field: string): string {
  return /[",\n]/.test(field) ? `"${field.replace(/"/g, '""')}"` : field;
}
