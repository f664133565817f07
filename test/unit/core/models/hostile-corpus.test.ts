import { deflateSync, gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { bufferSource } from '../../../../src/core/models/byte-source.ts';
import { readModel } from '../../../../src/core/models/read-model.ts';
import {
  dtype,
  estimator,
  joblibArray,
  kerasZip,
  layer,
  legacyTorch,
  numpyArray,
  sequential,
  stateDict,
  tarTorch,
  tensorInPickle,
  torchscript,
} from './generators/frameworks.ts';
import { hdf5, oldHdf5 } from './generators/hdf5.ts';
import { BENIGN, op, PAYLOAD, pickle } from './generators/pickle.ts';
import { field, initializer, library, message, node, onnx, operation, savedModel } from './generators/protobuf.ts';
import { tar } from './generators/tar.ts';
import { gguf, ggufText, npy, safetensors, u32, u64 } from './generators/tensors.ts';
import { tflite } from './generators/tflite.ts';
import { torchZip, zip } from './generators/zip.ts';

const findingsOf = (bytes: Buffer) => readModel(bufferSource(bytes), new Set()).findings;

const call = [op.string('id'), op.tuple1, op.reduce, op.stop] as const;
const global = (module: string, name: string): Buffer => pickle(op.proto(2), op.global(module, name), ...call);
const stack = (module: string, name: string): Buffer =>
  pickle(op.proto(4), op.text(module), op.text(name), op.stackGlobal, ...call);
const F32 = { w: { dtype: 'F32', shape: [2], data_offsets: [0, 8] } };
const WEIGHTS = await hdf5({ backend: 'tensorflow' });
const lambda = {
  class_name: 'Lambda',
  config: { function: { class_name: '__lambda__', config: { code: '4wEAAA==' } } },
};
const keras = (...layers: readonly object[]): Buffer => kerasZip(sequential(...layers), WEIGHTS);
const template = (text: string): Buffer =>
  gguf([{ key: 'tokenizer.chat_template', type: 8, bytes: ggufText(text) }], []);
const wrapped = (array: Buffer): Buffer => pickle(op.proto(2), array, op.stop);

/** Names that scanners missed at one time or another, each by its advisory or its report. */
const imports: readonly (readonly [module: string, name: string])[] = [
  ['pip', 'main'],
  ['pip._internal', 'main'],
  ['asyncio.unix_events', '_UnixSubprocessTransport._start'],
  ['logging', 'FileHandler'],
  ['uuid', '_get_command_stdout'],
  ['imaplib', 'IMAP4_stream'],
  ['_osx_support', '_read_output'],
  ['_aix_support', '_read_cmd_output'],
  ['_pyrepl.pager', 'pipe_pager'],
  ['test.support.script_helper', 'assert_python_ok'],
  ['torch.utils._config_module', 'ConfigModule.load_config'],
  ['torch.utils.collect_env', 'run'],
  ['torch._inductor.codecache', 'compile_file'],
  ['torch.utils.bottleneck.__main__', 'run_prof'],
  ['torch.jit.unsupported_tensor_ops', 'execWrapper'],
  ['numpy.f2py.crackfortran', 'getlincoef'],
  ['numpy.testing._private.utils', 'runstring'],
  ['idlelib.autocomplete', 'AutoComplete.get_entity'],
  ['idlelib.run', 'Executive.runcode'],
  ['lib2to3.pgen2.pgen', 'ParserGenerator.make_label'],
  ['profile', 'Profile.run'],
  ['cProfile', 'runctx'],
  ['timeit', 'timeit'],
  ['trace', 'Trace.runctx'],
  ['doctest', 'debug_script'],
  ['code', 'InteractiveInterpreter.runcode'],
  ['bdb', 'Bdb.run'],
  ['pdb', 'Pdb'],
  ['ensurepip', '_run_pip'],
  ['pydoc', 'pipepager'],
  ['ctypes', 'CDLL'],
  ['_ctypes', 'dlopen'],
  ['marshal', 'loads'],
  ['types', 'FunctionType'],
  ['functools', 'reduce'],
  ['operator', 'attrgetter'],
  ['_operator', 'methodcaller'],
  ['importlib', 'import_module'],
  ['runpy', '_run_code'],
  ['pkgutil', 'resolve_name'],
  ['webbrowser', 'open'],
  ['http.client', 'HTTPSConnection'],
  ['urllib.request', 'urlopen'],
  ['aiohttp.client', 'ClientSession'],
  ['requests.api', 'get'],
  ['socket', 'create_connection'],
  ['ssl', 'get_server_certificate'],
  ['shutil', 'rmtree'],
  ['tempfile', 'NamedTemporaryFile'],
  ['sqlite3', 'connect'],
  ['linecache', 'getlines'],
  ['multiprocessing.util', 'spawnv_passfds'],
  ['distutils.spawn', 'spawn'],
  ['commands', 'getoutput'],
  ['dill', 'loads'],
  ['cloudpickle.cloudpickle', '_make_function'],
  ['joblib', 'load'],
  ['pandas', 'read_pickle'],
  ['pandas.io.pickle', 'read_pickle'],
  ['sympy', 'sympify'],
  ['builtins', '__import__'],
  ['builtins', 'eval.__call__'],
  ['__builtin__', 'execfile'],
  ['picklescan.scanner', 'scan_url'],
];

describe('an import that runs code is dangerous, whatever way it is written', () => {
  const ways = { GLOBAL: global, STACK_GLOBAL: stack } as const;
  describe.each(Object.entries(ways))('%s', (_, write) => {
    test.each(imports)('%s.%s', (module, name) => {
      const [finding] = findingsOf(write(module, name)).filter(({ rule }) => rule === 'pickle-import');
      // `uuid` has harmless names beside this one, so that it is not known to be dangerous as a whole.
      expect(finding).toMatchObject({
        severity: module === 'uuid' || module === 'torch.jit.unsupported_tensor_ops' ? 'suspicious' : 'dangerous',
      });
      expect(finding?.message).toContain(`${module}.${name}`);
      expect(finding?.offset).toBeTypeOf('number');
    });
  });
});

/** Ways to hide, each with the finding that must come of it. */
const hidden: readonly (readonly [name: string, bytes: Buffer, expected: object])[] = [
  // Pickles
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
      ...call,
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
      ...call,
    ),
    { message: expect.stringContaining('os.system') },
  ],
  [
    'a text with escapes',
    pickle(op.string('\\x6f\\x73'), op.string('system'), op.stackGlobal, ...call),
    { severity: 'dangerous' },
  ],
  [
    'a text in an UNICODE line with escapes',
    pickle(Buffer.from('V\\u006fs\n'), op.text('system'), op.stackGlobal, ...call),
    { severity: 'dangerous' },
  ],
  [
    'names swapped over the stack by DUP and POP',
    pickle(op.proto(4), op.text('os'), Buffer.from('2'), op.pop, op.text('system'), op.stackGlobal, ...call),
    { message: expect.stringContaining('os.system') },
  ],
  [
    'names through a tuple',
    pickle(op.proto(4), op.text('os'), op.tuple1, op.text('system'), op.stackGlobal, ...call),
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
    pickle(op.proto(4), Buffer.from('9500ffffffff000000', 'hex'), op.global('os', 'system'), ...call),
    { severity: 'dangerous' },
  ],
  [
    'a second PROTO in the middle',
    pickle(op.proto(4), op.none, op.pop, op.proto(0), op.global('os', 'system'), ...call),
    { severity: 'dangerous' },
  ],
  [
    'a protocol that is not there yet',
    pickle(Buffer.from([0x80, 9]), op.global('os', 'system'), ...call),
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
  // joblib
  [
    'joblib whose array hides a pickle behind it',
    wrapped(pickle(joblibArray('f8', [2], Buffer.alloc(16)), op.pop, op.global('os', 'system'), ...call)),
    { severity: 'dangerous' },
  ],
  [
    'joblib with a payload in an array of objects',
    estimator(joblibArray('O8', [1], PAYLOAD)),
    { severity: 'dangerous' },
  ],
  [
    'joblib with an array that says too much',
    estimator(joblibArray('f8', [255], Buffer.alloc(16))),
    { rule: 'pickle-broken' },
  ],
  [
    'joblib with an array of no known type',
    estimator(joblibArray('Z9', [2], Buffer.alloc(16))),
    { rule: 'pickle-broken' },
  ],
  [
    'joblib, compressed',
    deflateSync(estimator(joblibArray('O8', [1], PAYLOAD))),
    { severity: 'dangerous', entry: '(zlib)' },
  ],
  ['a pickle in gzip in gzip', gzipSync(gzipSync(PAYLOAD)), { severity: 'dangerous', entry: '(gzip)!(gzip)' }],
  ['gzip with a broken end', gzipSync(PAYLOAD).subarray(0, -4), { rule: 'compression' }],
  ['bzip2', Buffer.from('425a6839314159265359aabbccdd', 'hex'), { rule: 'compression' }],
  ['xz', Buffer.from('fd377a585a000004', 'hex'), { rule: 'compression' }],
  ['lzma', Buffer.from('5d00008000ffffffffffffffff00', 'hex'), { rule: 'compression' }],
  ['lz4', Buffer.from('04224d186040820000', 'hex'), { rule: 'compression' }],
  ['7z, which Python packages read', Buffer.from('377abcaf271c00040000', 'hex'), { rule: 'compression' }],
  // numpy
  ['an array of objects', npy("'|O'", PAYLOAD), { severity: 'dangerous' }],
  ['an array of objects in a structure', npy("[('a', '<f4'), ('b', '|O')]", PAYLOAD), { severity: 'dangerous' }],
  [
    'an array of objects under another name in an npz',
    zip([{ name: 'a.npy', content: npy("'|O'", PAYLOAD), isDeflated: true }]),
    { severity: 'dangerous' },
  ],
  ['an array that is cut off', npy("'<f8'", Buffer.alloc(4)), { severity: 'mismatch' }],
  [
    'an array of a type with a callback name',
    wrapped(pickle(dtype('f8'), op.pop, op.global('numpy', 'load'), ...call)),
    { severity: 'dangerous' },
  ],
  // PyTorch
  ['the fourth pickle of a legacy file', legacyTorch(PAYLOAD), { severity: 'dangerous' }],
  [
    'a pickle in the code of TorchScript',
    torchscript('x', { name: 'net/code/a.pkl', content: PAYLOAD }),
    { severity: 'dangerous' },
  ],
  [
    'TorchScript that reads files',
    torchscript('def f(x):\n  return torch.from_file("/etc/passwd", None, 9)'),
    { rule: 'torchscript', severity: 'dangerous' },
  ],
  [
    'TorchScript with operators of a library',
    torchscript('def f(x):\n  return ops.evil.run(x)'),
    { rule: 'torchscript' },
  ],
  [
    'a payload among the storages of a tar',
    tarTorch(BENIGN, Buffer.concat([pickle(op.proto(2), Buffer.from([0x4b, 1]), op.stop), PAYLOAD])),
    { severity: 'dangerous', entry: 'storages' },
  ],
  [
    'storages that cannot be followed',
    tarTorch(BENIGN, Buffer.concat([BENIGN, BENIGN, u64(1n << 40n)])),
    { entry: 'storages' },
  ],
  ['a payload in a tar', tarTorch(PAYLOAD), { severity: 'dangerous', entry: 'pickle' }],
  ['a link in a tar', tar([{ name: 'a', content: Buffer.alloc(0), type: '2' }]), { rule: 'tar' }],
  ['a tar whose name leads out', tar([{ name: '../a', content: BENIGN }]), { rule: 'tar' }],
  // Archives
  [
    'a payload under the name of weights',
    torchZip(BENIGN, { name: 'best/data/7', content: PAYLOAD }),
    { severity: 'dangerous' },
  ],
  [
    'a payload in an archive in an archive',
    torchZip(BENIGN, {
      name: 'best/x',
      content: zip([{ name: 'y', content: zip([{ name: 'z', content: PAYLOAD }]) }]),
    }),
    { entry: 'best/x!y!z' },
  ],
  [
    'an archive nested deeper than is read',
    [1, 2, 3, 4, 5, 6].reduce((inner) => zip([{ name: 'a', content: inner }]), PAYLOAD),
    { severity: expect.stringMatching(/dangerous|suspicious/) },
  ],
  [
    'a gzip in an archive',
    torchZip(BENIGN, { name: 'best/x', content: gzipSync(PAYLOAD) }),
    { entry: 'best/x!(gzip)' },
  ],
  [
    'two entries but for their case',
    zip([
      { name: 'b/data.pkl', content: BENIGN },
      { name: 'B/data.pkl', content: BENIGN },
    ]),
    { rule: 'zip' },
  ],
  ['an entry that leads out', torchZip(BENIGN, { name: '../../x', content: Buffer.from('x') }), { rule: 'zip' }],
  [
    'an entry with a NUL in its name',
    torchZip(BENIGN, { name: 'best/x\0.txt', content: Buffer.from('x') }),
    { rule: 'zip' },
  ],
  ['a zip behind a pickle', Buffer.concat([BENIGN, torchZip(PAYLOAD)]), { severity: 'suspicious' }],
  [
    'a zip behind weights',
    Buffer.concat([safetensors(F32, 8), zip([{ name: 'b/data.pkl', content: PAYLOAD }])]),
    { rule: 'polyglot' },
  ],
  // Keras
  ['a Lambda layer', keras(layer('Lambda')), { rule: 'keras-layer', severity: 'dangerous' }],
  [
    'a Lambda in a wrapper in a model in a model',
    keras(sequential(layer('TimeDistributed', { layer: lambda }))),
    { severity: 'dangerous' },
  ],
  ['any module of Python', keras(layer('system', {}, 'os')), { severity: 'dangerous' }],
  [
    'a function of any module',
    keras(layer('Dense', { activation: { module: 'subprocess', class_name: 'function', config: 'check_output' } })),
    { severity: 'dangerous' },
  ],
  [
    'get_file of Keras itself',
    keras(layer('function', {}, 'keras.src.utils.file_utils'), {
      module: 'keras.utils',
      class_name: 'function',
      config: 'get_file',
    }),
    { severity: 'dangerous' },
  ],
  [
    'the switch of the guard',
    keras({ module: 'keras.config', class_name: 'function', config: 'enable_unsafe_deserialization' }),
    { severity: 'dangerous' },
  ],
  ['a layer that loads a SavedModel', keras(layer('TFSMLayer', { filepath: '/x' })), { severity: 'dangerous' }],
  [
    'a vocabulary out of a file',
    keras(layer('StringLookup', { vocabulary: '/etc/passwd' })),
    { severity: 'dangerous' },
  ],
  ['a custom layer', keras(layer('Mine', {}, 'my.layers', 'mine>Mine')), { severity: 'suspicious' }],
  [
    'a Lambda in HDF5',
    await hdf5({ model_config: JSON.stringify({ class_name: 'Sequential', config: { layers: [lambda] } }) }),
    { severity: 'dangerous' },
  ],
  [
    'a Lambda in old HDF5',
    oldHdf5('model_config', JSON.stringify({ class_name: 'Functional', config: { layers: [lambda] } })),
    { severity: 'dangerous' },
  ],
  [
    'a Lambda in the losses of HDF5',
    oldHdf5('training_config', JSON.stringify({ loss: lambda })),
    { severity: 'dangerous' },
  ],
  [
    'a custom layer of Keras 2',
    oldHdf5('model_config', JSON.stringify({ class_name: 'Evil', config: {} })),
    { severity: 'suspicious' },
  ],
  [
    'HDF5 behind a block of the user',
    Buffer.concat([Buffer.alloc(512), oldHdf5('model_config', '{"class_name":"Lambda"}')]),
    { severity: 'dangerous' },
  ],
  ['HDF5 that is cut off', oldHdf5('model_config', '{"class_name":"Lambda"}').subarray(0, 120), { rule: 'hdf5' }],
  // TensorFlow
  ['ReadFile in a SavedModel', savedModel(operation('ReadFile')), { severity: 'dangerous' }],
  [
    'WriteFile in a function of a SavedModel',
    savedModel(operation('MatMul'), library('WriteFile')),
    { severity: 'dangerous' },
  ],
  ['PyFunc in a frozen graph', message(operation('Placeholder'), operation('PyFunc')), { severity: 'dangerous' }],
  ['an operator of a library', savedModel(operation('Addons>Image')), { severity: 'suspicious' }],
  [
    'a SavedModel that is cut off',
    savedModel(operation('MatMul')).subarray(0, -3),
    { severity: expect.stringMatching(/mismatch|suspicious/) },
  ],
  ['a custom operator of Lite', tflite(['Evil']), { severity: 'suspicious' }],
  ['a file operator of TensorFlow in Lite', tflite(['FlexWriteFile']), { severity: 'dangerous' }],
  ['a buffer of Lite that runs over', tflite([], { says: 1 << 20 }), { severity: 'mismatch' }],
  // ONNX
  [
    'external data above the folder',
    onnx(message(initializer([4], '../../etc/passwd'))),
    { rule: 'onnx-external-data', severity: 'dangerous' },
  ],
  ['external data at an absolute path', onnx(message(initializer([4], '/etc/passwd'))), { severity: 'dangerous' }],
  ['external data on a drive', onnx(message(initializer([4], 'C:\\x'))), { severity: 'dangerous' }],
  ['external data with the other slash', onnx(message(initializer([4], '..\\x'))), { severity: 'dangerous' }],
  ['external data of no name', onnx(message(initializer([4], ''))), { severity: 'dangerous' }],
  ['external data at an address', onnx(message(initializer([4], 'file:x'))), { severity: 'dangerous' }],
  [
    'external data of a tensor in an attribute',
    onnx(message(node('Constant', '', message(field(1, 'value'), field(5, initializer([4], '../x').subarray(2)))))),
    { severity: 'dangerous' },
  ],
  ['a domain of its own', onnx(message(node('Run', 'com.evil'))), { rule: 'onnx-operator' }],
  [
    'a domain of its own in a branch',
    onnx(message(node('If', '', message(field(6, message(node('Run', 'com.evil'))))))),
    { rule: 'onnx-operator' },
  ],
  ['an operator that calls Python', onnx(message(node('PyOp', 'ai.onnx.contrib'))), { severity: 'dangerous' }],
  ['two graphs', onnx(message(node('Add')), field(7, message(node('Run', 'com.evil')))), { severity: 'suspicious' }],
  ['a field that no version has', onnx(message(node('Add')), field(999, 'x')), { severity: 'suspicious' }],
  // Chat templates
  ['a template with a class walk', template("{{ ''.__class__ }}"), { rule: 'chat-template' }],
  ['a template with attr', template("{{ x|attr('a') }}"), { rule: 'chat-template' }],
  ['a template with map(attribute)', template("{{ [x]|map(attribute='a')|list }}"), { rule: 'chat-template' }],
  ['a template with escaped underscores', template("{{ x['\\x5f\\x5fclass\\x5f\\x5f'] }}"), { rule: 'chat-template' }],
  ['a template with cycler', template('{{ cycler.next }}'), { rule: 'chat-template' }],
  ['a template with a joined name', template("{{ x['__cla' ~ 'ss__'] }}"), { rule: 'chat-template' }],
  ['a template that includes a file', template("{% include '/etc/passwd' %}"), { rule: 'chat-template' }],
  [
    'a template in a tokenizer',
    Buffer.from(JSON.stringify({ chat_template: '{{ self.__init__ }}' })),
    { rule: 'chat-template' },
  ],
  [
    'a named template in a tokenizer',
    Buffer.from(JSON.stringify({ chat_template: [{ name: 'a', template: '{{ lipsum }}' }] })),
    { rule: 'chat-template' },
  ],
  [
    'a configuration that brings Python',
    Buffer.from(JSON.stringify({ auto_map: { AutoModel: 'modeling.Evil' } })),
    { rule: 'remote-code' },
  ],
  // Headers that lie
  [
    'GGUF whose dimensions wrap to nothing',
    gguf([], [{ name: 'w', shape: [1n << 40n, 1n << 40n] }]),
    { severity: 'mismatch' },
  ],
  [
    'GGUF whose dimensions wrap below zero',
    gguf([], [{ name: 'w', shape: [(1n << 63n) - 1n, 2n] }]),
    { severity: 'mismatch' },
  ],
  [
    'GGUF with two tensors at one place',
    gguf(
      [],
      [
        { name: 'a', shape: [8n] },
        { name: 'b', shape: [8n], offset: 0n },
      ],
    ),
    { severity: 'mismatch' },
  ],
  [
    'GGUF with a hole',
    gguf(
      [],
      [
        { name: 'a', shape: [8n] },
        { name: 'b', shape: [8n], offset: 64n },
      ],
      { body: 256 },
    ),
    { severity: 'mismatch' },
  ],
  [
    'GGUF with one name twice',
    gguf(
      [],
      [
        { name: 'a', shape: [8n] },
        { name: 'a', shape: [8n], offset: 32n },
      ],
    ),
    { severity: 'mismatch' },
  ],
  ['GGUF that is cut off', gguf([], [{ name: 'a', shape: [64n] }], { body: 32 }), { severity: 'mismatch' }],
  [
    'GGUF with an alignment of nothing',
    gguf([{ key: 'general.alignment', type: 4, bytes: u32(0) }], []),
    { severity: 'mismatch' },
  ],
  [
    'GGUF with an alignment of 24',
    gguf([{ key: 'general.alignment', type: 4, bytes: u32(24) }], []),
    { severity: 'mismatch' },
  ],
  [
    'safetensors with a name twice',
    safetensors(
      '{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}',
      1,
    ),
    { severity: 'mismatch' },
  ],
  ['safetensors with metadata that is no text', safetensors({ __metadata__: { a: 1 } }, 0), { severity: 'mismatch' }],
  ['safetensors with text behind the header', safetensors('{} x', 0), { severity: 'mismatch' }],
  ['safetensors that are a pickle too', Buffer.concat([PAYLOAD, safetensors(F32, 8)]), { severity: 'dangerous' }],
];

describe('what hides is found', () => {
  test.each(hidden)('%s', (_, bytes, expected) => {
    expect(findingsOf(bytes)).toContainEqual(expect.objectContaining(expected));
  });
});

test('what is harmless beside it stays harmless', () => {
  expect(findingsOf(torchZip(stateDict([[2]])))).toEqual([]);
  expect(findingsOf(wrapped(numpyArray()))).toEqual([]);
});
