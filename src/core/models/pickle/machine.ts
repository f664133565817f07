import { type ByteSource, bufferSource, slice } from '../byte-source.ts';
import type { ModelFinding, Severity } from '../model-finding.ts';
import type { ReadContext } from '../read-context.ts';
import { judgeImport } from './import-policy.ts';
import { inlineArray } from './inline-array.ts';
import { MAX_LINE, PickleError, PickleReader } from './reader.ts';
import { type MadeBy, OBJECT, OPAQUE, PickleStack, type Value } from './stack.ts';

const MAX_FINDINGS = 100;
/** Short tuples and dictionaries whose contents are kept; beyond that many they are opaque. */
const MAX_DETAILED = 40_000;
/** What one array of joblib takes of them: its wrapper and dictionary, its shape, its type and that type's state. */
const DETAILS_OF_ARRAY = 6;
const SHORT = 8;
/** `name.name` longer than this is no import that anybody wrote. */
const MAX_NAME = 1024;
/** Bytes of a tensor that stands in the pickle as a text. */
const MAX_ENCODED = 16 * 1024 * 1024;

export interface PickleReport {
  readonly findings: readonly ModelFinding[];
  /** The byte behind STOP; undefined where the pickle could not be followed that far. */
  readonly end: number | undefined;
  readonly tensors: number;
  /** Elements of all tensors and arrays whose shape the pickle tells. */
  readonly parameters: number;
}

/** How a pickle inside of this one is followed. */
export type Interpret = (source: ByteSource, start: number, context: ReadContext) => PickleReport;

/** The machine that a pickle drives; `instructions.ts` says what each opcode has it do. */
export class PickleMachine {
  readonly reader: PickleReader;
  readonly stack = new PickleStack();
  readonly #source: ByteSource;
  readonly #context: ReadContext;
  readonly #interpret: Interpret;
  readonly #findings = new Map<string, ModelFinding>();
  /** Where the bytes of nested models that were read stand: a memo can name one of them a million times. */
  readonly #nested = new Set<number>();
  #detailed = 0;
  #tensors = 0;
  #parameters = 0;

  constructor(source: ByteSource, start: number, context: ReadContext, interpret: Interpret) {
    this.#interpret = interpret;
    this.#source = source;
    this.#context = context;
    this.reader = new PickleReader(source, start);
  }

  /** What was found so far; `end` is the byte behind STOP. */
  reportUntil(end: number | undefined): PickleReport {
    return { findings: [...this.#findings.values()], end, tensors: this.#tensors, parameters: this.#parameters };
  }

  report(severity: Severity, rule: string, message: string, offset: number): void {
    if (this.#findings.size < MAX_FINDINGS && !this.#findings.has(message))
      this.#findings.set(message, { severity, rule, message, offset });
  }

  /** The text of a STRING or UNICODE line; one that is written with escapes is not known. */
  lineText(): Value {
    const { argument, length, name } = this.reader;
    if (length > MAX_LINE) return OPAQUE;
    const line = this.reader.line();
    if (line.includes('\\')) return OPAQUE;
    if (name === 'UNICODE') return { kind: 'text', start: argument, length };
    return /^(['"]).*\1$/s.test(line) ? { kind: 'text', start: argument + 1, length: length - 2 } : OPAQUE;
  }

  /** A whole number of few bytes; a longer one is no dimension of anything. */
  longInteger(): Value {
    const { argument, length } = this.reader;
    if (length > 6) return OPAQUE;
    return { kind: 'int', value: length === 0 ? 0 : this.reader.bytes(argument, length).readIntLE(0, length) };
  }

  emptyDictionary(offset: number): void {
    this.stack.push(this.#isDetailed() ? { kind: 'dict', entries: [] } : OPAQUE, offset);
  }

  /** What the two lines of GLOBAL or INST import. */
  importLines(offset: number): Value {
    return this.#import(this.reader.line(), this.reader.secondLine(), offset);
  }

  #isDetailed(): boolean {
    this.#detailed += 1;
    return this.#detailed <= MAX_DETAILED;
  }

  #textOf(value: Value | undefined): string | undefined {
    if (value?.kind !== 'text' || value.length > MAX_NAME) return undefined;
    return this.reader.bytes(value.start, value.length).toString('utf8');
  }

  #import(module: string, name: string, offset: number): Value {
    const verdict = judgeImport(module, name, this.#context.allowed);
    const shown = JSON.stringify(`${module}.${name}`.slice(0, 200)).slice(1, -1);
    if (verdict === 'dangerous') {
      const message = `it imports ${shown}, which can run code or reach the system`;
      this.report('dangerous', 'pickle-import', message, offset);
    } else if (verdict === 'suspicious') {
      const message = `it imports ${shown}, which is not known to be harmless; if it is, list it in "allow-globals"`;
      this.report('suspicious', 'pickle-import', message, offset);
    }
    return { kind: 'import', module, name };
  }

  stackGlobal(offset: number): void {
    const name = this.#textOf(this.stack.pop(offset));
    const module = this.#textOf(this.stack.pop(offset));
    if (name !== undefined && module !== undefined) {
      this.stack.push(this.#import(module, name, offset), offset);
      return;
    }
    const message = 'it imports a name that it computes, so that nobody can read it';
    this.report('dangerous', 'pickle-import', message, offset);
    this.stack.push(OBJECT, offset);
  }

  extension(offset: number): void {
    const code = this.reader.number();
    const message = `it imports number ${code} of the copyreg registry, whatever that is where it is loaded`;
    this.report('dangerous', 'pickle-import', message, offset);
    this.stack.push(OBJECT, offset);
  }

  reduce(offset: number): void {
    const args = this.stack.pop(offset);
    const callee = this.stack.pop(offset);
    const items = itemsOf(args);
    if (isNestedLoader(callee)) {
      this.#readNestedPickle(items, offset);
      this.stack.push(OBJECT, offset);
      return;
    }
    const [text, codec] = items;
    if (isEncoder(callee) && text?.kind === 'text' && /^latin-?1$/.test(this.#textOf(codec) ?? '')) {
      this.stack.push({ kind: 'encoded', start: text.start, length: text.length }, offset);
      return;
    }
    this.call(callee, items, offset);
  }

  newObject(args: number, offset: number): void {
    const given = Array.from({ length: args }, () => this.stack.pop(offset));
    this.call(this.stack.pop(offset), itemsOf(given.at(-1)), offset);
  }

  call(callee: Value, items: readonly Value[], offset: number): void {
    if (callee.kind !== 'import') {
      this.report('suspicious', 'pickle-call', 'it calls a value whose origin cannot be known', offset);
      this.stack.push(OBJECT, offset);
      return;
    }
    this.useAll([callee], offset);
    const name = `${callee.module}.${callee.name}`;
    if (name.startsWith('torch._utils._rebuild_')) this.#countTensor(items[2]);
    this.stack.push(
      DETAILED.test(name) && this.#isDetailed() ? { kind: 'object', made: { name, items, state: undefined } } : OBJECT,
      offset,
    );
  }

  /** `torch.storage._load_from_bytes(b"…")`, as tensors outside of `torch.save` are written: a model of its own. */
  #readNestedPickle(items: readonly Value[], offset: number): void {
    const content = items.length === 1 ? bytesOf(items[0]) : undefined;
    if (content === undefined) {
      this.useAll([NESTED_LOADER], offset);
      return;
    }
    if (this.#nested.has(content.start)) return;
    this.#nested.add(content.start);
    const nested = this.#nestedSource(content);
    if (nested === undefined) {
      this.report('suspicious', 'pickle-broken', 'it holds a tensor as a text that is longer than is read', offset);
      return;
    }
    const report = this.#context.readNested(nested, 'storage.pt');
    for (const finding of report.findings)
      this.report(
        finding.severity,
        finding.rule,
        `in the tensor it holds: ${finding.message}`,
        content.start + (finding.offset ?? 0),
      );
    this.#tensors += 1;
    this.#parameters += report.parameters ?? 0;
  }

  /** The bytes of a nested model; undefined for a text that is too long to turn back into bytes in memory. */
  #nestedSource({ start, length, isText }: BytesInPickle): ByteSource | undefined {
    if (!isText) return slice(this.#source, start, length);
    if (length > MAX_ENCODED || !this.#context.budget.take(length)) return undefined;
    return bufferSource(Buffer.from(this.reader.bytes(start, length).toString('utf8'), 'latin1'));
  }

  /** Old torch writes the classes of modules as `("module", class, file, source)`, and its loader gives the class back. */
  persistentObject(id: Value, offset: number): void {
    this.useAll([id], offset);
    const [kind, named] = id.kind === 'tuple' ? id.items : [];
    const isClass = named?.kind === 'import' && this.#textOf(kind) === 'module';
    this.stack.push(isClass ? named : OBJECT, offset);
  }

  /** A loader of nested models is harmless only where it is called at once; handed on as a value it is not. */
  useAll(values: readonly Value[], offset: number): void {
    for (const value of values) {
      if (isNestedLoader(value))
        this.report(
          'dangerous',
          'pickle-import',
          'it hands on torch.storage._load_from_bytes, which loads pickles',
          offset,
        );
    }
  }

  tuple(items: readonly Value[], offset: number): void {
    this.useAll(items, offset);
    if (items.length > SHORT || !this.#isDetailed()) {
      this.stack.push(OPAQUE, offset);
      return;
    }
    // Once for each of half a million tuples: a loop, where `flatMap` and `map` would make two lists of lists.
    const values: number[] = [];
    const flat: Value[] = [];
    for (const item of items) {
      if (item.kind === 'int') values.push(item.value);
      flat.push(item.kind === 'tuple' || item.kind === 'dict' ? OPAQUE : item);
    }
    this.stack.push(values.length === items.length ? { kind: 'ints', values } : { kind: 'tuple', items: flat }, offset);
  }

  setItems(items: readonly Value[], offset: number): void {
    this.useAll(items, offset);
    const target = this.stack.top(offset);
    if (target.kind !== 'dict' || items.length > 2 * SHORT) return;
    for (let index = 0; index + 1 < items.length; index += 2) {
      const [key = OPAQUE, value = OPAQUE] = [items[index], items[index + 1]];
      // A dictionary inside of a dictionary is not followed: it could hold itself.
      if (target.entries.length < 2 * SHORT) target.entries.push([key, value.kind === 'dict' ? OPAQUE : value]);
    }
  }

  build(offset: number): void {
    const state = this.stack.pop(offset);
    this.useAll([state], offset);
    const target = this.stack.top(offset);
    // State that is set on a module, a class or a function changes the interpreter (`numpy.__builtins__` by BUILD).
    if (target.kind === 'import') {
      this.report('dangerous', 'pickle-build', `it changes ${target.module}.${target.name} itself`, offset);
    } else if (target.kind !== 'object') {
      this.report('suspicious', 'pickle-build', 'it sets the state of a value whose origin cannot be known', offset);
    } else if (target.made !== undefined) {
      target.made.state = state.kind === 'dict' || state.kind === 'tuple' || state.kind === 'ints' ? state : undefined;
      if (target.made.name === JOBLIB_ARRAY) this.#readInlineArray(target.made, offset);
    }
  }

  /** joblib writes an array's bytes right behind the BUILD of its wrapper (joblib/numpy_pickle.py). */
  #readInlineArray(made: MadeBy, offset: number): void {
    const reader = this.reader;
    const array = inlineArray(made, (value) => this.#textOf(value));
    if (array === undefined) throw new PickleError('an array of joblib does not say how many bytes it takes', offset);
    let position = reader.end;
    if (array.isAligned) position += 1 + (reader.bytes(position, 1)[0] ?? 0);
    this.#tensors += 1;
    this.#parameters += array.elements;
    // A forest has some ten thousand of them: what was kept of each is let go when its array is passed.
    if (made.state?.kind === 'dict') made.state.entries.length = 0;
    this.#detailed = Math.max(0, this.#detailed - DETAILS_OF_ARRAY);
    if (array.bytes !== undefined) {
      if (array.bytes > this.#source.size - position) throw new PickleError('an array of joblib is cut off', offset);
      reader.end = position + array.bytes;
      return;
    }
    const nested = this.#interpret(this.#source, position, this.#context);
    for (const { severity, rule, message, offset: at } of nested.findings)
      this.report(severity, rule, message, at ?? position);
    if (nested.end === undefined) throw new PickleError('an array of objects of joblib cannot be followed', offset);
    reader.end = nested.end;
  }

  #countTensor(size: Value | undefined): void {
    if (size?.kind !== 'ints') return;
    this.#tensors += 1;
    this.#parameters += size.values.reduce((product, dimension) => product * Math.max(0, dimension), 1);
  }
}

const JOBLIB_ARRAY = 'joblib.numpy_pickle.NumpyArrayWrapper';
/** Objects of which the machine keeps how they were made. */
const DETAILED = /^(?:numpy\.dtype|joblib\.numpy_pickle\.NumpyArrayWrapper)$/;
const NESTED_LOADER: Value = { kind: 'import', module: 'torch.storage', name: '_load_from_bytes' };

/** Bytes that stand in the pickle; `isText` for those that stand there as a text in Latin-1. */
interface BytesInPickle {
  readonly start: number;
  readonly length: number;
  readonly isText: boolean;
}

function bytesOf(value: Value | undefined): BytesInPickle | undefined {
  if (value?.kind !== 'bytes' && value?.kind !== 'encoded') return undefined;
  return { start: value.start, length: value.length, isText: value.kind === 'encoded' };
}

function isEncoder(value: Value): boolean {
  return value.kind === 'import' && value.module === '_codecs' && value.name === 'encode';
}

function isNestedLoader(value: Value): boolean {
  return value.kind === 'import' && value.module === 'torch.storage' && value.name === '_load_from_bytes';
}

function itemsOf(args: Value | undefined): readonly Value[] {
  if (args?.kind === 'tuple') return args.items;
  return args?.kind === 'ints' ? args.values.map((value) => ({ kind: 'int', value })) : [];
}
