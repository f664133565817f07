import type { ByteSource } from './byte-source.ts';
import type { ModelFinding, Severity } from './model-finding.ts';
import { judgeImport } from './pickle-policy.ts';
import { type Instruction, PickleError, readInstructions } from './pickle-reader.ts';
import { MARK, OBJECT, OPAQUE, PickleStack, type Value } from './pickle-stack.ts';

/** Bounds on what a hostile pickle costs. The largest real ones seen have some 600,000 instructions. */
const MAX_INSTRUCTIONS = 20_000_000;
const MAX_FINDINGS = 100;

export interface PickleReport {
  readonly findings: readonly ModelFinding[];
  /** The byte behind STOP; undefined where the pickle could not be followed that far. */
  readonly end: number | undefined;
}

/**
 * Follows a pickle from `start` to STOP without executing anything, and reports what loading it would import and call.
 *
 * The machine is that of CPython's Lib/pickle.py with symbols for values: texts keep their content, because
 * STACK_GLOBAL takes its names from the stack by whatever way they came there; everything else keeps only what is
 * needed to say what is called. What the machine cannot know is a finding, and so is a pickle that breaks off: its
 * first half has already run when `pickle.load` raises. Never throws for what a file holds.
 */
export function interpretPickle(source: ByteSource, start: number, allowed: ReadonlySet<string>): PickleReport {
  const findings = new Map<string, ModelFinding>();
  const report: Report = (severity, rule, message, offset) => {
    if (findings.size < MAX_FINDINGS && !findings.has(message))
      findings.set(message, { severity, rule, message, offset });
  };
  const steps = createSteps(report, allowed);
  let count = 0;
  try {
    for (const instruction of readInstructions(source, start)) {
      count += 1;
      if (count > MAX_INSTRUCTIONS)
        throw new PickleError(`it has more than ${MAX_INSTRUCTIONS} instructions`, instruction.offset);
      const step = steps[instruction.name] ?? steps['PUSH'];
      step?.(instruction);
      if (instruction.name === 'STOP') return { findings: [...findings.values()], end: instruction.end };
    }
  } catch (error) {
    if (!(error instanceof PickleError)) throw error;
    report('suspicious', 'pickle-broken', `the pickle cannot be followed to its end: ${error.message}`, error.offset);
  }
  return { findings: [...findings.values()], end: undefined };
}

type Report = (severity: Severity, rule: string, message: string, offset: number) => void;
type Step = (instruction: Instruction) => void;

/** What each instruction does to the stack; `PUSH` stands for all that push one plain value. */
function createSteps(report: Report, allowed: ReadonlySet<string>): Readonly<Record<string, Step>> {
  const stack = new PickleStack();

  const importName = (module: string, name: string, offset: number): Value => {
    const verdict = judgeImport(module, name, allowed);
    const shown = JSON.stringify(`${module}.${name}`.slice(0, 200)).slice(1, -1);
    if (verdict === 'dangerous') {
      report('dangerous', 'pickle-import', `it imports ${shown}, which can run code or reach the system`, offset);
    } else if (verdict === 'suspicious') {
      const fix = 'if it is harmless, list it in "allow-globals"';
      report('suspicious', 'pickle-import', `it imports ${shown}, which is not known to be harmless; ${fix}`, offset);
    }
    return { kind: 'import', module, name };
  };
  const call = (callee: Value, offset: number): void => {
    if (callee.kind !== 'import')
      report('suspicious', 'pickle-call', 'it calls a value whose origin cannot be known', offset);
    stack.push(OBJECT, offset);
  };

  const pushText: Step = ({ name, argument, offset }) => stack.push(textOf(name, argument), offset);
  const pushOpaque: Step = ({ offset }) => stack.push(OPAQUE, offset);
  const nothing: Step = () => {};
  const gather: Step = ({ offset }) => {
    stack.popToMark(offset);
    stack.push(OPAQUE, offset);
  };
  const addAll: Step = ({ offset }) => {
    stack.popToMark(offset);
    stack.top(offset);
  };
  const tuple =
    (count: number): Step =>
    ({ offset }) => {
      stack.pop(offset, count);
      stack.push(OPAQUE, offset);
    };
  /** Calls what stands below `count` arguments. */
  const callBelow =
    (count: number): Step =>
    ({ offset }) => {
      stack.pop(offset, count);
      call(stack.pop(offset), offset);
    };
  const extension: Step = ({ argument, offset }) => {
    const code = numberOf(argument);
    report(
      'dangerous',
      'pickle-import',
      `it imports number ${code} of the copyreg registry, whatever that is where it is loaded`,
      offset,
    );
    stack.push(OBJECT, offset);
  };

  return {
    MARK: ({ offset }) => stack.push(MARK, offset),
    STOP: ({ offset }) => void stack.pop(offset),
    POP: ({ offset }) => void stack.pop(offset),
    POP_MARK: ({ offset }) => void stack.popToMark(offset),
    DUP: ({ offset }) => stack.push(stack.top(offset), offset),

    STRING: pushText,
    UNICODE: pushText,
    BINSTRING: pushText,
    SHORT_BINSTRING: pushText,
    BINUNICODE: pushText,
    SHORT_BINUNICODE: pushText,
    BINUNICODE8: pushText,

    GLOBAL: ({ argument, second, offset }) => stack.push(importName(lineOf(argument), lineOf(second), offset), offset),
    STACK_GLOBAL({ offset }) {
      const name = stack.pop(offset);
      const module = stack.pop(offset);
      if (name.kind === 'text' && module.kind === 'text') {
        stack.push(importName(module.text, name.text, offset), offset);
        return;
      }
      report('dangerous', 'pickle-import', 'it imports a name that it computes, so that nobody can read it', offset);
      stack.push(OBJECT, offset);
    },
    EXT1: extension,
    EXT2: extension,
    EXT4: extension,

    REDUCE: callBelow(1),
    NEWOBJ: callBelow(1),
    NEWOBJ_EX: callBelow(2),
    INST({ argument, second, offset }) {
      stack.popToMark(offset);
      call(importName(lineOf(argument), lineOf(second), offset), offset);
    },
    OBJ({ offset }) {
      const [callee] = stack.popToMark(offset);
      if (callee === undefined) throw new PickleError('OBJ names no class', offset);
      call(callee, offset);
    },
    BUILD({ offset }) {
      stack.pop(offset);
      const target = stack.top(offset);
      // State that is set on a module, a class or a function changes the interpreter (`numpy.__builtins__` by BUILD).
      if (target.kind === 'import') {
        report('dangerous', 'pickle-build', `it changes ${target.module}.${target.name} itself`, offset);
      } else if (target.kind !== 'object') {
        report('suspicious', 'pickle-build', 'it sets the state of a value whose origin cannot be known', offset);
      }
    },
    // The loader decides what a persistent id is; torch takes it for a storage.
    PERSID: ({ offset }) => stack.push(OBJECT, offset),
    BINPERSID({ offset }) {
      stack.pop(offset);
      stack.push(OBJECT, offset);
    },

    APPEND: ({ offset }) => void stack.pop(offset),
    SETITEM: ({ offset }) => void stack.pop(offset, 2),
    APPENDS: addAll,
    SETITEMS: addAll,
    ADDITEMS: addAll,
    LIST: gather,
    DICT: gather,
    TUPLE: gather,
    FROZENSET: gather,
    TUPLE1: tuple(1),
    TUPLE2: tuple(2),
    TUPLE3: tuple(3),

    PUT: ({ argument, offset }) => stack.memoize(offset, Number.parseInt(lineOf(argument), 10)),
    BINPUT: ({ argument, offset }) => stack.memoize(offset, numberOf(argument)),
    LONG_BINPUT: ({ argument, offset }) => stack.memoize(offset, numberOf(argument)),
    MEMOIZE: ({ offset }) => stack.memoize(offset),
    GET: ({ argument, offset }) => stack.recall(offset, Number.parseInt(lineOf(argument), 10)),
    BINGET: ({ argument, offset }) => stack.recall(offset, numberOf(argument)),
    LONG_BINGET: ({ argument, offset }) => stack.recall(offset, numberOf(argument)),

    PROTO: nothing,
    FRAME: nothing,
    READONLY_BUFFER: nothing,
    PUSH: pushOpaque,
  };
}

/** A text of the pickle; one too long to be kept, or written with escapes, is not known. */
function textOf(name: string, argument: Buffer | undefined): Value {
  if (argument === undefined) return OPAQUE;
  if (name === 'STRING') {
    const quoted = /^(['"])([^\\]*)\1$/.exec(argument.toString('latin1').trim());
    return quoted === null ? OPAQUE : { kind: 'text', text: quoted[2] ?? '' };
  }
  const text = argument.toString('utf8');
  return name === 'UNICODE' && text.includes('\\') ? OPAQUE : { kind: 'text', text };
}

function lineOf(bytes: Buffer | undefined): string {
  return bytes?.toString('utf8').trim() ?? '';
}

function numberOf(bytes: Buffer | undefined): number {
  return bytes === undefined || bytes.length === 0 ? 0 : bytes.readUIntLE(0, Math.min(6, bytes.length));
}
