import { gzipSync } from 'node:zlib';
import { legacyTorch, tarTorch, torchscript } from '../generators/frameworks.ts';
import { BENIGN, op, PAYLOAD, pickle } from '../generators/pickle.ts';
import { tar } from '../generators/tar.ts';
import { u64 } from '../generators/tensors.ts';
import { torchZip, zip } from '../generators/zip.ts';
import type { HostileSample } from './sample.ts';

/** Files of PyTorch and TorchScript. */
export const HOSTILE_PYTORCH: readonly HostileSample[] = [
  ['the fourth pickle of a legacy file', legacyTorch(PAYLOAD), { severity: 'dangerous' }],
  [
    'a pickle in the code of TorchScript',
    torchscript('x', { name: 'net/code/a.pkl', content: PAYLOAD }),
    { severity: 'dangerous' },
  ],
  [
    'TorchScript that reads files',
    torchscript('def f(x):\n  return torch.from_file("/etc/passwd", None, 9)'),
    { rule: 'torchscript', severity: 'dangerous' },
  ],
  [
    'TorchScript with operators of a library',
    torchscript('def f(x):\n  return ops.evil.run(x)'),
    { rule: 'torchscript' },
  ],
  [
    'a payload among the storages of a tar',
    tarTorch(BENIGN, Buffer.concat([pickle(op.proto(2), Buffer.from([0x4b, 1]), op.stop), PAYLOAD])),
    { severity: 'dangerous', entry: 'storages' },
  ],
  [
    'storages that cannot be followed',
    tarTorch(BENIGN, Buffer.concat([BENIGN, BENIGN, u64(1n << 40n)])),
    { entry: 'storages' },
  ],
  ['a payload in a tar', tarTorch(PAYLOAD), { severity: 'dangerous', entry: 'pickle' }],
  ['a link in a tar', tar([{ name: 'a', content: Buffer.alloc(0), type: '2' }]), { rule: 'tar' }],
  ['a tar whose name leads out', tar([{ name: '../a', content: BENIGN }]), { rule: 'tar' }],
  [
    'two folders of which the second has the payload',
    zip([
      { name: 'a/data.pkl', content: BENIGN },
      { name: 'b/data.pkl', content: PAYLOAD, isDeflated: true },
    ]),
    { severity: 'dangerous', entry: 'b/data.pkl' },
  ],
  [
    'a payload as the id of the file',
    torchZip(BENIGN, { name: 'best/.data/serialization_id', content: PAYLOAD }),
    { severity: 'dangerous' },
  ],
  [
    'a payload as the version',
    torchZip(BENIGN, { name: 'best/.data/version', content: PAYLOAD.subarray(2) }),
    { severity: 'dangerous' },
  ],
  [
    'a legacy file in an archive',
    torchZip(BENIGN, { name: 'best/old.pt', content: legacyTorch(PAYLOAD) }),
    { severity: 'dangerous' },
  ],
  ['a legacy file in gzip', gzipSync(legacyTorch(PAYLOAD)), { severity: 'dangerous', entry: '(gzip)' }],
  ['TorchScript that saves', torchscript('def f(x):\n  return torch.save(x, "/tmp/x")'), { severity: 'dangerous' }],
  [
    'TorchScript whose constants hold a payload',
    torchscript('x', { name: 'net/constants2.pkl', content: PAYLOAD }),
    { severity: 'dangerous' },
  ],
  [
    'a payload as a debug file of TorchScript',
    torchscript('x', { name: 'net/code/x.py.debug_pkl', content: PAYLOAD }),
    { severity: 'dangerous' },
  ],
  ['a tar in gzip', gzipSync(tarTorch(PAYLOAD)), { severity: 'dangerous', entry: '(gzip)!pickle' }],
  ['a tar that is cut off', tarTorch(BENIGN).subarray(0, 700), { rule: 'tar' }],
  ['a device in a tar', tar([{ name: 'a', content: Buffer.alloc(0), type: '3' }]), { rule: 'tar' }],
];
