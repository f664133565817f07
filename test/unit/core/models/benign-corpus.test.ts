import { describe, expect, test } from 'vitest';
import { bufferSource } from '../../../../src/core/models/byte-source.ts';
import { readModel } from '../../../../src/core/models/read-model.ts';
import { BENIGN_FORMATS } from './corpus/benign-formats.ts';
import { BENIGN_PICKLES } from './corpus/benign-pickles.ts';
import { BENIGN_PYTORCH } from './corpus/benign-pytorch.ts';

const samples = [...BENIGN_PICKLES, ...BENIGN_PYTORCH, ...BENIGN_FORMATS];

describe('what frameworks write passes, with nothing found', () => {
  test.each(samples.map(([name, bytes, format, more]) => ({ name, bytes, format, more })))(
    '$name',
    ({ bytes, format, more }) => {
      expect(readModel(bufferSource(bytes), new Set())).toMatchObject({ format, findings: [], ...more });
    },
  );
});

/** Every kind of file that must pass, each with at least one sample of this name and format. */
const KINDS: readonly (readonly [kind: string, name: RegExp, format: string])[] = [
  ...[0, 1, 2, 3, 4, 5].map((protocol): [string, RegExp, string] => [
    `a pickle of protocol ${protocol}`,
    new RegExp(`protocol ${protocol}`),
    'pickle',
  ]),
  ['a PyTorch zip', /PyTorch zip/, 'pytorch'],
  ['a legacy PyTorch file', /legacy/, 'pytorch-legacy'],
  ['a PyTorch tar', /tar/, 'pytorch-tar'],
  ['TorchScript', /TorchScript/, 'torchscript'],
  ['safetensors', /safetensors/, 'safetensors'],
  ['GGUF 2', /GGUF 2/, 'gguf'],
  ['GGUF 3', /GGUF 3/, 'gguf'],
  ['ONNX with external data', /external data/, 'onnx'],
  ['Keras .h5', /Keras 2/, 'keras'],
  ['Keras .keras', /Keras 3/, 'keras'],
  ['SavedModel', /SavedModel/, 'saved-model'],
  ['TensorFlow Lite', /Lite/, 'tflite'],
  ['.npy', /array of numbers/, 'numpy'],
  ['.npz', /npz/, 'numpy'],
  ['joblib', /written by joblib/, 'pickle'],
  ...['zlib', 'gzip', 'bz2', 'lzma', 'xz', 'lz4'].map((compressor): [string, RegExp, string] => [
    `joblib with ${compressor}`,
    new RegExp(`joblib, compressed by ${compressor}`),
    'pickle',
  ]),
  ['an estimator of sklearn', /estimator of sklearn/, 'pickle'],
];

test.each(KINDS)('the corpus holds %s', (_, name, format) => {
  expect(samples.some((sample) => name.test(sample[0]) && sample[2] === format)).toBe(true);
});
