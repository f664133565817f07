import { deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';
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
import { op, pickle } from './generators/pickle.ts';
import { field, initializer, library, message, node, onnx, operation, savedModel } from './generators/protobuf.ts';
import { gguf, ggufText, npy, safetensors, u32 } from './generators/tensors.ts';
import { tflite } from './generators/tflite.ts';
import { torchZip, zip } from './generators/zip.ts';

const CONFIG = sequential(
  layer('InputLayer', { batch_shape: [null, 4] }),
  layer('Dense', {
    units: 3,
    activation: 'relu',
    kernel_initializer: {
      module: 'keras.initializers',
      class_name: 'GlorotUniform',
      config: {},
      registered_name: null,
    },
  }),
  layer('TimeDistributed', { layer: layer('Dropout', { rate: 0.5 }) }),
);
const OLD_CONFIG = {
  class_name: 'Sequential',
  config: {
    name: 'net',
    layers: [
      { class_name: 'Dense', config: { units: 1, kernel_initializer: { class_name: 'GlorotUniform', config: {} } } },
    ],
  },
};
const object = Buffer.from("(dp0\nS'a'\np1\nI01\nsS'b'\n(lp2\nI1\naF2.5\nasS'c'\nNs.");
const list = (...items: readonly Buffer[]): Buffer =>
  pickle(op.proto(3), Buffer.from(']'), op.mark, ...items, Buffer.from('e'), op.stop);
const weights = await hdf5({ keras_version: '3.8.0' });
const STATE = stateDict([[4, 4], [4]]);

/** What each framework writes; none of it may be found fault with. */
const models: readonly (readonly [name: string, bytes: Buffer, format: string, more?: object])[] = [
  ['a pickle of protocol 0', object, 'pickle'],
  ['a pickle of protocol 1', Buffer.from('}q\0(U\x01aq\x01K\x01U\x01bq\x02]q\x03(K\x01K\x02eu.', 'latin1'), 'pickle'],
  ['a pickle of protocol 2', pickle(op.proto(2), numpyArray('numpy.core.multiarray'), op.stop), 'pickle'],
  ['a pickle of protocol 3', list(numpyArray()), 'pickle'],
  [
    'a pickle of protocol 4 with frames',
    pickle(op.proto(4), Buffer.from('950200000000000000', 'hex'), Buffer.from(')'), op.stop),
    'pickle',
  ],
  [
    'a pickle of protocol 5 with a buffer',
    pickle(
      op.proto(5),
      Buffer.from('9698', 'hex').subarray(0, 1),
      Buffer.from('0300000000000000616263', 'hex'),
      op.stop,
    ),
    'pickle',
  ],
  ['sets and byte arrays', pickle(op.proto(4), Buffer.from([0x8f, 0x28, 0x4b, 1, 0x4b, 2, 0x90]), op.stop), 'pickle'],
  ['an estimator of sklearn', estimator(), 'pickle'],
  [
    'an estimator written by joblib',
    estimator(joblibArray('f8', [2], Buffer.alloc(16))),
    'pickle',
    { tensors: 2, parameters: 4 },
  ],
  ['joblib without alignment', estimator(joblibArray('f4', [2, 2], Buffer.alloc(16), false)), 'pickle'],
  [
    'joblib with an array of objects',
    estimator(joblibArray('O8', [1], pickle(op.proto(2), numpyArray(), op.stop))),
    'pickle',
  ],
  ['joblib, compressed by zlib', deflateSync(estimator(joblibArray('f8', [2], Buffer.alloc(16)))), 'pickle'],
  ['joblib, compressed by gzip', gzipSync(estimator(joblibArray('f8', [2], Buffer.alloc(16)))), 'pickle'],
  ['a pickle, compressed by zstd', zstdCompressSync(estimator()), 'pickle'],
  ['a PyTorch zip', torchZip(STATE), 'pytorch', { tensors: 2, parameters: 20 }],
  [
    'a PyTorch zip with an own serialization id',
    torchZip(STATE, { name: 'best/.data/serialization_id', content: Buffer.from('123') }),
    'pytorch',
  ],
  ['a legacy PyTorch file', legacyTorch(STATE), 'pytorch-legacy', { tensors: 2, parameters: 20 }],
  ['a PyTorch tar', tarTorch(STATE), 'pytorch-tar'],
  ['a tensor in a plain pickle', tensorInPickle(legacyTorch(STATE)), 'pickle'],
  ['a tensor of a zip in a plain pickle', tensorInPickle(torchZip(STATE)), 'pickle'],
  [
    'a whole module',
    pickle(
      op.proto(2),
      op.global('torch.nn.modules.conv', 'Conv2d'),
      op.emptyTuple,
      op.newObject,
      op.emptyDict,
      op.build,
      op.stop,
    ),
    'pickle',
  ],
  [
    'an optimizer',
    pickle(
      op.proto(2),
      op.global('torch.optim.adamw', 'AdamW'),
      op.emptyTuple,
      op.newObject,
      op.emptyDict,
      op.build,
      op.stop,
    ),
    'pickle',
  ],
  ['TorchScript', torchscript('def forward(self, x):\n  return torch.relu(ops.quantized.add(x, x))\n'), 'torchscript'],
  [
    'safetensors',
    safetensors({ w: { dtype: 'BF16', shape: [2, 3], data_offsets: [0, 12] }, __metadata__: { format: 'pt' } }, 12),
    'safetensors',
    { tensors: 1, parameters: 6 },
  ],
  [
    'safetensors with blanks behind the header',
    safetensors(`${JSON.stringify({ w: { dtype: 'U8', shape: [1], data_offsets: [0, 1] } })}   `, 1),
    'safetensors',
  ],
  [
    'safetensors of six-bit floats',
    safetensors({ w: { dtype: 'F6_E2M3', shape: [4], data_offsets: [0, 3] } }, 3),
    'safetensors',
  ],
  [
    'GGUF 3',
    gguf([{ key: 'general.name', type: 8, bytes: ggufText('llama') }], [{ name: 'w', shape: [4n, 4n] }]),
    'gguf',
    { parameters: 16 },
  ],
  [
    'GGUF 2',
    gguf([{ key: 'general.alignment', type: 4, bytes: u32(32) }], [{ name: 'w', shape: [4n, 4n] }], { version: 2 }),
    'gguf',
  ],
  ['ONNX', onnx(message(node('Conv'), node('Relu'), initializer([3, 3]))), 'onnx', { tensors: 1, parameters: 9 }],
  [
    'ONNX with operators of ONNX Runtime',
    onnx(message(node('Attention', 'com.microsoft'), node('LinearClassifier', 'ai.onnx.ml'))),
    'onnx',
  ],
  [
    'ONNX with functions of its own',
    onnx(
      message(node('Gelu', 'pkg.local')),
      field(25, message(field(1, 'Gelu'), field(10, 'pkg.local'), field(7, message(field(4, 'Erf'))))),
    ),
    'onnx',
  ],
  [
    'ONNX with a branch',
    onnx(message(node('If', '', message(field(1, 'then'), field(6, message(node('Add'))))))),
    'onnx',
  ],
  [
    'ONNX with external data',
    onnx(message(node('Add'), initializer([4], 'weights/model.onnx_data'))),
    'onnx',
    { references: ['weights/model.onnx_data'] },
  ],
  [
    'a SavedModel',
    savedModel(
      operation('Placeholder'),
      operation('MatMul'),
      operation('SaveV2'),
      operation('RestoreV2'),
      library('AddV2', 'StatefulPartitionedCall'),
    ),
    'saved-model',
  ],
  [
    'a frozen graph',
    message(operation('Placeholder'), operation('Softmax'), field(4, message(field(1, 27)))),
    'tensorflow-graph',
  ],
  ['TensorFlow Lite', tflite(['TFLite_Detection_PostProcess', 'FlexErf']), 'tflite', { tensors: 2 }],
  [
    'TensorFlow Lite with metadata behind',
    Buffer.concat([tflite([]), zip([{ name: 'labels.txt', content: Buffer.from('cat') }])]),
    'tflite',
  ],
  ['Keras 3', kerasZip(CONFIG, weights), 'keras'],
  ['Keras 2', await hdf5({ model_config: JSON.stringify(OLD_CONFIG) }), 'keras'],
  ['Keras 2 by an old h5py', oldHdf5('model_config', JSON.stringify(OLD_CONFIG)), 'keras'],
  ['weights in HDF5', weights, 'hdf5'],
  ['an array of numbers', npy("'<f4'", Buffer.alloc(4)), 'numpy', { parameters: 1 }],
  ['a structured array', npy("[('a', '<f4'), ('b', '<i8')]", Buffer.alloc(12)), 'numpy'],
  ['an npz of arrays', zip([{ name: 'a.npy', content: npy("'<f4'", Buffer.alloc(4)), isDeflated: true }]), 'numpy'],
  [
    'a tokenizer',
    Buffer.from(JSON.stringify({ chat_template: "{% for m in messages %}{{ m['content'] | trim }}{% endfor %}" })),
    'json',
  ],
  ['a record array in a pickle', pickle(op.proto(2), dtype('V16'), op.stop), 'pickle'],
];

describe('what frameworks write passes, with nothing found', () => {
  test.each(models.map(([name, bytes, format, more]) => ({ name, bytes, format, more })))(
    '$name',
    ({ bytes, format, more }) => {
      expect(readModel(bufferSource(bytes), new Set())).toMatchObject({ format, findings: [], ...more });
    },
  );
});
