import { expect } from 'vitest';
import {
  field,
  initializer,
  library,
  message,
  node,
  onnx,
  operation,
  savedModel,
  savedModelWithAsset,
} from '../generators/protobuf.ts';
import { tflite } from '../generators/tflite.ts';
import type { HostileSample } from './sample.ts';

function nested(depth: number): Buffer {
  let graph = message(node('Add'));
  for (let index = 0; index < depth; index += 1) graph = message(node('If', '', message(field(6, graph))));
  return onnx(graph);
}

/** Graphs of TensorFlow, TensorFlow Lite and ONNX. */
export const HOSTILE_GRAPHS: readonly HostileSample[] = [
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
  [
    'a file operator in the second graph of a SavedModel',
    Buffer.concat([savedModel(operation('MatMul')), savedModel(operation('WriteFile'))]),
    { severity: 'dangerous' },
  ],
  ['a database as a data set', savedModel(operation('SqlDataset')), { severity: 'dangerous' }],
  ['Python by another name', savedModel(operation('EagerPyFunc')), { severity: 'dangerous' }],
  ['an asset above the folder', savedModelWithAsset('../../etc/passwd'), { severity: 'dangerous' }],
  [
    'a vector of Lite that points out of the file',
    tflite(['X']).subarray(0, 60),
    { severity: expect.stringMatching(/mismatch|suspicious/) },
  ],
  [
    'external data twice, of which the second leads out',
    onnx(message(initializer([4], 'w.bin', '../../x'))),
    { severity: 'dangerous' },
  ],
  ['external data with a NUL', onnx(message(initializer([4], 'w.bin\0/../../x'))), { severity: 'dangerous' }],
  [
    'external data that is the folder',
    onnx(message(initializer([4], '.'))),
    { severity: expect.stringMatching(/dangerous|suspicious|mismatch/) },
  ],
  [
    'external data in the training part',
    onnx(message(node('Add')), field(20, message(field(1, message(initializer([4], '../x')))))),
    { severity: 'dangerous' },
  ],
  [
    'Python in a function',
    onnx(message(node('Add')), field(25, message(field(1, 'F'), field(7, message(field(4, 'PyOp')))))),
    { severity: 'dangerous' },
  ],
  ['graphs nested in graphs without end', nested(60), { severity: 'mismatch' }],
  [
    'ONNX that is cut off',
    onnx(message(node('Add'), initializer([4]))).subarray(0, -3),
    { severity: expect.stringMatching(/mismatch|suspicious/) },
  ],
];
