import { deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { expect } from 'vitest';
import { payloadByPython } from '../generators/compressed.ts';
import { dtype, estimator, joblibArray } from '../generators/frameworks.ts';
import { BENIGN, CALL, op, PAYLOAD, pickle } from '../generators/pickle.ts';
import { npy } from '../generators/tensors.ts';
import { zip } from '../generators/zip.ts';
import type { HostileSample } from './sample.ts';

const wrapped = (array: Buffer): Buffer => pickle(op.proto(2), array, op.stop);

/** Files of joblib and numpy, plain and compressed. */
export const HOSTILE_ARRAYS: readonly HostileSample[] = [
  [
    'joblib whose array hides a pickle behind it',
    wrapped(pickle(joblibArray('f8', [2], Buffer.alloc(16)), op.pop, op.global('os', 'system'), ...CALL)),
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
    wrapped(pickle(dtype('f8'), op.pop, op.global('numpy', 'load'), ...CALL)),
    { severity: 'dangerous' },
  ],
  [
    'a payload behind a harmless stream of zlib',
    Buffer.concat([deflateSync(BENIGN), deflateSync(PAYLOAD)]),
    { severity: 'dangerous' },
  ],
  [
    'a payload behind a harmless frame of zstd',
    Buffer.concat([zstdCompressSync(BENIGN), zstdCompressSync(PAYLOAD)]),
    { severity: 'dangerous' },
  ],
  [
    'a payload behind a harmless member of gzip',
    Buffer.concat([gzipSync(BENIGN), gzipSync(PAYLOAD)]),
    { severity: 'dangerous' },
  ],
  ['bytes behind a stream of zlib', Buffer.concat([deflateSync(BENIGN), Buffer.from('junk')]), { rule: 'compression' }],
  ...Object.entries(payloadByPython()).map(
    ([name, bytes]): HostileSample => [
      `a payload in ${name}`,
      bytes,
      { severity: 'dangerous', entry: expect.stringContaining('(') },
    ],
  ),
  ['a type of numpy that calls', npy("__import__('os').system('id')", Buffer.alloc(4)), { rule: 'numpy' }],
  ['an array of objects by a title', npy("[(('t', 'a'), 'O')]", PAYLOAD), { severity: 'dangerous' }],
  [
    'an array of objects in a structure in a structure',
    npy("[('a', [('b', 'O')])]", PAYLOAD),
    { severity: 'dangerous' },
  ],
  [
    'an array with more behind it than it says',
    npy("'<f8'", Buffer.concat([Buffer.alloc(8), PAYLOAD])),
    { severity: 'mismatch' },
  ],
  [
    'a header of numpy that is longer than the file',
    Buffer.from('934e554d50590100ffff7b7d', 'hex'),
    { severity: 'mismatch' },
  ],
  ['a version of numpy that is none', Buffer.from('934e554d50590900027b7d', 'hex'), { severity: 'mismatch' }],
  [
    'an archive of arrays of which one is a pickle',
    zip([
      { name: 'a.npy', content: npy("'<f4'", Buffer.alloc(4)) },
      { name: 'b.npy', content: PAYLOAD },
    ]),
    { severity: 'dangerous', entry: 'b.npy' },
  ],
];
