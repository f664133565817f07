import { posix } from 'node:path';
import { expandWord, type Lookup } from './expansion.ts';
import { readHeredocHead } from './heredocs.ts';
import { type Instruction, readJsonForm } from './instructions.ts';
import { readMounts } from './mounts.ts';

/** Something an instruction takes from a context, a stage or an image. */
export interface Read {
  /** A stage, a named context or an image as written in `--from`; undefined for the build's own context. */
  readonly from: string | undefined;
  /** A path or pattern relative to the context's root, without a slash at either end; `''` is all of it. */
  readonly source: string;
  /** True when `source` is a pattern of Go's filepath.Match. */
  readonly isPattern: boolean;
  /** `--parents`: `**` stands for any number of folders. */
  readonly keepsParents: boolean;
  readonly excludes: readonly string[];
  readonly line: number;
  /** Why all of the context must be taken instead of less; undefined when the source is known. */
  readonly widened: string | undefined;
}

/** An ADD of something on the network; it is no file of the context. */
export interface RemoteSource {
  readonly address: string;
  readonly line: number;
}

export interface InstructionReads {
  readonly reads: readonly Read[];
  readonly remotes: readonly RemoteSource[];
}

const NOTHING: InstructionReads = { reads: [], remotes: [] };
const REMOTE = /^(?:https?:\/\/|git:\/\/|ssh:\/\/|git@|github\.com\/)/;
const PATTERN = /[*?[]/;

/**
 * What one instruction reads, with the variables that hold there: sources of COPY and ADD, bind mounts of RUN (whose
 * default source is the whole context). Heredocs read nothing. What cannot be known becomes a read of everything.
 */
export function readsOfInstruction(instruction: Instruction, lookup: Lookup, escapeToken: string): InstructionReads {
  if (instruction.keyword === 'run') return { reads: readsOfMounts(instruction, lookup, escapeToken), remotes: [] };
  if (instruction.keyword !== 'copy' && instruction.keyword !== 'add') return NOTHING;
  const words = readJsonForm(instruction.rest) ?? instruction.rest.split(/\s+/).filter((word) => word !== '');
  const from = instruction.flags.find(({ name }) => name === 'from')?.value;
  const isIn = (name: string): boolean =>
    instruction.flags.some((flag) => flag.name === name && flag.value.toLowerCase() !== 'false');
  const read: Omit<Read, 'source' | 'isPattern' | 'widened'> = {
    from,
    keepsParents: isIn('parents'),
    excludes: instruction.flags.flatMap(({ name, value }) => (name === 'exclude' ? [value] : [])),
    line: instruction.line,
  };
  const reads: Read[] = [];
  const remotes: RemoteSource[] = [];
  for (const word of words.slice(0, -1)) {
    if (instruction.heredocs.length > 0 && readHeredocHead(word) !== undefined) continue;
    const expansion = expandWord(word, lookup, escapeToken);
    if ('unknown' in expansion) reads.push({ ...read, source: '', isPattern: false, widened: expansion.unknown });
    else if (instruction.keyword === 'add' && REMOTE.test(expansion.value))
      remotes.push({ address: expansion.value, line: read.line });
    else reads.push({ ...read, ...toSource(expansion.value, read.keepsParents), widened: undefined });
  }
  return { reads, remotes };
}

/** BuildKit cleans a source against the context's root: `../x` is `x`, `./x/` is `x`. The pivot of `--parents` is no folder. */
function toSource(value: string, keepsParents: boolean): Pick<Read, 'source' | 'isPattern'> {
  const source = posix.join('/', value).replace(/^\/+|\/+$/g, '');
  return { source, isPattern: PATTERN.test(value) || (keepsParents && value.includes('**')) };
}

function readsOfMounts(instruction: Instruction, lookup: Lookup, escapeToken: string): readonly Read[] {
  return readMounts(instruction).flatMap(({ type, from, source }): Read[] => {
    // A cache mount may start from a stage's files; without `from` it reads nothing.
    if (type !== 'bind' && !(type === 'cache' && from !== undefined)) return [];
    const read = { from, keepsParents: false, excludes: [], line: instruction.line, isPattern: false };
    const expansion = expandWord(source ?? '', lookup, escapeToken);
    if ('unknown' in expansion) return [{ ...read, source: '', widened: expansion.unknown }];
    return [{ ...read, source: posix.join('/', expansion.value).replace(/^\/+|\/+$/g, ''), widened: undefined }];
  });
}
