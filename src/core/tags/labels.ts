import { ConfigurationError } from '../runner/errors.ts';
import type { RenderTemplate } from './expressions.ts';
import type { TagFacts } from './facts.ts';
import type { InputLine } from './records.ts';
import { viewOf } from './template-view.ts';

/** Labels or annotations by key, in the order of their keys. Values may hold line ends. */
export type Labels = ReadonlyMap<string, string>;

export interface LabelPlan {
  readonly labels: Labels;
  readonly warnings: readonly string[];
}

/**
 * The labels of OCI's image specification ("Pre-Defined Annotation Keys") that a run knows, and the user's over them.
 *
 * `lines` are `key=value` templates, split at the first `=`; a line without `=` is left out with a warning. What could
 * not be learned of the repository is no label; what it does not have is an empty one, as in docker/metadata-action.
 * Throws ConfigurationError, with the line, for a template that does not render.
 */
export function planLabels(
  facts: TagFacts,
  version: string | undefined,
  lines: readonly InputLine[],
  render: RenderTemplate,
): LabelPlan {
  const { repository } = facts;
  const known: readonly (readonly [string, string | undefined])[] = [
    ['title', repository.name],
    ['description', repository.description],
    ['url', repository.url],
    ['source', repository.url],
    ['version', version ?? ''],
    ['created', facts.now.toISOString()],
    ['revision', facts.sha],
    ['licenses', repository.license],
  ];
  const labels = new Map<string, string>();
  for (const [name, value] of known) if (value !== undefined) labels.set(`org.opencontainers.image.${name}`, value);

  const warnings: string[] = [];
  for (const { line, text } of lines) {
    const rendered = renderLine(line, text, facts, render);
    const split = rendered.indexOf('=');
    const key = rendered.slice(0, Math.max(0, split)).trim();
    if (key === '') warnings.push(`line ${line} ("${text}") is no key=value and was left out`);
    else labels.set(key, rendered.slice(split + 1));
  }
  // Not localeCompare: the first collator of a process takes 8 ms to make.
  return { labels: new Map([...labels].sort(([a], [b]) => (a < b ? -1 : 1))), warnings };
}

function renderLine(line: number, text: string, facts: TagFacts, render: RenderTemplate): string {
  try {
    return render(text, viewOf(facts));
  } catch (cause) {
    if (!(cause instanceof ConfigurationError)) throw cause;
    throw new ConfigurationError(`line ${line}: ${cause.message}`, { cause });
  }
}

/** `key=value` entries; one that holds a line end stands in quotes where `separator` would split it. */
export function formatLabels(labels: Labels, separator: string): string {
  return joinEntries(
    [...labels].map(([key, value]) => `${key}=${value}`),
    separator,
  );
}

/**
 * Joins entries of an output that is a list. An entry of several lines is quoted, as docker/build-push-action's and
 * our own inputs read it; without quotes only its first line would arrive.
 */
export function joinEntries(entries: readonly string[], separator: string): string {
  return entries
    .map((entry) => (/[\r\n]/.test(entry) && separator.includes('\n') ? `"${entry.replaceAll('"', '""')}"` : entry))
    .join(separator);
}

const LEVELS = ['manifest', 'index', 'manifest-descriptor', 'index-descriptor'];

/**
 * Reads `DOCKER_METADATA_ANNOTATIONS_LEVELS`: where annotations go, each of them to every level; default `manifest`.
 * A level may name a platform, as in `manifest[linux/amd64]`. Throws ConfigurationError for any other word.
 */
export function parseAnnotationLevels(text: string): readonly string[] {
  const levels = text
    .split(',')
    .map((level) => level.trim())
    .filter((level) => level !== '');
  for (const level of levels) {
    if (!LEVELS.includes(level.replace(/\[[a-z0-9/_.-]+\]$/, ''))) {
      throw new ConfigurationError(
        `DOCKER_METADATA_ANNOTATIONS_LEVELS holds "${level}"; there are ${LEVELS.join(', ')}`,
      );
    }
  }
  return levels.length === 0 ? ['manifest'] : levels;
}

/** Annotations as `docker buildx build --annotation` takes them: `level:key=value`. */
export function annotationEntries(annotations: Labels, levels: readonly string[]): readonly string[] {
  return levels.flatMap((level) => [...annotations].map(([key, value]) => `${level}:${key}=${value}`));
}
