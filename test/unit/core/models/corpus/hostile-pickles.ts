import { expect } from 'vitest';
import { legacyTorch, tensorInPickle } from '../generators/frameworks.ts';
import { BENIGN, CALL, op, PAYLOAD, pickle } from '../generators/pickle.ts';
import { torchZip } from '../generators/zip.ts';
import type { HostileSample } from './sample.ts';

const global = (module: string, name: string): Buffer => pickle(op.proto(2), op.global(module, name), ...CALL);
const stack = (module: string, name: string): Buffer =>
  pickle(op.proto(4), op.text(module), op.text(name), op.stackGlobal, ...CALL);

/** `_codecs.encode(text, codec)`, by which protocols below 3 write bytes, handed to what stands below. */
const asText = (bytes: Buffer, codec: string): readonly Buffer[] => [
  op.global('_codecs', 'encode'),
  op.longText(bytes.toString('latin1')),
  op.longText(codec),
  Buffer.from([0x86]),
  op.reduce,
  op.tuple1,
  op.reduce,
  op.stop,
];

/** Pickles that hide what they import or call. */
export const HOSTILE_PICKLES: readonly HostileSample[] = [
  [
    'a memo key that Python reads as 10 and others as 1',
    pickle(
      op.proto(4),
      op.text('collections'),
      op.put(1),
      op.pop,
      op.text('os'),
      op.put(10),
      op.pop,
      Buffer.from('g1_0\n'),
      op.text('system'),
      op.stackGlobal,
      ...CALL,
    ),
    { message: expect.stringContaining('os.system') },
  ],
  [
    'a memo key with a sign',
    pickle(
      op.proto(4),
      op.text('os'),
      op.put(3),
      op.pop,
      Buffer.from('g+3\n'),
      op.text('system'),
      op.stackGlobal,
      ...CALL,
    ),
    { message: expect.stringContaining('os.system') },
  ],
  [
    'a text with escapes',
    pickle(op.string('\\x6f\\x73'), op.string('system'), op.stackGlobal, ...CALL),
    { severity: 'dangerous' },
  ],
  [
    'a text in an UNICODE line with escapes',
    pickle(Buffer.from('V\\u006fs\n'), op.text('system'), op.stackGlobal, ...CALL),
    { severity: 'dangerous' },
  ],
  [
    'names swapped over the stack by DUP and POP',
    pickle(op.proto(4), op.text('os'), Buffer.from('2'), op.pop, op.text('system'), op.stackGlobal, ...CALL),
    { message: expect.stringContaining('os.system') },
  ],
  [
    'names through a tuple',
    pickle(op.proto(4), op.text('os'), op.tuple1, op.text('system'), op.stackGlobal, ...CALL),
    { severity: 'dangerous' },
  ],
  ['EXT2', pickle(op.proto(2), Buffer.from([0x83, 1, 1]), op.stop), { severity: 'dangerous' }],
  ['EXT4', pickle(op.proto(2), Buffer.from([0x84, 1, 1, 1, 1]), op.stop), { severity: 'dangerous' }],
  [
    'a payload, then a broken tail',
    Buffer.concat([PAYLOAD.subarray(0, -1), Buffer.from([0xff, 0xff])]),
    { severity: 'dangerous' },
  ],
  [
    'a payload behind the end of a harmless pickle',
    Buffer.concat([BENIGN, PAYLOAD]),
    { severity: 'dangerous', offset: BENIGN.length + 2 },
  ],
  ['a payload behind noise', Buffer.concat([BENIGN, Buffer.from([0xff])]), { severity: 'suspicious' }],
  [
    'a frame that lies about its length',
    pickle(op.proto(4), Buffer.from('9500ffffffff000000', 'hex'), op.global('os', 'system'), ...CALL),
    { severity: 'dangerous' },
  ],
  [
    'a second PROTO in the middle',
    pickle(op.proto(4), op.none, op.pop, op.proto(0), op.global('os', 'system'), ...CALL),
    { severity: 'dangerous' },
  ],
  [
    'a protocol that is not there yet',
    pickle(Buffer.from([0x80, 9]), op.global('os', 'system'), ...CALL),
    { severity: 'dangerous' },
  ],
  [
    'BUILD on a class',
    pickle(op.proto(2), op.global('collections', 'OrderedDict'), op.emptyDict, op.build, op.stop),
    { rule: 'pickle-build' },
  ],
  [
    'BUILD on a function of numpy',
    pickle(op.proto(2), op.global('numpy', 'dtype'), op.emptyDict, op.build, op.stop),
    { rule: 'pickle-build' },
  ],
  [
    'the loader of tensors handed on as a value',
    pickle(
      op.proto(2),
      op.global('torch._tensor', '_rebuild_from_type_v2'),
      op.mark,
      op.global('torch.storage', '_load_from_bytes'),
      op.global('torch', 'Tensor'),
      op.tuple,
      op.reduce,
      op.stop,
    ),
    { severity: 'dangerous' },
  ],
  [
    'the loader of tensors with computed bytes',
    pickle(
      op.proto(2),
      op.global('torch.storage', '_load_from_bytes'),
      op.global('builtins', 'bytes'),
      op.emptyTuple,
      op.reduce,
      op.tuple1,
      op.reduce,
      op.stop,
    ),
    { severity: 'dangerous' },
  ],
  ['a payload in the bytes of a tensor', tensorInPickle(legacyTorch(PAYLOAD)), { severity: 'dangerous' }],
  ['a payload in the zip of a tensor', tensorInPickle(torchZip(PAYLOAD)), { severity: 'dangerous' }],
  [
    'an allowed module with a walk to another',
    stack('torch.nn.modules.module', 'Module.__init__.__globals__'),
    { severity: 'dangerous' },
  ],
  ['a dotted name in a harmless module', stack('collections', 'abc.sys'), { severity: 'suspicious' }],
  ['a dataset function of sklearn', global('sklearn.datasets', 'fetch_openml'), { severity: 'suspicious' }],
  ['a function beside the classes of sklearn', global('sklearn.utils', 'gen_even_slices'), { severity: 'suspicious' }],
  ['a mark where a value must be', pickle(op.mark, op.mark, Buffer.from('R.')), { rule: 'pickle-broken' }],
  [
    'a payload in a tensor that stands as a text',
    pickle(op.proto(2), op.global('torch.storage', '_load_from_bytes'), ...asText(legacyTorch(PAYLOAD), 'latin1')),
    { severity: 'dangerous', message: expect.stringContaining('os.system') },
  ],
  [
    'a tensor that stands as a text in a codec that computes',
    pickle(op.proto(2), op.global('torch.storage', '_load_from_bytes'), ...asText(BENIGN, 'rot13')),
    { severity: 'dangerous' },
  ],
  [
    'a memo that is overwritten',
    pickle(
      op.proto(4),
      op.text('json'),
      op.put(0),
      op.pop,
      op.text('os'),
      op.put(0),
      op.pop,
      op.get(0),
      op.text('system'),
      op.stackGlobal,
      ...CALL,
    ),
    { message: expect.stringContaining('os.system') },
  ],
  [
    'MEMOIZE behind a PUT of a high number',
    pickle(
      op.proto(4),
      op.text('json'),
      op.put(7),
      op.pop,
      op.text('os'),
      op.memoize,
      op.pop,
      op.get(1),
      op.text('system'),
      op.stackGlobal,
      ...CALL,
    ),
    { message: expect.stringContaining('os.system') },
  ],
  [
    'INST with a module of a module',
    pickle(op.mark, op.string('id'), op.inst('os.path', 'os.system'), op.stop),
    { severity: 'dangerous' },
  ],
  [
    'OBJ on what a call gave',
    pickle(op.mark, op.global('collections', 'OrderedDict'), op.emptyTuple, op.reduce, op.object, op.stop),
    { rule: 'pickle-call' },
  ],
  [
    'a persistent id that is called',
    pickle(op.proto(2), op.longText('x'), op.persistentId, ...CALL),
    { rule: 'pickle-call' },
  ],
  [
    'a class as a persistent id, which is a call of it',
    pickle(
      op.proto(2),
      op.mark,
      op.longText('module'),
      op.global('subprocess', 'Popen'),
      op.tuple,
      op.persistentId,
      ...CALL,
    ),
    { severity: 'dangerous' },
  ],
  [
    'a line of a name that has no end',
    pickle(op.proto(2), Buffer.from(`c${'a'.repeat(100_000)}`)),
    { rule: 'pickle-broken' },
  ],
  [
    'a name longer than names are',
    pickle(op.proto(2), Buffer.from(`cos${' '.repeat(100_000)}\nsystem\n`), ...CALL),
    { rule: 'pickle-broken' },
  ],
  ['a function of numpy that calls what it is given', global('numpy', 'apply_along_axis'), { severity: 'suspicious' }],
  ['a wrapper of numpy around a function', global('numpy', 'vectorize'), { severity: 'suspicious' }],
  [
    'a distribution of scipy, whose state is code',
    global('scipy.stats._continuous_distns', 'norm_gen'),
    { severity: 'suspicious' },
  ],
  ['a file of torch as a storage', global('torch', 'UntypedStorage.from_file'), { severity: 'suspicious' }],
  ['a method of a harmless class', stack('pathlib', 'PosixPath.unlink'), { severity: 'suspicious' }],
  ['a method that reads', stack('pathlib', 'PosixPath.open'), { severity: 'dangerous' }],
  ['a name with a blank behind the module', global('os ', 'system'), { severity: 'suspicious' }],
  ['a module of the interpreter under another name', global('__main__', 'os.system'), { severity: 'dangerous' }],
  ['a name of two lines by a return', global('os\r', 'system'), { severity: 'suspicious' }],
  ['a name in letters that look alike', global('\u043es', 'system'), { severity: 'suspicious' }],
  ['a loader of sklearn data', global('sklearn.datasets._base', 'load_files'), { severity: 'suspicious' }],
  [
    'a list of two gigabytes in nine bytes',
    pickle(op.proto(4), Buffer.from('8e0000008000000000', 'hex')),
    { rule: 'pickle-broken' },
  ],
  ['a length below zero', pickle(op.proto(2), Buffer.from('8bffffffff', 'hex'), op.stop), { rule: 'pickle-broken' }],
  ['a stack of two million', pickle(op.proto(2), Buffer.alloc(2_000_000, '('), op.stop), { rule: 'pickle-broken' }],
  ['EXT1', pickle(op.proto(2), op.extension(7), op.emptyTuple, op.reduce, op.stop), { severity: 'dangerous' }],
  ['a plain pickle under any name', PAYLOAD, { severity: 'dangerous', offset: 2 }],
  [
    'BUILD on what a dangerous import gave',
    pickle(
      op.proto(2),
      op.global('os', 'system'),
      op.string('id'),
      op.tuple1,
      op.reduce,
      op.emptyDict,
      op.build,
      op.stop,
    ),
    { severity: 'dangerous' },
  ],
  [
    "BUILD on numpy's builtins",
    pickle(op.proto(2), op.global('numpy', '__builtins__'), op.emptyDict, op.build, op.stop),
    { severity: 'dangerous' },
  ],
];
