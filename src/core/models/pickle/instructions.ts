import type { PickleMachine } from './machine.ts';
import { OPCODES } from './opcodes.ts';
import { PickleError } from './reader.ts';
import { MARK, memoKey, OBJECT, OPAQUE, type Value } from './stack.ts';

/** What one opcode has the machine do; `offset` is where the opcode stands. */
type Step = (machine: PickleMachine, offset: number) => void;

/** Pushes a value of which nothing is known: numbers, containers, buffers. */
const pushOpaque: Step = ({ stack }, offset) => stack.push(OPAQUE, offset);

const nothing: Step = () => {};
const pushText: Step = ({ stack, reader }, offset) =>
  stack.push({ kind: 'text', start: reader.argument, length: reader.length }, offset);
const pushBytes: Step = ({ stack, reader }, offset) =>
  stack.push({ kind: 'bytes', start: reader.argument, length: reader.length }, offset);
const pushLine: Step = (machine, offset) => machine.stack.push(machine.lineText(), offset);
const pushUnsigned: Step = ({ stack, reader }, offset) => stack.push({ kind: 'int', value: reader.number() }, offset);
const pushDecimal: Step = ({ stack, reader }, offset) => stack.push(lineInteger(reader.line()), offset);
const extension: Step = (machine, offset) => machine.extension(offset);

/** Makes one value of all down to the mark. */
const gather: Step = (machine, offset) => {
  machine.useAll(machine.stack.popToMark(offset), offset);
  machine.stack.push(OPAQUE, offset);
};
/** Adds all down to the mark to what stands below it. */
const addAll: Step = (machine, offset) => {
  machine.useAll(machine.stack.popToMark(offset), offset);
  machine.stack.top(offset);
};
const putNumber: Step = ({ stack, reader }, offset) => stack.memoize(offset, reader.number());
const getNumber: Step = ({ stack, reader }, offset) => stack.recall(offset, reader.number());

/** The last `count` values, in the order in which they were pushed. */
function take({ stack }: PickleMachine, count: 1 | 2 | 3, offset: number): readonly Value[] {
  const last = stack.pop(offset);
  if (count === 1) return [last];
  const before = stack.pop(offset);
  return count === 2 ? [before, last] : [stack.pop(offset), before, last];
}

/** What each opcode does that does more than push a value of which nothing is known. Source: CPython's Lib/pickle.py. */
const STEPS: ReadonlyMap<string, Step> = new Map<string, Step>([
  ['MARK', ({ stack }, offset) => stack.push(MARK, offset)],
  ['STOP', (machine, offset) => machine.useAll([machine.stack.pop(offset)], offset)],
  ['POP', ({ stack }, offset) => stack.drop(offset)],
  ['POP_MARK', ({ stack }, offset) => void stack.popToMark(offset)],
  ['DUP', ({ stack }, offset) => stack.push(stack.top(offset), offset)],
  ['PROTO', nothing],
  ['FRAME', nothing],
  ['READONLY_BUFFER', ({ stack }, offset) => void stack.top(offset)],

  ['STRING', pushLine],
  ['UNICODE', pushLine],
  ['BINSTRING', pushText],
  ['SHORT_BINSTRING', pushText],
  ['BINUNICODE', pushText],
  ['SHORT_BINUNICODE', pushText],
  ['BINUNICODE8', pushText],
  ['BINBYTES', pushBytes],
  ['SHORT_BINBYTES', pushBytes],
  ['BINBYTES8', pushBytes],
  ['BININT1', pushUnsigned],
  ['BININT2', pushUnsigned],
  [
    'BININT',
    ({ stack, reader }, offset) =>
      stack.push({ kind: 'int', value: reader.bytes(reader.argument, 4).readInt32LE() }, offset),
  ],
  ['LONG1', (machine, offset) => machine.stack.push(machine.longInteger(), offset)],
  ['INT', pushDecimal],
  ['LONG', pushDecimal],
  ['EMPTY_TUPLE', ({ stack }, offset) => stack.push({ kind: 'ints', values: [] }, offset)],
  ['EMPTY_DICT', (machine, offset) => machine.emptyDictionary(offset)],

  ['GLOBAL', (machine, offset) => machine.stack.push(machine.importLines(offset), offset)],
  ['STACK_GLOBAL', (machine, offset) => machine.stackGlobal(offset)],
  ['EXT1', extension],
  ['EXT2', extension],
  ['EXT4', extension],
  ['REDUCE', (machine, offset) => machine.reduce(offset)],
  ['NEWOBJ', (machine, offset) => machine.newObject(1, offset)],
  ['NEWOBJ_EX', (machine, offset) => machine.newObject(2, offset)],
  [
    'INST',
    (machine, offset) => {
      machine.useAll(machine.stack.popToMark(offset), offset);
      machine.call(machine.importLines(offset), [], offset);
    },
  ],
  [
    'OBJ',
    (machine, offset) => {
      const [callee, ...rest] = machine.stack.popToMark(offset);
      if (callee === undefined) throw new PickleError('OBJ names no class', offset);
      machine.useAll(rest, offset);
      machine.call(callee, [], offset);
    },
  ],
  ['BUILD', (machine, offset) => machine.build(offset)],
  // The loader decides what a persistent id is; torch takes it for a storage.
  ['PERSID', ({ stack }, offset) => stack.push(OBJECT, offset)],
  ['BINPERSID', (machine, offset) => machine.persistentObject(machine.stack.pop(offset), offset)],

  ['TUPLE', (machine, offset) => machine.tuple(machine.stack.popToMark(offset), offset)],
  ['TUPLE1', (machine, offset) => machine.tuple(take(machine, 1, offset), offset)],
  ['TUPLE2', (machine, offset) => machine.tuple(take(machine, 2, offset), offset)],
  ['TUPLE3', (machine, offset) => machine.tuple(take(machine, 3, offset), offset)],
  ['LIST', gather],
  ['DICT', gather],
  ['FROZENSET', gather],
  [
    'APPEND',
    (machine, offset) => {
      machine.useAll([machine.stack.pop(offset)], offset);
      machine.stack.top(offset);
    },
  ],
  ['APPENDS', addAll],
  ['ADDITEMS', addAll],
  ['SETITEM', (machine, offset) => machine.setItems(take(machine, 2, offset), offset)],
  ['SETITEMS', (machine, offset) => machine.setItems(machine.stack.popToMark(offset), offset)],

  ['PUT', ({ stack, reader }, offset) => stack.memoize(offset, memoKey(reader.line(), offset))],
  ['BINPUT', putNumber],
  ['LONG_BINPUT', putNumber],
  ['MEMOIZE', ({ stack }, offset) => stack.memoize(offset)],
  ['GET', ({ stack, reader }, offset) => stack.recall(offset, memoKey(reader.line(), offset))],
  ['BINGET', getNumber],
  ['LONG_BINGET', getNumber],
]);

/** The steps by opcode; what has none of its own pushes a value of which nothing is known. */
export const STEP_OF: readonly Step[] = OPCODES.map((opcode) => STEPS.get(opcode?.name ?? '') ?? pushOpaque);

function lineInteger(line: string): Value {
  const text = line.trim().replace(/L$/, '');
  const value = /^[+-]?\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
  return Number.isNaN(value) ? OPAQUE : { kind: 'int', value };
}
