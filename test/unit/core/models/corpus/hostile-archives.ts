import { gzipSync } from 'node:zlib';
import { expect } from 'vitest';
import { tarTorch } from '../generators/frameworks.ts';
import { BENIGN, PAYLOAD } from '../generators/pickle.ts';
import { safetensors } from '../generators/tensors.ts';
import { torchZip, zip } from '../generators/zip.ts';
import type { HostileSample } from './sample.ts';

const F32 = { w: { dtype: 'F32', shape: [2], data_offsets: [0, 8] } };

/** Bytes that are changed, counted from the start or, below zero, from the end. */
function patched(bytes: Buffer, at: number, hex: string): Buffer {
  const copy = Buffer.from(bytes);
  copy.write(hex, at < 0 ? bytes.length + at : at, 'hex');
  return copy;
}

const twice = zip([
  { name: 'a.pkl', content: BENIGN },
  { name: 'b.pkl', content: BENIGN },
]);

/** A payload that belongs to no entry: the directory says that the second entry starts behind it. */
function between(): Buffer {
  const second = twice.indexOf('PK\x03\x04', 4);
  const directory = twice.indexOf('PK\x01\x02');
  const moved = Buffer.concat([twice.subarray(0, second), PAYLOAD, twice.subarray(second)]);
  const shift = (at: number): void => void moved.writeUInt32LE(moved.readUInt32LE(at) + PAYLOAD.length, at);
  shift(moved.indexOf('PK\x01\x02', directory + PAYLOAD.length + 4) + 42);
  shift(moved.length - 6);
  return moved;
}

/** Archives that readers see differently. */
export const HOSTILE_ARCHIVES: readonly HostileSample[] = [
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
  [
    'an entry of ten gigabytes in nothing',
    torchZip(BENIGN, { name: 'best/data/1', content: Buffer.from('x'), isDeflated: true, size: 4_000_000_000 }),
    { rule: 'zip' },
  ],
  [
    'a stored entry that says another size',
    torchZip(BENIGN, { name: 'best/data/1', content: Buffer.from('x'), size: 4_000_000_000 }),
    { rule: 'zip' },
  ],
  ['a directory of 65,535 entries that are not there', patched(torchZip(BENIGN), -12, 'ffff'), { rule: 'zip' }],
  ['a directory that starts elsewhere', patched(torchZip(BENIGN), -6, '00000000'), { rule: 'zip' }],
  ['an end record that says several files', patched(torchZip(BENIGN), -18, '0100'), { rule: 'zip' }],
  ['a method that is not known', patched(zip([{ name: 'a.npy', content: BENIGN }]), 8, '6300'), { rule: 'zip' }],
  [
    'an encrypted flag in the inner header alone',
    patched(zip([{ name: 'a/data.pkl', content: BENIGN }]), 6, '0100'),
    { rule: 'zip' },
  ],
  ['a name with the other slash', zip([{ name: 'best\\\\data.pkl', content: PAYLOAD }]), { severity: 'dangerous' }],
  ['a name on a drive', torchZip(BENIGN, { name: 'C:\\\\x', content: Buffer.from('x') }), { rule: 'zip' }],
  [
    'a name with a newline',
    torchZip(BENIGN, { name: 'best/x\ny', content: PAYLOAD }),
    { severity: 'dangerous', entry: 'best/x\ny' },
  ],
  ['an empty archive', zip([]), { severity: 'suspicious' }],
  ['a tar in an archive', torchZip(BENIGN, { name: 'best/x', content: tarTorch(PAYLOAD) }), { severity: 'dangerous' }],
  ['bytes between two entries', between(), { rule: 'zip' }],
  ['two entries over each other', patched(twice, twice.length - 22 - 51 + 42, '00000000'), { rule: 'zip' }],
  [
    'an entry whose two headers have two names',
    zip([{ name: 'b/data.pkl', localName: 'b/other', content: PAYLOAD }]),
    { rule: 'zip' },
  ],
  [
    'a payload in an entry of a wrong checksum',
    zip([{ name: 'b/data.pkl', content: PAYLOAD, crc: 1 }]),
    { severity: 'dangerous', entry: 'b/data.pkl' },
  ],
];
