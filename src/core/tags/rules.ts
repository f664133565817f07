import { type Attributes, readAttributes, readChoice, readEach, refuse, refuseUnknown } from './attributes.ts';
import { type InputRecord, readRecords } from './records.ts';

/** What every rule may say, whatever its type. */
interface CommonRule {
  /** Line of the input, from 1. */
  readonly line: number;
  /** The rule as a person would type it. */
  readonly text: string;
  /** A template that must render to `true` or `false`. */
  readonly enable: string;
  readonly priority: number;
  /** Templates; when given, also as the empty text, they stand in place of the flavor's. */
  readonly prefix: string | undefined;
  readonly suffix: string | undefined;
}

export type Rule = CommonRule &
  (
    | { readonly type: 'schedule'; readonly pattern: string }
    | {
        readonly type: 'semver' | 'pep440';
        readonly pattern: string;
        readonly value: string;
        readonly match: RegExp | undefined;
      }
    | { readonly type: 'match'; readonly pattern: RegExp; readonly group: number; readonly value: string }
    | { readonly type: 'edge'; readonly branch: string }
    | { readonly type: 'ref'; readonly event: 'branch' | 'tag' | 'pr' }
    | { readonly type: 'raw'; readonly value: string }
    | { readonly type: 'sha'; readonly format: 'short' | 'long' }
  );

export type RuleType = Rule['type'];

/** Attributes beside the common ones, and the priority a rule has unless it names one (docker/metadata-action v6.2). */
const TYPES: Readonly<Record<RuleType, { readonly attributes: readonly string[]; readonly priority: number }>> = {
  schedule: { attributes: ['pattern'], priority: 1000 },
  semver: { attributes: ['pattern', 'value', 'match'], priority: 900 },
  pep440: { attributes: ['pattern', 'value', 'match'], priority: 900 },
  match: { attributes: ['pattern', 'group', 'value'], priority: 800 },
  edge: { attributes: ['branch'], priority: 700 },
  ref: { attributes: ['event'], priority: 600 },
  raw: { attributes: ['value'], priority: 200 },
  sha: { attributes: ['format'], priority: 100 },
};
const RULE_TYPES = Object.keys(TYPES).filter((name): name is RuleType => Object.hasOwn(TYPES, name));
const COMMON = ['type', 'enable', 'priority', 'prefix', 'suffix'];

/**
 * Reads tag rules in the grammar of docker/metadata-action's `tags`, in the order of their priority.
 *
 * Throws ConfigurationError with the line for an unknown type, an unknown attribute (with the nearest right one), a
 * missing or illegal value.
 */
export function parseRules(text: string): readonly Rule[] {
  return byPriority(readEach(readRecords(text), parseRule));
}

/** Highest priority first; rules of one priority keep their order. */
function byPriority(rules: readonly Rule[]): readonly Rule[] {
  return rules.toSorted((a, b) => b.priority - a.priority);
}

function parseRule(record: InputRecord): Rule {
  const { line } = record;
  const attributes = readAttributes(record);
  const type = readChoice(attributes.get('type') ?? 'raw', RULE_TYPES, 'type', line);
  refuseUnknown(attributes, [...COMMON, ...TYPES[type].attributes], line, `type=${type}`);
  const common: CommonRule = {
    line,
    text: record.fields.map((field) => (field.includes(',') ? `"${field.replaceAll('"', '""')}"` : field)).join(','),
    enable: attributes.get('enable') ?? 'true',
    priority: parsePriority(attributes.get('priority'), type, line),
    prefix: attributes.get('prefix'),
    suffix: attributes.get('suffix'),
  };
  return { ...common, ...parseOwn(type, attributes, line) };
}

type OwnPart = Rule extends infer R ? (R extends Rule ? Omit<R, keyof CommonRule> : never) : never;

function parseOwn(type: RuleType, attributes: Attributes, line: number): OwnPart {
  const of = (name: string, fallback = ''): string => attributes.get(name) || fallback;
  const required = (name: string): string =>
    attributes.get(name) ||
    refuse(line, `type=${type} needs "${name}", as in type=${type},${name}=${EXAMPLES[name] ?? '…'}`);
  switch (type) {
    case 'schedule':
      return { type, pattern: of('pattern', 'nightly') };
    case 'semver':
    case 'pep440': {
      const match = of('match');
      return {
        type,
        pattern: required('pattern'),
        value: of('value'),
        match: match === '' ? undefined : parsePattern(match, line),
      };
    }
    case 'match':
      return {
        type,
        pattern: parsePattern(required('pattern'), line),
        group: parseGroup(of('group', '0'), line),
        value: of('value'),
      };
    case 'edge':
      return { type, branch: of('branch') };
    case 'ref':
      return { type, event: readChoice(required('event'), ['branch', 'tag', 'pr'], 'event', line) };
    case 'raw':
      // An empty value is an output that was not set: the rule then gives no tag.
      return { type, value: attributes.get('value') ?? required('value') };
    case 'sha':
      return { type, format: readChoice(of('format', 'short'), ['short', 'long'], 'format', line) };
  }
}

const EXAMPLES: Readonly<Record<string, string>> = { pattern: '…', event: 'branch', value: 'edge' };

function parsePriority(text: string | undefined, type: RuleType, line: number): number {
  if (text === undefined) return TYPES[type].priority;
  return /^-?\d{1,9}(?:\.\d{1,9})?$/.test(text)
    ? Number(text)
    : refuse(line, `"priority" is "${text}", which is no number`);
}

function parseGroup(text: string, line: number): number {
  return /^\d{1,3}$/.test(text)
    ? Number(text)
    : refuse(line, `"group" is "${text}"; it must be the number of a capture group`);
}

/** A pattern as text, or as `/pattern/flags`. */
function parsePattern(text: string, line: number): RegExp {
  const slashed = /^\/(.+)\/(.*)$/s.exec(text);
  try {
    // `g` and `y` would give a rule a memory of its last use, and `g` would make `match` forget its groups.
    return slashed === null ? new RegExp(text) : new RegExp(slashed[1] ?? '', (slashed[2] ?? '').replace(/[gy]/g, ''));
  } catch (cause) {
    return refuse(
      line,
      `"${text}" is no regular expression: ${cause instanceof Error ? cause.message : String(cause)}`,
      cause,
    );
  }
}
