import { ConfigurationError } from '../runner/errors.ts';
import { nearest } from '../runner/input-grammar.ts';
import type { InputRecord } from './records.ts';

/** The attributes of a record; a field without `=` is the attribute `value`. */
export type Attributes = ReadonlyMap<string, string>;

/** Throws a ConfigurationError that starts with the line of the input. */
export function refuse(line: number, message: string, cause?: unknown): never {
  throw new ConfigurationError(`line ${line}: ${message}`, cause === undefined ? {} : { cause });
}

/**
 * Splits each field at its first `=`; names are in lower case, values keep every further `=`.
 * Throws ConfigurationError for an attribute that is given twice: one of the two would have no effect.
 */
export function readAttributes(record: InputRecord, bareName = 'value'): Attributes {
  const attributes = new Map<string, string>();
  for (const field of record.fields) {
    const split = field.indexOf('=');
    const name = split < 0 ? bareName : field.slice(0, split).trim().toLowerCase();
    const value = (split < 0 ? field : field.slice(split + 1)).trim();
    const earlier = attributes.get(name);
    if (earlier !== undefined) {
      refuse(
        record.line,
        split < 0
          ? `both "${earlier}" and "${value}" are values; write each on a line of its own, or quote a value that holds a comma`
          : `"${name}" is given twice ("${earlier}" and "${value}")`,
      );
    }
    attributes.set(name, value);
  }
  return attributes;
}

/** The one of `choices` that a value is. Throws ConfigurationError that names the attribute and the nearest right value. */
export function readChoice<Choice extends string>(
  value: string,
  choices: readonly Choice[],
  attribute: string,
  line: number,
): Choice {
  const found = choices.find((choice) => choice === value);
  if (found !== undefined) return found;
  const among = choices.length === 2 ? choices.join(' or ') : `one of ${choices.join(', ')}`;
  return refuse(line, `"${attribute}" is "${value}"; it must be ${among}${hintFor(value, choices) ?? ''}`);
}

/** Throws ConfigurationError for an attribute that is not among `known`, and names the nearest one. */
export function refuseUnknown(attributes: Attributes, known: readonly string[], line: number, of: string): void {
  for (const [name, value] of attributes) {
    if (known.includes(name)) continue;
    if (name === 'value')
      refuse(line, `"${value}" is no attribute of ${of}; write key=value, with one of ${known.join(', ')}`);
    refuse(line, `"${name}" is no attribute of ${of}${hintFor(name, known) ?? `; it knows ${known.join(', ')}`}`);
  }
}

function hintFor(word: string, right: readonly string[]): string | undefined {
  const near = nearest(word, right);
  return near === undefined ? undefined : `; did you mean "${near}"?`;
}

/** Reads every record before anything is thrown: one ConfigurationError names all lines that are wrong. */
export function readEach<Value>(
  records: readonly InputRecord[],
  read: (record: InputRecord) => Value,
): readonly Value[] {
  const values: Value[] = [];
  const problems: ConfigurationError[] = [];
  for (const record of records) {
    try {
      values.push(read(record));
    } catch (problem) {
      if (!(problem instanceof ConfigurationError)) throw problem;
      problems.push(problem);
    }
  }
  if (problems.length === 0) return values;
  throw new ConfigurationError(problems.map(({ message }) => message).join('; '), { cause: problems[0]?.cause });
}
