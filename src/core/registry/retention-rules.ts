import { ConfigurationError } from '../runner/errors.ts';
import { parseDuration } from '../runner/input-grammar.ts';

/** What of a package is kept. A tag that no rule speaks of is kept. */
export type RetentionRule =
  /** Of the tags that the glob matches, the newest are kept, and those that are younger; all others may go. */
  | {
      readonly kind: 'tags';
      readonly pattern: string;
      readonly newest: number;
      /** Milliseconds; 0 keeps none for its age. */
      readonly age: number;
    }
  /** Tags of pull requests go when the request is closed; `{number}` stands for its number. */
  | { readonly kind: 'closed-pull-requests'; readonly pattern: string }
  /** What has no tag, and what no kept image refers to, goes at this age (milliseconds). */
  | { readonly kind: 'untagged'; readonly age: number };

/** A build that runs now pushes without a tag, and names what it pushed at its end. */
const YOUNGEST_UNTAGGED = 3_600_000;
const KEYS: readonly string[] = ['pattern', 'newest', 'age', 'closed', 'untagged'];

/**
 * Reads `retain`, one rule a line: `pattern=sha-*,newest=20,age=30d`, `closed=pr-{number}`, `untagged=7d`.
 *
 * Throws ConfigurationError that names the line. A line that would delete every tag it matches, or untagged images that a
 * build may still be pushing, is refused.
 */
export function parseRetention(given: readonly string[]): readonly RetentionRule[] {
  const rules: RetentionRule[] = [];
  for (const [index, text] of given.entries()) {
    const line = text.trim();
    if (line === '' || line.startsWith('#')) continue;
    try {
      rules.push(parseRule(line));
    } catch (error) {
      if (!(error instanceof ConfigurationError)) throw error;
      throw new ConfigurationError(`input "retain", line ${index + 1}: ${error.message}`, { cause: error });
    }
  }
  return rules;
}

function parseRule(line: string): RetentionRule {
  const fields = new Map<string, string>();
  for (const pair of line.split(',')) {
    const split = pair.indexOf('=');
    const key = pair.slice(0, Math.max(0, split)).trim();
    if (!KEYS.includes(key) || fields.has(key))
      throw new ConfigurationError(
        `"${pair.trim()}" is none of ${KEYS.map((one) => `${one}=…`).join(', ')}, each once`,
      );
    fields.set(key, pair.slice(split + 1).trim());
  }
  const [first = ''] = fields.keys();
  if (fields.size === 1 && first === 'closed') return closedRule(fields.get('closed') ?? '');
  if (fields.size === 1 && first === 'untagged') return untaggedRule(fields.get('untagged') ?? '');
  const pattern = fields.get('pattern') ?? '';
  if (pattern === '' || fields.has('closed') || fields.has('untagged'))
    throw new ConfigurationError(
      `"${line}" is no rule; write pattern=sha-*,newest=20 or closed=pr-{number} or untagged=7d`,
    );
  const [newest, age] = [fields.get('newest'), fields.get('age')];
  if (newest === undefined && age === undefined)
    throw new ConfigurationError(`"${line}" says not what is kept: add newest=10 or age=30d`);
  if (newest !== undefined && !/^[1-9]\d{0,5}$/.test(newest))
    throw new ConfigurationError(`newest=${newest} is no number of 1 or more`);
  return { kind: 'tags', pattern, newest: Number(newest ?? 0), age: age === undefined ? 0 : parseDuration(age) };
}

function closedRule(pattern: string): RetentionRule {
  if (pattern.split('{number}').length === 2) return { kind: 'closed-pull-requests', pattern };
  throw new ConfigurationError(`closed=${pattern} must hold {number} once, as in closed=pr-{number}`);
}

function untaggedRule(text: string): RetentionRule {
  const age = parseDuration(text);
  if (age >= YOUNGEST_UNTAGGED) return { kind: 'untagged', age };
  throw new ConfigurationError(`untagged=${text} is under an hour: a build that runs now pushes before it names`);
}
