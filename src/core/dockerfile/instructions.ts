import { ConfigurationError } from '../runner/errors.ts';
import { type Heredoc, readHeredocHeads } from './heredocs.ts';

/** One instruction, its continuation lines joined and its comments dropped. */
export interface Instruction {
  /** In lower case: `from`, `copy`, `run`, … */
  readonly keyword: string;
  readonly flags: readonly Flag[];
  /** The text behind keyword and flags, as written: not unquoted, not expanded. */
  readonly rest: string;
  readonly heredocs: readonly Heredoc[];
  /** Counted from 1. */
  readonly line: number;
  readonly endLine: number;
}

/** `--from=builder` is `{ name: 'from', value: 'builder' }`; a flag without `=` has the value `''`. */
export interface Flag {
  readonly name: string;
  readonly value: string;
}

export interface InstructionList {
  readonly escapeToken: '\\' | '`';
  /** The frontend image that `# syntax=` names. */
  readonly syntax: string | undefined;
  readonly instructions: readonly Instruction[];
}

/** BuildKit refuses to read more; a Dockerfile of the wild is 100 times smaller. */
export const MAX_DOCKERFILE_BYTES = 1024 * 1024;

const DIRECTIVE = /^#\s*([a-zA-Z][a-zA-Z0-9]*)\s*=\s*(.+?)\s*$/;
const DIRECTIVE_NAMES: ReadonlySet<string> = new Set(['syntax', 'escape', 'check']);
const HEREDOC_KEYWORDS: ReadonlySet<string> = new Set(['add', 'copy', 'run']);

/**
 * Splits a Dockerfile into instructions as BuildKit's own parser does (frontend/dockerfile/parser): byte order mark,
 * CRLF, parser directives, continuation lines with comments and empty lines between them, heredocs.
 *
 * Written here because what npm offers mistakes bodies of heredocs for instructions (dockerfile-ast 0.7.1:
 * `RUN cat 3<<EOF`, `COPY <<-A <<B`, `RUN <<"EO F"`), and a `FROM` in such a body would be a stage.
 * Throws ConfigurationError with the place for a file that is too large or a heredoc without an end.
 */
export function readInstructions(text: string, file: string): InstructionList {
  if (text.length > MAX_DOCKERFILE_BYTES) {
    throw new ConfigurationError(`"${file}" is larger than ${MAX_DOCKERFILE_BYTES} bytes`, { file, line: 1 });
  }
  const lines = text
    .replace(/^\uFEFF/, '')
    .split('\n')
    .map((line) => line.replace(/\r$/, ''));
  const { escapeToken, syntax } = readDirectives(lines, file);
  const token = escapeToken === '\\' ? '\\\\' : '`';
  const continuation = new RegExp(`(?:^|([^${token}]))${token}[ \\t]*$`);

  const instructions: Instruction[] = [];
  let next = 0;
  while (next < lines.length) {
    const line = next + 1;
    const joined = joinContinuationLines(lines, next, continuation);
    next = joined.next;
    if (joined.text.trim() === '') continue;
    const parts = splitInstruction(joined.text);
    const heredocs: Heredoc[] = [];
    for (const head of canHoldHeredocs(parts) ? readHeredocHeads(joined.text) : []) {
      const body = readBody(lines, next, head.name, head.isIndented);
      if (body === undefined) throw new ConfigurationError(`the heredoc "${head.name}" has no end`, { file, line });
      heredocs.push({ ...head, content: body.content });
      next = body.next;
    }
    instructions.push({ ...parts, heredocs, line, endLine: next });
  }
  return { escapeToken, syntax, instructions };
}

/** Reads the instruction that ONBUILD defers; its place is that of the ONBUILD. */
export function readDeferredInstruction(onbuild: Instruction): Instruction {
  return {
    ...splitInstruction(onbuild.rest),
    heredocs: onbuild.heredocs,
    line: onbuild.line,
    endLine: onbuild.endLine,
  };
}

function readDirectives(lines: readonly string[], file: string): Pick<InstructionList, 'escapeToken' | 'syntax'> {
  const found = new Map<string, string>();
  for (const [index, line] of lines.entries()) {
    // A shebang is passed over; the first line that is no directive ends them.
    if (index === 0 && line.startsWith('#!')) continue;
    const [, name = '', value = ''] = DIRECTIVE.exec(line) ?? [];
    const key = name.toLowerCase();
    if (!DIRECTIVE_NAMES.has(key) || found.has(key)) break;
    found.set(key, value);
  }
  const escapeToken = found.get('escape') ?? '\\';
  if (escapeToken !== '\\' && escapeToken !== '`') {
    throw new ConfigurationError(`"# escape=${escapeToken}" is neither \\ nor \``, { file, line: 1 });
  }
  return { escapeToken, syntax: found.get('syntax') };
}

/** Joins one instruction's lines. Comments and empty lines between them are dropped, as BuildKit does. */
function joinContinuationLines(
  lines: readonly string[],
  start: number,
  continuation: RegExp,
): { text: string; next: number } {
  let next = start + 1;
  const first = dropComment(lines[start] ?? '').trimStart();
  let continues = continuation.test(first);
  const parts = [first.replace(continuation, '$1')];
  while (continues && next < lines.length) {
    const line = dropComment(lines[next] ?? '');
    next += 1;
    if (line.trim() === '') continue;
    continues = continuation.test(line);
    parts.push(line.replace(continuation, '$1'));
  }
  return { text: parts.join(''), next };
}

function dropComment(line: string): string {
  return line.trimStart().startsWith('#') ? '' : line;
}

function readBody(
  lines: readonly string[],
  start: number,
  name: string,
  isIndented: boolean,
): { content: string; next: number } | undefined {
  for (let index = start; index < lines.length; index += 1) {
    const line = lines[index] ?? '';
    if ((isIndented ? line.replace(/^\t+/, '') : line) !== name) continue;
    return {
      content: lines
        .slice(start, index)
        .map((text) => `${text}\n`)
        .join(''),
      next: index + 1,
    };
  }
  return undefined;
}

function canHoldHeredocs({ keyword, rest }: Pick<Instruction, 'keyword' | 'rest'>): boolean {
  if (keyword === 'onbuild') return canHoldHeredocs(splitInstruction(rest));
  return HEREDOC_KEYWORDS.has(keyword) && rest.includes('<<') && !isJsonForm(rest);
}

/** True for `["a", "b"]`: the form that knows no quotes, variables in quotes, or heredocs of a shell. */
export function isJsonForm(rest: string): boolean {
  return readJsonForm(rest) !== undefined;
}

/** The texts of the JSON form, or undefined when this is not valid JSON and so is read as plain words. */
export function readJsonForm(rest: string): readonly string[] | undefined {
  if (!rest.trimStart().startsWith('[')) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(rest);
  } catch {
    // BuildKit takes what is no JSON for plain words: `RUN [ -f x ] && y`.
    return undefined;
  }
  return Array.isArray(value) && value.every((entry): entry is string => typeof entry === 'string') ? value : undefined;
}

function splitInstruction(text: string): Pick<Instruction, 'keyword' | 'flags' | 'rest'> {
  const [, keyword = '', behind = ''] = /^\s*(\S+)([\s\S]*)$/.exec(text) ?? [];
  const flags: Flag[] = [];
  let rest = behind.trimStart();
  while (rest.startsWith('--')) {
    const { word, end } = readFlagWord(rest);
    rest = rest.slice(end).trimStart();
    if (word === '--') break;
    const separator = word.indexOf('=');
    flags.push(
      separator === -1
        ? { name: word.slice(2), value: '' }
        : { name: word.slice(2, separator), value: word.slice(separator + 1) },
    );
  }
  return { keyword: keyword.toLowerCase(), flags, rest: rest.trimEnd() };
}

/** One word of flags; quotes and backslashes are taken off as BuildKit's extractBuilderFlags does. */
function readFlagWord(text: string): { word: string; end: number } {
  let word = '';
  let quote = '';
  let position = 0;
  for (; position < text.length; position += 1) {
    const character = text.charAt(position);
    if (character === '\\') {
      position += 1;
      word += text.charAt(position);
    } else if (quote !== '') {
      if (character === quote) quote = '';
      else word += character;
    } else if (character === '"' || character === "'") {
      quote = character;
    } else if (/\s/.test(character)) {
      break;
    } else {
      word += character;
    }
  }
  return { word, end: position };
}
