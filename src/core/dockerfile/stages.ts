import { ConfigurationError } from '../runner/errors.ts';
import { splitRawWords } from './heredocs.ts';
import { type Instruction, readInstructions } from './instructions.ts';

/** What follows one FROM, up to the next. */
export interface Stage {
  readonly index: number;
  /** In lower case, as BuildKit compares names; undefined for a stage without `AS`. */
  readonly name: string | undefined;
  /** The base as written, with its variables. */
  readonly base: string;
  /** `--platform=` as written; `''` without. */
  readonly platform: string;
  readonly line: number;
  readonly instructions: readonly Instruction[];
}

export interface Dockerfile {
  readonly file: string;
  readonly escapeToken: '\\' | '`';
  readonly syntax: string | undefined;
  /** The ARG instructions before the first FROM. */
  readonly globals: readonly Instruction[];
  readonly stages: readonly Stage[];
}

/** `NAME` or `NAME=default` of an ARG, `NAME=value` of an ENV; values are not expanded yet. */
export interface Assignment {
  readonly name: string;
  readonly value: string | undefined;
}

/** Far above every real file; bounds the work on a hostile one. */
const MAX_STAGES = 1000;

/**
 * Reads a Dockerfile's stages. Throws ConfigurationError with the place for a file without a FROM, an instruction
 * before the first FROM that is no ARG, a FROM without a base, and whatever `readInstructions` refuses.
 */
export function parseDockerfile(text: string, file: string): Dockerfile {
  const { escapeToken, syntax, instructions } = readInstructions(text, file);
  if (instructions.length === 0) {
    throw new ConfigurationError(`"${file}" is empty: it holds no instruction`, { file, line: 1 });
  }
  const first = instructions.findIndex(({ keyword }) => keyword === 'from');
  if (first === -1) throw new ConfigurationError(`"${file}" has no FROM`, { file, line: 1 });
  const globals = instructions.slice(0, first);
  const misplaced = globals.find(({ keyword }) => keyword !== 'arg');
  if (misplaced !== undefined) {
    const { line } = misplaced;
    throw new ConfigurationError(`${misplaced.keyword.toUpperCase()} stands before the first FROM; only ARG may`, {
      file,
      line,
    });
  }
  return { file, escapeToken, syntax, globals, stages: readStages(instructions.slice(first), file) };
}

function readStages(instructions: readonly Instruction[], file: string): readonly Stage[] {
  const starts = instructions.flatMap(({ keyword }, index) => (keyword === 'from' ? [index] : []));
  if (starts.length > MAX_STAGES)
    throw new ConfigurationError(`"${file}" has more than ${MAX_STAGES} stages`, { file, line: 1 });
  return starts.flatMap((start, index) => {
    const from = instructions[start];
    return from === undefined ? [] : [readStage(from, instructions.slice(start + 1, starts[index + 1]), index, file)];
  });
}

function readStage(from: Instruction, instructions: readonly Instruction[], index: number, file: string): Stage {
  const [base, as, name, ...more] = from.rest.split(/\s+/).filter((word) => word !== '');
  const isNamed = as !== undefined;
  if (base === undefined || (isNamed && (as.toLowerCase() !== 'as' || name === undefined || more.length > 0))) {
    throw new ConfigurationError(`"FROM ${from.rest}" must read "FROM base" or "FROM base AS name"`, {
      file,
      line: from.line,
    });
  }
  const platform = from.flags.find((flag) => flag.name === 'platform')?.value ?? '';
  return { index, name: name?.toLowerCase(), base, platform, line: from.line, instructions };
}

/** The declarations of an ARG: `ARG A B=1 C="x y"`. */
export function readArguments(instruction: Instruction): readonly Assignment[] {
  return splitRawWords(instruction.rest).map(splitAssignment);
}

/** The assignments of an ENV, in the form `ENV A=1 B=2` or the old `ENV A all the rest`. */
export function readEnvironment(instruction: Instruction): readonly Assignment[] {
  const words = splitRawWords(instruction.rest);
  if (words[0]?.includes('=') !== false) return words.map(splitAssignment);
  const [, name = '', value = ''] = /^(\S+)\s*([\s\S]*)$/.exec(instruction.rest) ?? [];
  return [{ name, value }];
}

function splitAssignment(word: string): Assignment {
  const separator = word.indexOf('=');
  if (separator === -1) return { name: word, value: undefined };
  return { name: word.slice(0, separator), value: word.slice(separator + 1) };
}
