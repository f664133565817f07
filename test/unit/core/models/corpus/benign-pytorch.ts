import {
  legacyTorch,
  stateDict,
  tarTorch,
  tensorAsText,
  tensorInPickle,
  torchscript,
} from '../generators/frameworks.ts';
import { op, pickle } from '../generators/pickle.ts';
import { torchZip } from '../generators/zip.ts';
import type { BenignSample } from './sample.ts';

const STATE = stateDict([[4, 4], [4]]);

/** PyTorch in all its formats, and TorchScript. */
export const BENIGN_PYTORCH: readonly BenignSample[] = [
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
    'a legacy PyTorch file of a whole module, whose class is a persistent id',
    legacyTorch(
      pickle(
        op.proto(2),
        op.mark,
        op.longText('module'),
        op.global('torch.nn.modules.linear', 'Linear'),
        op.longText('/usr/lib/python3/linear.py'),
        op.longText('class Linear(Module):'),
        op.tuple,
        op.persistentId,
        op.emptyTuple,
        op.newObject,
        op.emptyDict,
        op.build,
        op.stop,
      ),
    ),
    'pytorch-legacy',
  ],
  ['a tensor in a plain pickle of protocol 2', tensorAsText(legacyTorch(STATE)), 'pickle'],
];
