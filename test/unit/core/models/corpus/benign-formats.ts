import { kerasZip, layer, sequential } from '../generators/frameworks.ts';
import { hdf5, oldHdf5 } from '../generators/hdf5.ts';
import { field, initializer, library, message, node, onnx, operation, savedModel } from '../generators/protobuf.ts';
import { gguf, ggufText, safetensors, u32 } from '../generators/tensors.ts';
import { tflite } from '../generators/tflite.ts';
import { zip } from '../generators/zip.ts';
import type { BenignSample } from './sample.ts';

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
const weights = await hdf5({ keras_version: '3.8.0' });

const MANY = Object.fromEntries(Array.from({ length: 20 }, (_, index) => [`weights${index}`, 'w']));

/** Formats that are no pickles: safetensors, GGUF, ONNX, TensorFlow, Keras. */
export const BENIGN_FORMATS: readonly BenignSample[] = [
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
    { references: [{ path: 'weights/model.onnx_data', bytes: 0 }] },
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
  [
    'a tokenizer',
    Buffer.from(JSON.stringify({ chat_template: "{% for m in messages %}{{ m['content'] | trim }}{% endfor %}" })),
    'json',
  ],
  [
    'Keras 3 with numbers that JSON has not',
    kerasZip(sequential(layer('ReLU', { max_value: 'INFINITY' })), weights, ['"INFINITY"', 'Infinity']),
    'keras',
  ],
  ['Keras 2 in the newest HDF5', await hdf5({ ...MANY, model_config: JSON.stringify(OLD_CONFIG) }, 'latest'), 'keras'],
  [
    'a tokenizer whose template takes attributes by their names, beside a large vocabulary',
    Buffer.from(
      JSON.stringify({
        model: { vocab: Object.fromEntries(Array.from({ length: 600_000 }, (_, index) => [`t${index}`, index])) },
        chat_template: "{{ messages | map(attribute='role') | list | tojson }}{{ raise_exception('no') }}",
      }),
    ),
    'json',
  ],
  ['a list in JSON', Buffer.from('[{"a": [1, 2, "]"]}, "b"]'), 'json'],
];
