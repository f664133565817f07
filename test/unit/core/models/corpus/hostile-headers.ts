import { expect } from 'vitest';
import { PAYLOAD } from '../generators/pickle.ts';
import { gguf, safetensors, u32, u64 } from '../generators/tensors.ts';
import type { HostileSample } from './sample.ts';

const F32 = { w: { dtype: 'F32', shape: [2], data_offsets: [0, 8] } };

/** GGUF and safetensors whose headers lie. */
export const HOSTILE_HEADERS: readonly HostileSample[] = [
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
  ['GGUF with an empty key', gguf([{ key: '', type: 0, bytes: Buffer.alloc(1) }], []), { severity: 'mismatch' }],
  [
    'GGUF with a text of an exabyte',
    gguf([{ key: 'a', type: 8, bytes: u64(1n << 60n) }], []),
    { severity: 'mismatch' },
  ],
  [
    'GGUF with an array of more than the file',
    gguf([{ key: 'a', type: 9, bytes: Buffer.concat([u32(4), u64(1n << 61n)]) }], []),
    { severity: 'mismatch' },
  ],
  [
    'GGUF with a type of metadata that is none',
    gguf([{ key: 'a', type: 77, bytes: Buffer.alloc(8) }], []),
    { severity: 'mismatch' },
  ],
  ['GGUF with five dimensions', gguf([], [{ name: 'w', shape: [1n, 1n, 1n, 1n, 1n] }]), { severity: 'mismatch' }],
  ['GGUF with a name of 65 letters', gguf([], [{ name: 'w'.repeat(65), shape: [8n] }]), { severity: 'mismatch' }],
  [
    'GGUF with a type of tensor that was removed',
    gguf([], [{ name: 'w', shape: [32n], type: 4 }]),
    { severity: 'mismatch' },
  ],
  ['GGUF with half a block', gguf([], [{ name: 'w', shape: [16n], type: 2 }]), { severity: 'mismatch' }],
  ['GGUF for machines of the other byte order', gguf([], [], { version: 0x03000000 }), { severity: 'mismatch' }],
  ['GGUF of seven bytes', Buffer.from('GGUF\x03\0\0'), { severity: 'mismatch' }],
  ['GGUF with a dimension below zero', gguf([], [{ name: 'w', shape: [(1n << 64n) - 8n] }]), { severity: 'mismatch' }],
  [
    'safetensors whose header is half the address space',
    safetensors(F32, 8, (1n << 64n) - 1n),
    { severity: expect.stringMatching(/mismatch|suspicious/) },
  ],
  [
    'safetensors that start with a hole',
    safetensors({ w: { dtype: 'U8', shape: [2], data_offsets: [2, 4] } }, 4),
    { severity: 'mismatch' },
  ],
  [
    'safetensors that end before they start',
    safetensors({ w: { dtype: 'U8', shape: [2], data_offsets: [2, 0] } }, 2),
    { severity: 'mismatch' },
  ],
  [
    'safetensors below zero',
    safetensors({ w: { dtype: 'U8', shape: [-2], data_offsets: [0, 2] } }, 2),
    { severity: 'mismatch' },
  ],
  [
    'safetensors with half an element',
    safetensors({ w: { dtype: 'U8', shape: [1.5], data_offsets: [0, 2] } }, 2),
    { severity: 'mismatch' },
  ],
  [
    'safetensors with a type in small letters',
    safetensors({ w: { dtype: 'f32', shape: [2], data_offsets: [0, 8] } }, 8),
    { severity: 'mismatch' },
  ],
  [
    'safetensors with a list as its header',
    safetensors('[]', 0),
    { severity: expect.stringMatching(/mismatch|suspicious/) },
  ],
  ['safetensors with a key of no tensor', safetensors({ ...F32, x: 1 }, 8), { severity: 'mismatch' }],
  [
    'safetensors with its metadata twice',
    safetensors('{"__metadata__":{},"__metadata__":{"a":"b"}}', 0),
    { severity: 'mismatch' },
  ],
  ['safetensors nested too deep', safetensors(`{"a":${'['.repeat(60_000)}`, 0), { severity: 'mismatch' }],
  [
    'a pointer of git-lfs with an extension',
    Buffer.from('version https://git-lfs.github.com/spec/v1\next-0-x sha256:00\n'),
    { severity: 'mismatch' },
  ],
  ['an error page in capitals', Buffer.from('\n\n<!DOCTYPE HTML PUBLIC>'), { severity: 'mismatch' }],
  [
    'an error of a store in XML',
    Buffer.from('<?xml version="1.0"?><Error><Code>AccessDenied</Code></Error>'),
    { severity: 'mismatch' },
  ],
];
