import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { bufferSource } from '../../../../src/core/models/byte-source.ts';
import { readModel } from '../../../../src/core/models/read-model.ts';
import { BENIGN, op, PAYLOAD, pickle } from './generators/pickle.ts';
import { gguf, ggufText, npy, safetensors, u32, u64 } from './generators/tensors.ts';
import { torchZip, zip } from './generators/zip.ts';

const read = (bytes: Buffer, allowed: readonly string[] = []) => readModel(bufferSource(bytes), new Set(allowed));

const F32 = { weight: { dtype: 'F32', shape: [2, 2], data_offsets: [0, 16] } };
const magic = Buffer.from('80028a0a6cfc9c46f9206aa850192e', 'hex');
const number = pickle(op.proto(2), Buffer.from([0x4d, 0xe9, 0x03]), op.stop);
const legacy = (dataPickle: Buffer): Buffer =>
  Buffer.concat([magic, number, BENIGN, dataPickle, BENIGN, Buffer.alloc(500, 0x63)]);

describe('a benign model passes', () => {
  test.each([
    [
      'a PyTorch zip of the example',
      readFileSync(join(import.meta.dirname, '../../../../examples/safety-detector/yolov8_model/best.pt')),
      'pytorch',
    ],
    ['a PyTorch zip', torchZip(BENIGN), 'pytorch'],
    [
      'weights that happen to start like an import',
      torchZip(BENIGN, { name: 'best/data/1', content: Buffer.from('cabc\ndef\n....') }),
      'pytorch',
    ],
    ['a legacy PyTorch file', legacy(BENIGN), 'pytorch-legacy'],
    ['a pickle of protocol 0', pickle(op.mark, op.string('a'), op.tuple, op.put(0), op.stop), 'pickle'],
    [
      'a pickle of protocol 4',
      pickle(
        op.proto(4),
        op.text('collections'),
        op.memoize,
        op.text('OrderedDict'),
        op.stackGlobal,
        op.emptyTuple,
        op.reduce,
        op.stop,
      ),
      'pickle',
    ],
    ['two pickles in one file', Buffer.concat([BENIGN, BENIGN]), 'pickle'],
    ['safetensors', safetensors(F32, 16), 'safetensors'],
    ['safetensors with metadata and no tensor', safetensors({ __metadata__: { format: 'pt' } }, 0), 'safetensors'],
    [
      'GGUF',
      gguf([{ key: 'general.name', type: 8, bytes: ggufText('llama') }], [{ name: 'w', shape: [4n, 4n] }]),
      'gguf',
    ],
    [
      'GGUF with arrays and a chat template',
      gguf(
        [
          { key: 'tokens', type: 9, bytes: Buffer.concat([u32(8), u64(2n), ggufText('a'), ggufText('b')]) },
          { key: 'scores', type: 9, bytes: Buffer.concat([u32(6), u64(2n), Buffer.alloc(8)]) },
          {
            key: 'tokenizer.chat_template',
            type: 8,
            bytes: ggufText("{% for m in messages %}{{ m['content'] }}{% endfor %}"),
          },
        ],
        [],
      ),
      'gguf',
    ],
    ['an array of numbers', npy("'<f4'", Buffer.alloc(4)), 'numpy'],
    ['an npz of arrays', zip([{ name: 'a.npy', content: npy("'<f4'", Buffer.alloc(4)), isDeflated: true }]), 'numpy'],
  ])('%s', (_, bytes, format) => {
    expect(read(bytes)).toMatchObject({ format, findings: [] });
  });
});

describe('code in a pickle is found', () => {
  const call = [op.string('id'), op.tuple1, op.reduce, op.stop] as const;
  test.each([
    ['GLOBAL and REDUCE', PAYLOAD, /imports os\.system/],
    ['posix, the real name of os', pickle(op.global('posix', 'system'), ...call), /posix\.system/],
    ['STACK_GLOBAL', pickle(op.proto(4), op.text('os'), op.text('system'), op.stackGlobal, ...call), /os\.system/],
    [
      'STACK_GLOBAL of names out of the memo',
      pickle(
        op.proto(4),
        op.text('os'),
        op.put(5),
        op.pop,
        op.text('system'),
        op.put(6),
        op.pop,
        op.get(5),
        op.get(6),
        op.stackGlobal,
        ...call,
      ),
      /os\.system/,
    ],
    [
      'STACK_GLOBAL of a computed name',
      pickle(op.proto(4), op.text('os'), op.none, op.stackGlobal, ...call),
      /computes/,
    ],
    ['INST', pickle(op.mark, op.string('id'), op.inst('os', 'system'), op.stop), /os\.system/],
    [
      'OBJ',
      pickle(op.mark, op.global('subprocess', 'Popen'), op.string('id'), op.object, op.stop),
      /subprocess\.Popen/,
    ],
    [
      'NEWOBJ',
      pickle(op.proto(2), op.global('subprocess', 'Popen'), op.emptyTuple, op.newObject, op.stop),
      /subprocess\.Popen/,
    ],
    [
      'NEWOBJ_EX',
      pickle(op.proto(4), op.global('subprocess', 'Popen'), op.emptyTuple, op.emptyDict, op.newObjectEx, op.stop),
      /subprocess\.Popen/,
    ],
    ['eval of builtins', pickle(op.global('builtins', 'eval'), ...call), /builtins\.eval/],
    ['eval of __builtin__', pickle(op.global('__builtin__', 'eval'), ...call), /__builtin__\.eval/],
    ['getattr', pickle(op.global('builtins', 'getattr'), ...call), /builtins\.getattr/],
    [
      'a dotted name',
      pickle(op.proto(4), op.text('builtins'), op.text('eval.__call__'), op.stackGlobal, ...call),
      /eval\.__call__/,
    ],
    [
      'a walk from a harmless class',
      pickle(op.proto(4), op.text('collections'), op.text('OrderedDict.__init__.__globals__'), op.stackGlobal, ...call),
      /__globals__/,
    ],
    [
      'a submodule of a module that is denied',
      pickle(op.global('asyncio.unix_events', '_UnixSubprocessTransport._start'), ...call),
      /asyncio/,
    ],
    ['the extension registry', pickle(op.proto(2), op.extension(7), op.emptyTuple, op.reduce, op.stop), /copyreg/],
    [
      'BUILD on a module',
      pickle(op.proto(2), op.global('numpy', '__builtins__'), op.emptyDict, op.build, op.stop),
      /numpy\.__builtins__/,
    ],
    [
      'BUILD on a class',
      pickle(op.proto(2), op.global('collections', 'OrderedDict'), op.emptyDict, op.build, op.stop),
      /changes collections\.OrderedDict itself/,
    ],
    ['torch.load inside', pickle(op.global('torch.storage', '_load_from_bytes'), ...call), /_load_from_bytes/],
    ['pip', pickle(op.global('pip', 'main'), ...call), /pip\.main/],
    ['a scanner as a gadget', pickle(op.global('picklescan.scanner', 'scan'), ...call), /picklescan/],
    [
      'a payload whose result is dropped',
      pickle(op.proto(2), op.global('os', 'system'), op.string('id'), op.tuple1, op.reduce, op.pop, op.none, op.stop),
      /os\.system/,
    ],
    ['a payload in front of a broken end', PAYLOAD.subarray(0, -1), /os\.system/],
    ['the second pickle of a file', Buffer.concat([BENIGN, PAYLOAD]), /os\.system/],
  ])('%s', (_, bytes, message) => {
    const { findings } = read(bytes);
    expect(
      findings
        .filter(({ severity }) => severity === 'dangerous')
        .map(({ message: text }) => text)
        .join('\n'),
    ).toMatch(message);
    expect(findings[0]?.offset).toBeTypeOf('number');
  });

  test('in any pickle of a legacy PyTorch file', () => {
    expect(read(legacy(PAYLOAD)).findings[0]).toMatchObject({
      severity: 'dangerous',
      offset: magic.length + number.length + BENIGN.length + 2,
    });
  });

  test('in an array of objects', () => {
    expect(read(npy("'|O'", PAYLOAD)).findings[0]).toMatchObject({ severity: 'dangerous', rule: 'pickle-import' });
    expect(read(npy("[('a', '<f4'), ('b', 'O')]", PAYLOAD)).findings[0]).toMatchObject({ severity: 'dangerous' });
  });

  test.each([
    ['the data pickle', torchZip(PAYLOAD), 'best/data.pkl'],
    ['an entry of an odd name', torchZip(BENIGN, { name: 'best/readme.txt', content: PAYLOAD }), 'best/readme.txt'],
    [
      'an entry of protocol 0',
      torchZip(BENIGN, {
        name: 'best/x',
        content: pickle(op.global('os', 'system'), op.string('id'), op.tuple1, op.reduce, op.stop),
      }),
      'best/x',
    ],
    [
      'a nested archive',
      torchZip(BENIGN, { name: 'best/inner', content: zip([{ name: 'a.pkl', content: PAYLOAD, isDeflated: true }]) }),
      'best/inner!a.pkl',
    ],
  ])('in %s of a zip', (_, bytes, entry) => {
    expect(read(bytes).findings).toContainEqual(expect.objectContaining({ severity: 'dangerous', entry }));
  });
});

describe('what is not known to be harmless is suspicious', () => {
  test('a class of a library', () => {
    const model = pickle(
      op.proto(2),
      op.global('ultralytics.nn.tasks', 'DetectionModel'),
      op.emptyTuple,
      op.newObject,
      op.stop,
    );
    expect(read(model).findings).toMatchObject([{ severity: 'suspicious', rule: 'pickle-import' }]);
    expect(read(model, ['ultralytics.nn.tasks.DetectionModel']).findings).toEqual([]);
    expect(read(model, ['ultralytics.nn.tasks.*']).findings).toEqual([]);
  });

  test('but what is dangerous cannot be allowed', () => {
    expect(read(PAYLOAD, ['os.system', 'os.*']).findings).toMatchObject([{ severity: 'dangerous' }]);
  });

  test('calling the result of a call', () => {
    const twice = pickle(
      op.proto(2),
      op.global('collections', 'OrderedDict'),
      op.emptyTuple,
      op.reduce,
      op.emptyTuple,
      op.reduce,
      op.stop,
    );
    expect(read(twice).findings).toMatchObject([{ severity: 'suspicious', rule: 'pickle-call' }]);
  });

  test.each([
    ['a pickle that breaks off', BENIGN.subarray(0, -1)],
    ['a text longer than the file', Buffer.from('80025800ffffff612e', 'hex')],
    ['a memo that was never kept', pickle(op.proto(2), op.get(9), op.stop)],
    ['an empty stack', pickle(op.proto(2), op.reduce, op.stop)],
    ['an archive of other things', zip([{ name: 'config.json', content: Buffer.from('{}') }])],
    ['bytes of no format', Buffer.from([0xff, 0xfe, 0xfd, 0, 1, 2])],
  ])('%s', (_, bytes) => {
    expect(read(bytes).findings).toContainEqual(expect.objectContaining({ severity: 'suspicious' }));
  });

  test.each([
    ['two names for one entry', zip([{ name: 'b/data.pkl', localName: 'b/other', content: BENIGN }])],
    ['one name for two entries', torchZip(BENIGN, { name: 'best/data.pkl', content: BENIGN })],
    ['an encrypted entry', torchZip(BENIGN, { name: 'best/data/1', content: Buffer.alloc(9), flags: 1 })],
    ['a wrong checksum', torchZip(BENIGN, { name: 'best/data/1', content: Buffer.alloc(9), isDeflated: true, crc: 1 })],
    ['a bomb', torchZip(BENIGN, { name: 'best/data/1', content: Buffer.alloc(20_000_000), isDeflated: true })],
    [
      'bytes in front of the archive',
      zip([{ name: 'b/data.pkl', content: BENIGN }], { prefix: Buffer.from('PK\x03\x04junk', 'latin1') }),
    ],
    ['a second end record in the comment', zip([{ name: 'b/data.pkl', content: BENIGN }], { comment: zip([]) })],
  ])('an archive that readers see differently: %s', (_, bytes) => {
    expect(read(bytes).findings).toContainEqual(expect.objectContaining({ rule: 'zip' }));
  });
});

describe('a file that is not the model is a mismatch', () => {
  const tooLong = { a: { dtype: 'F32', shape: [2 ** 40, 2 ** 40], data_offsets: [0, 16] } };
  test.each([
    ['nothing', Buffer.alloc(0), 'empty'],
    [
      'a git-lfs pointer',
      Buffer.from(`version https://git-lfs.github.com/spec/v1\noid sha256:${'0'.repeat(64)}\nsize 3\n`),
      'git-lfs-pointer',
    ],
    ['an HTML page', Buffer.from('<!DOCTYPE html><html><body>Not Found</body></html>'), 'html'],
    [
      'safetensors with a hole',
      safetensors({ ...F32, b: { dtype: 'F32', shape: [1], data_offsets: [20, 24] } }, 24),
      'safetensors',
    ],
    [
      'safetensors with an overlap',
      safetensors({ ...F32, b: { dtype: 'F32', shape: [1], data_offsets: [12, 16] } }, 16),
      'safetensors',
    ],
    ['safetensors cut off', safetensors(F32, 15), 'safetensors'],
    ['safetensors with bytes behind', safetensors(F32, 17), 'safetensors'],
    ['safetensors of a shape whose product wraps', safetensors(tooLong, 16), 'safetensors'],
    [
      'safetensors of an unknown type',
      safetensors({ a: { dtype: 'X9', shape: [1], data_offsets: [0, 4] } }, 4),
      'safetensors',
    ],
    ['safetensors whose header runs over', safetensors(F32, 16, 1n << 39n), 'safetensors'],
    ['safetensors whose header is broken', safetensors('{"a": ', 16), 'safetensors'],
    ['GGUF of version 1', gguf([], [], { version: 1 }), 'gguf'],
    ['GGUF that says more tensors than it has', gguf([], [], { tensorCount: 1n << 19n }), 'gguf'],
    ['GGUF of too many tensors', gguf([], [], { tensorCount: 1n << 62n }), 'gguf'],
    ['GGUF of dimensions whose product wraps', gguf([], [{ name: 'w', shape: [1n << 40n, 1n << 40n] }]), 'gguf'],
    [
      'GGUF with a key twice',
      gguf(
        [
          { key: 'a', type: 0, bytes: Buffer.alloc(1) },
          { key: 'a', type: 0, bytes: Buffer.alloc(1) },
        ],
        [],
      ),
      'gguf',
    ],
    [
      'GGUF with an array of arrays',
      gguf([{ key: 'a', type: 9, bytes: Buffer.concat([u32(9), u64(1n)]) }], []),
      'gguf',
    ],
  ])('%s', (_, bytes, format) => {
    expect(read(bytes)).toMatchObject({ format, findings: [expect.objectContaining({ severity: 'mismatch' })] });
  });

  test('a chat template that reaches for Python is dangerous', () => {
    const template = "{{ ''.__class__.__mro__[1].__subclasses__() }}";
    const model = gguf([{ key: 'tokenizer.chat_template', type: 8, bytes: ggufText(template) }], []);
    expect(read(model).findings).toMatchObject([{ severity: 'dangerous', rule: 'chat-template' }]);
  });
});

test('no bytes crash, hang or throw: 500 mutants of every sample', () => {
  const samples = [
    torchZip(PAYLOAD),
    legacy(BENIGN),
    BENIGN,
    safetensors(F32, 16),
    gguf([{ key: 'a', type: 8, bytes: ggufText('b') }], [{ name: 'w', shape: [4n] }]),
    npy("'|O'", PAYLOAD),
  ];
  let seed = 20_261_121;
  const next = (limit: number): number => {
    seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0;
    return Math.floor((seed / 2 ** 32) * limit);
  };
  for (let round = 0; round < 500; round += 1) {
    for (const sample of samples) {
      const mutant = Buffer.from(sample);
      for (let count = next(6); count >= 0; count -= 1) mutant[next(mutant.length)] = next(256);
      expect(read(mutant.subarray(0, next(4) === 0 ? next(mutant.length) : mutant.length)).findings).toBeInstanceOf(
        Array,
      );
    }
  }
});
