import { kerasZip, layer, sequential } from '../generators/frameworks.ts';
import { hdf5, oldHdf5 } from '../generators/hdf5.ts';
import { PAYLOAD } from '../generators/pickle.ts';
import { zip } from '../generators/zip.ts';
import type { HostileSample } from './sample.ts';

const WEIGHTS = await hdf5({ backend: 'tensorflow' });
const lambda = {
  class_name: 'Lambda',
  config: { function: { class_name: '__lambda__', config: { code: '4wEAAA==' } } },
};
const keras = (...layers: readonly object[]): Buffer => kerasZip(sequential(...layers), WEIGHTS);

/** Keras in zip and in HDF5. */
export const HOSTILE_KERAS: readonly HostileSample[] = [
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
  [
    'a Lambda in the configuration of a file of weights',
    kerasZip(sequential(), await hdf5({ model_config: JSON.stringify(lambda) })),
    { severity: 'dangerous' },
  ],
  [
    'a Lambda with a number that JSON has not',
    kerasZip(sequential(layer('Dense', { rate: 'RATE' }), lambda), WEIGHTS, ['"RATE"', 'NaN']),
    { severity: 'dangerous' },
  ],
  ['a configuration that is no JSON', kerasZip('x', WEIGHTS, ['"x"', '{']), { severity: 'mismatch' }],
  ['a layer of a package that imports', keras(layer('import_module', {}, 'importlib')), { severity: 'dangerous' }],
  [
    'a layer around a module of torch',
    keras(layer('TorchModuleWrapper', {}, 'keras.layers')),
    { severity: 'dangerous' },
  ],
  ['a layer around a function of JAX', keras(layer('JaxLayer', {}, 'keras.layers')), { severity: 'dangerous' }],
  [
    'a loader of Keras',
    keras(layer('function', {}, 'keras.saving'), {
      module: 'keras.saving',
      class_name: 'function',
      config: 'load_model',
    }),
    { severity: 'dangerous' },
  ],
  [
    'a Lambda in the optimizer',
    keras({ ...layer('Dense'), compile_config: { optimizer: lambda } }),
    { severity: 'dangerous' },
  ],
  [
    'a class that two libraries register',
    keras(layer('Dense', {}, 'evil.layers', 'Custom>Dense')),
    { severity: 'suspicious' },
  ],
  [
    'a payload as an asset',
    zip([
      { name: 'metadata.json', content: Buffer.from('{}') },
      { name: 'config.json', content: Buffer.from('{}') },
      { name: 'assets/vocabulary.txt', content: PAYLOAD },
    ]),
    { severity: 'dangerous' },
  ],
];
