import { ConfigurationError } from '../runner/errors.ts';

/** One entry of a list input and the line it starts on, counted from 1. */
export interface InputRecord {
  readonly line: number;
  readonly fields: readonly string[];
}

/** One whole line of a list input; several lines where it stands in quotes. */
export interface InputLine {
  readonly line: number;
  readonly text: string;
}

const MAX_INPUT = 512 * 1024;

/** A field in quotes: all of it (`"key=a,b"`, may hold line ends), or its value (`key="a,b"`). `""` is one quote. */
const QUOTED_FIELD = /[ \t]*"((?:[^"]|"")*)"[ \t]*(?=,|\r?\n|$)/y;
const QUOTED_VALUE = /[ \t]*([A-Za-z][\w-]*)[ \t]*=[ \t]*"((?:[^"\n]|"")*)"[ \t]*(?=,|\r?\n|$)/y;
/** The comma of a pattern's quantifier (`\d{1,3}`) separates nothing, also where the quotes were forgotten. */
const PLAIN_FIELD = /(?:[^,\r\n]|(?<=\{\d{1,9}),(?=\d{0,9}\}))*/y;
const QUOTED_LINE = /[ \t]*"((?:[^"]|"")*)"[ \t]*(?=\r?\n|$)/y;
const PLAIN_LINE = /[^\r\n]*/y;
const BLANK_OR_COMMENT = /[ \t]*(?:#[^\n]*)?(?:\r?\n|$)/y;
const LINE_END = /\r?\n|$/y;

/**
 * Reads records of comma-separated fields, one a line, as docker/metadata-action's `tags`, `flavor` and `images`.
 *
 * Quotes are read once, so that a quoted comma survives (there they are read twice, and it does not). A record that
 * stands in quotes as a whole is read again, because that was the only way to write a comma there. Blank lines and
 * `#` comments, indented or not, are left out; a `#` after text is text. Throws ConfigurationError with the line.
 */
export function readRecords(text: string): readonly InputRecord[] {
  const records: InputRecord[] = [];
  scan(text, (scanner) => {
    const { line } = scanner;
    const fields = [readField(scanner)];
    while (scanner.take(/,/y) !== undefined) fields.push(readField(scanner));
    const [only] = fields;
    records.push(
      fields.length === 1 && only?.isQuoted === true
        ? { line, fields: readWhole(only.text, line) }
        : { line, fields: fields.map((field) => field.text) },
    );
  });
  return records
    .map(({ line, fields }) => ({ line, fields: fields.filter((field) => field !== '') }))
    .filter(({ fields }) => fields.length > 0);
}

/** Reads whole lines, as docker/metadata-action's `labels` and `annotations`: a line in quotes may go on over several. */
export function readLines(text: string): readonly InputLine[] {
  const lines: InputLine[] = [];
  scan(text, (scanner) => {
    const { line } = scanner;
    const quoted = scanner.take(QUOTED_LINE);
    lines.push({
      line,
      text: quoted === undefined ? (scanner.take(PLAIN_LINE)?.[0] ?? '').trim() : unquote(quoted[1]),
    });
  });
  return lines;
}

interface Field {
  readonly text: string;
  readonly isQuoted: boolean;
}

interface Scanner {
  readonly line: number;
  /** Moves past what the sticky pattern matches here; undefined and no move where it does not. */
  take(pattern: RegExp): RegExpExecArray | undefined;
}

function scan(text: string, readEntry: (scanner: Scanner) => void): void {
  if (text.length > MAX_INPUT) throw new ConfigurationError(`more than ${MAX_INPUT} characters are not read`);
  let position = 0;
  let line = 1;
  const scanner = {
    get line() {
      return line;
    },
    take(pattern: RegExp): RegExpExecArray | undefined {
      pattern.lastIndex = position;
      const match = pattern.exec(text) ?? undefined;
      if (match === undefined) return undefined;
      position += match[0].length;
      line += match[0].split('\n').length - 1;
      return match;
    },
  };
  while (position < text.length) {
    if (scanner.take(BLANK_OR_COMMENT) !== undefined) continue;
    readEntry(scanner);
    scanner.take(LINE_END);
  }
}

function readField(scanner: Scanner): Field {
  const { line } = scanner;
  const quoted = scanner.take(QUOTED_FIELD);
  if (quoted !== undefined) return { text: unquote(quoted[1]), isQuoted: true };
  const value = scanner.take(QUOTED_VALUE);
  if (value !== undefined) return { text: `${value[1] ?? ''}=${unquote(value[2])}`, isQuoted: false };
  const plain = (scanner.take(PLAIN_FIELD)?.[0] ?? '').trim();
  if (/^"[^"]*$/.test(plain)) {
    throw new ConfigurationError(`line ${line}: the quote before ${JSON.stringify(plain.slice(1, 40))} is not closed`);
  }
  return { text: plain, isQuoted: false };
}

/** The fields of a record that stood in quotes as a whole. */
function readWhole(text: string, line: number): readonly string[] {
  const inner: string[] = [];
  scan(text, (scanner) => {
    inner.push(readField(scanner).text);
    while (scanner.take(/,/y) !== undefined) inner.push(readField(scanner).text);
  });
  if (inner.length === 0) throw new ConfigurationError(`line ${line}: there is nothing between the quotes`);
  return inner;
}

function unquote(quoted: string | undefined): string {
  return (quoted ?? '').replaceAll('""', '"');
}
