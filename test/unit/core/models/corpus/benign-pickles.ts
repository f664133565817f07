import { deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { compressedEstimators } from '../generators/compressed.ts';
import { dtype, estimator, joblibArray, numpyArray } from '../generators/frameworks.ts';
import { op, pickle } from '../generators/pickle.ts';
import { npy } from '../generators/tensors.ts';
import { zip } from '../generators/zip.ts';
import type { BenignSample } from './sample.ts';

const object = Buffer.from("(dp0\nS'a'\np1\nI01\nsS'b'\n(lp2\nI1\naF2.5\nasS'c'\nNs.");
const list = (...items: readonly Buffer[]): Buffer =>
  pickle(op.proto(3), Buffer.from(']'), op.mark, ...items, Buffer.from('e'), op.stop);

/** What real estimators and tensors name besides classes. */
const KEPT = [
  ['builtins', 'Ellipsis'],
  ['torch', 'per_tensor_affine'],
  ['torch', 'sparse_coo'],
  ['torch.nn.functional', 'relu'],
  ['numpy', 'matrix'],
  ['numpy.core._multiarray_umath', 'log1p'],
  ['scipy.sparse._bsr', 'bsr_matrix'],
  ['scipy.interpolate._bsplines', 'BSpline'],
  ['sklearn._loss._loss', '__pyx_unpickle_CyHalfBinomialLoss'],
  ['sklearn.feature_selection._univariate_selection', 'f_classif'],
  ['sklearn.metrics._classification', 'accuracy_score'],
  ['sklearn.metrics._scorer', '_passthrough_scorer'],
] as const;
const zstdInTwo = (bytes: Buffer): Buffer =>
  Buffer.concat([zstdCompressSync(bytes.subarray(0, 40)), zstdCompressSync(bytes.subarray(40))]);
/** An array of so many zeros. */
function zeros(count: number): Buffer {
  const header = Buffer.from(`{'descr': '|u1', 'fortran_order': False, 'shape': (${count},), }\n`);
  const length = Buffer.alloc(2);
  length.writeUInt16LE(header.length);
  return Buffer.concat([Buffer.from('\x93NUMPY\x01\x00', 'latin1'), length, header, Buffer.alloc(count)]);
}

/** Plain pickles, estimators, joblib and numpy, as they are written. */
export const BENIGN_PICKLES: readonly BenignSample[] = [
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
  ['an array of numbers', npy("'<f4'", Buffer.alloc(4)), 'numpy', { parameters: 1 }],
  ['a structured array', npy("[('a', '<f4'), ('b', '<i8')]", Buffer.alloc(12)), 'numpy'],
  ['an npz of arrays', zip([{ name: 'a.npy', content: npy("'<f4'", Buffer.alloc(4)), isDeflated: true }]), 'numpy'],
  ['a record array in a pickle', pickle(op.proto(2), dtype('V16'), op.stop), 'pickle'],
  [
    'a text of protocol 0 that is longer than names are',
    pickle(Buffer.from(`V${'x'.repeat(300_000)}\n`), op.stop),
    'pickle',
  ],
  [
    'functions and constants that estimators keep',
    list(...KEPT.map(([module, name]) => op.global(module, name))),
    'pickle',
  ],
  ...Object.entries(compressedEstimators()).map(
    ([name, bytes]): BenignSample => [`joblib, compressed by ${name}`, bytes, 'pickle', { tensors: 2 }],
  ),
  ['two frames of zstd', zstdInTwo(estimator()), 'pickle'],
  [
    'an npz of zeros, which deflate a thousand times',
    zip([{ name: 'a.npy', content: zeros(15_000_000), isDeflated: true }]),
    'numpy',
  ],
];
