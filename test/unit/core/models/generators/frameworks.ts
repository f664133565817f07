import { BENIGN, op, pickle } from './pickle.ts';
import { tar } from './tar.ts';
import { u64 } from './tensors.ts';
import { type ZipPart, zip } from './zip.ts';

/** Models in the shape that frameworks write them, instruction by instruction as their picklers do. */

const int = (value: number): Buffer => Buffer.from([0x4b, value]);
const newFalse = Buffer.from([0x89]);
const newTrue = Buffer.from([0x88]);
const tuple2 = Buffer.from([0x86]);
const tuple3 = Buffer.from([0x87]);
const setItems = Buffer.from('u');
const emptyList = Buffer.from(']');
const bytes = (value: Buffer): Buffer => Buffer.concat([Buffer.from([0x43, value.length]), value]);

/** `numpy.dtype('f8')` with its state, as `ndarray.__reduce__` writes it. */
export function dtype(name: string, flags = 0): Buffer {
  return pickle(
    op.global('numpy', 'dtype'),
    op.longText(name),
    newFalse,
    newTrue,
    tuple3,
    op.reduce,
    op.mark,
    int(3),
    op.longText('<'),
    op.none,
    op.none,
    op.none,
    Buffer.from('J\xff\xff\xff\xff', 'latin1'),
    Buffer.from('J\xff\xff\xff\xff', 'latin1'),
    int(flags),
    op.tuple,
    op.build,
  );
}

/** `numpy.array(...)` in a plain pickle: `_reconstruct` and a state of shape, type and bytes. */
export function numpyArray(multiarray = 'numpy._core.multiarray'): Buffer {
  return pickle(
    op.global(multiarray, '_reconstruct'),
    op.global('numpy', 'ndarray'),
    int(0),
    op.tuple1,
    bytes(Buffer.from('b')),
    tuple3,
    op.reduce,
    op.mark,
    int(1),
    int(2),
    op.tuple1,
    dtype('f8'),
    newFalse,
    bytes(Buffer.alloc(16)),
    op.tuple,
    op.build,
  );
}

/** What stands in place of an array in a file of joblib: a wrapper, and right behind its BUILD the array's bytes. */
export function joblibArray(type: string, shape: readonly number[], content: Buffer, isAligned = true): Buffer {
  const padding = isAligned ? Buffer.from([3, 0xff, 0xff, 0xff]) : Buffer.alloc(0);
  const align = isAligned ? [op.longText('numpy_array_alignment_bytes'), int(16)] : [];
  return pickle(
    op.global('joblib.numpy_pickle', 'NumpyArrayWrapper'),
    op.emptyTuple,
    op.newObject,
    op.emptyDict,
    op.mark,
    op.longText('subclass'),
    op.global('numpy', 'ndarray'),
    op.longText('shape'),
    op.mark,
    ...shape.map(int),
    op.tuple,
    op.longText('order'),
    op.longText('C'),
    op.longText('dtype'),
    dtype(type, type === 'O8' ? 63 : 0),
    op.longText('allow_mmap'),
    newTrue,
    ...align,
    setItems,
    op.build,
    type === 'O8' ? Buffer.alloc(0) : padding,
    content,
  );
}

/** An estimator of sklearn: an object, its state, and in it arrays and a nested tree. */
export function estimator(array: Buffer = numpyArray()): Buffer {
  return pickle(
    op.proto(4),
    op.text('sklearn.ensemble._forest'),
    op.text('RandomForestClassifier'),
    op.stackGlobal,
    op.emptyTuple,
    op.newObject,
    op.emptyDict,
    op.mark,
    op.text('n_estimators'),
    int(100),
    op.text('classes_'),
    array,
    op.text('tree_'),
    op.text('sklearn.tree._tree'),
    op.text('Tree'),
    op.stackGlobal,
    int(4),
    array,
    int(1),
    tuple3,
    op.reduce,
    op.emptyDict,
    op.build,
    op.text('_sklearn_version'),
    op.text('1.5.2'),
    setItems,
    op.build,
    op.stop,
  );
}

/** `torch.save` of a state dict: an OrderedDict of tensors by `_rebuild_tensor_v2` with storages as persistent ids. */
export function stateDict(shapes: readonly (readonly number[])[]): Buffer {
  const tensor = (shape: readonly number[], index: number): Buffer =>
    pickle(
      op.longText(`layer${index}.weight`),
      op.global('torch._utils', '_rebuild_tensor_v2'),
      op.mark,
      op.mark,
      op.longText('storage'),
      op.global('torch', 'FloatStorage'),
      op.longText(String(index)),
      op.longText('cpu'),
      int(16),
      op.tuple,
      op.persistentId,
      int(0),
      op.mark,
      ...shape.map(int),
      op.tuple,
      op.mark,
      ...shape.map(() => int(1)),
      op.tuple,
      newFalse,
      op.global('collections', 'OrderedDict'),
      op.emptyTuple,
      op.reduce,
      op.tuple,
      op.reduce,
    );
  return pickle(
    op.proto(2),
    op.global('collections', 'OrderedDict'),
    op.emptyTuple,
    op.reduce,
    op.mark,
    ...shapes.map(tensor),
    setItems,
    op.stop,
  );
}

/** A tensor in a plain pickle: `torch.storage._load_from_bytes` around a `torch.save` of its own. */
export function tensorInPickle(content: Buffer): Buffer {
  return tensorOf(op.bytes(content));
}

/** The same in protocols below 3, which write bytes as a text and its codec. */
export function tensorAsText(content: Buffer): Buffer {
  return tensorOf(
    op.global('_codecs', 'encode'),
    op.longText(content.toString('latin1')),
    op.longText('latin1'),
    tuple2,
    op.reduce,
  );
}

function tensorOf(...content: readonly Buffer[]): Buffer {
  return pickle(
    op.proto(2),
    op.global('torch._utils', '_rebuild_tensor_v2'),
    op.mark,
    op.global('torch.storage', '_load_from_bytes'),
    ...content,
    op.tuple1,
    op.reduce,
    int(0),
    int(2),
    int(2),
    tuple2,
    int(2),
    int(1),
    tuple2,
    newFalse,
    op.global('collections', 'OrderedDict'),
    op.emptyTuple,
    op.reduce,
    op.tuple,
    op.reduce,
    op.stop,
  );
}

/** The five pickles of a legacy `torch.save`, with weights behind them. */
export function legacyTorch(dataPickle: Buffer): Buffer {
  const magic = Buffer.from('80028a0a6cfc9c46f9206aa850192e', 'hex');
  const protocol = pickle(op.proto(2), Buffer.from([0x4d, 0xe9, 0x03]), op.stop);
  const keys = pickle(op.proto(2), emptyList, op.stop);
  return Buffer.concat([magic, protocol, BENIGN, dataPickle, keys, Buffer.alloc(500, 0x63)]);
}

/** The archive of torch 0.1.1: tar with pickles and storages. */
export function tarTorch(dataPickle: Buffer, storages?: Buffer): Buffer {
  const count = pickle(op.proto(2), int(1), op.stop);
  const storage = pickle(
    op.proto(2),
    op.longText('0'),
    op.longText('cpu'),
    op.global('torch', 'FloatStorage'),
    tuple3,
    op.stop,
  );
  const plain = Buffer.concat([count, storage, u64(4n), Buffer.alloc(16)]);
  return tar([
    { name: 'sys_info', content: BENIGN },
    { name: 'pickle', content: dataPickle },
    { name: 'storages', content: storages ?? plain },
    { name: 'tensors', content: pickle(op.proto(2), int(0), op.stop) },
  ]);
}

/** TorchScript: data and constants as pickles of `__torch__` classes, and code. */
export function torchscript(code: string, ...more: readonly ZipPart[]): Buffer {
  const data = pickle(
    op.proto(2),
    op.global('__torch__.model', 'Net'),
    op.emptyTuple,
    op.newObject,
    op.emptyDict,
    op.build,
    op.stop,
  );
  return zip([
    { name: 'net/data.pkl', content: data },
    { name: 'net/code/__torch__/model.py', content: Buffer.from(code), isDeflated: true },
    { name: 'net/code/__torch__/model.py.debug_pkl', content: pickle(op.proto(2), emptyList, op.stop) },
    { name: 'net/constants.pkl', content: pickle(op.proto(2), emptyList, op.stop) },
    { name: 'net/version', content: Buffer.from('3\n') },
    ...more,
  ]);
}

/** Keras 3: a zip of configuration, metadata and weights; `replaced` writes what JSON cannot. */
export function kerasZip(
  config: unknown,
  weights: Buffer,
  [from, to]: readonly [from: string, to: string] = ['', ''],
): Buffer {
  return zip([
    { name: 'metadata.json', content: Buffer.from('{"keras_version":"3.8.0"}') },
    { name: 'config.json', content: Buffer.from(JSON.stringify(config).replace(from, to)) },
    { name: 'model.weights.h5', content: weights },
  ]);
}

/** A layer of Keras 3. */
export function layer(
  className: string,
  config: object = {},
  module = 'keras.layers',
  registered: string | null = null,
) {
  return {
    module,
    class_name: className,
    config: { name: className.toLowerCase(), ...config },
    registered_name: registered,
  };
}

export function sequential(...layers: readonly object[]) {
  return { module: 'keras', class_name: 'Sequential', config: { name: 'net', layers }, registered_name: null };
}
