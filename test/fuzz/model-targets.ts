import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { bufferSource } from '../../src/core/models/byte-source.ts';
import { inspectModel } from '../../src/core/models/inspect-model.ts';
import { parseManifest } from '../../src/core/models/manifest/parse-manifest.ts';
import { readModel } from '../../src/core/models/read-model.ts';
import { formatSarif } from '../../src/core/models/sarif.ts';
import {
  estimator,
  joblibArray,
  kerasZip,
  layer,
  legacyTorch,
  numpyArray,
  sequential,
  stateDict,
  tarTorch,
  tensorInPickle,
  torchscript,
} from '../unit/core/models/generators/frameworks.ts';
import { hdf5, oldHdf5 } from '../unit/core/models/generators/hdf5.ts';
import { op, PAYLOAD, pickle } from '../unit/core/models/generators/pickle.ts';
import {
  initializer,
  library,
  message,
  node,
  onnx,
  operation,
  savedModel,
} from '../unit/core/models/generators/protobuf.ts';
import { gguf, ggufText, npy, safetensors } from '../unit/core/models/generators/tensors.ts';
import { tflite } from '../unit/core/models/generators/tflite.ts';
import { torchZip } from '../unit/core/models/generators/zip.ts';
import { plain, refusing } from './answers.ts';
import type { FuzzTarget, Parse } from './fuzz-run.ts';
import { leadElsewhere, mutateBytes } from './mutate-bytes.ts';
import {
  type MutateStructure,
  mutateGguf,
  mutatePickle,
  mutateProtobuf,
  mutateTar,
  mutateZip,
} from './mutate-structure.ts';
import { mutateJson, mutateSafetensors, mutateText } from './mutate-text.ts';

const CONFIG = JSON.stringify(
  sequential(layer('Dense', { units: 3 }), layer('Lambda'), layer('TimeDistributed', { layer: layer('Dropout') })),
);
const NEW_HDF5 = await hdf5({ keras_version: '3.8.0', model_config: CONFIG });
const STATE = stateDict([[2, 2], [4]]);

/** What readers find, without the names and numbers of the file itself. */
const model: Parse = (bytes) => {
  const { format, findings } = readModel(bufferSource(bytes), new Set());
  return [format, ...findings.map(({ severity, rule, message: text }) => `${severity} ${rule} ${plain(text)}`)];
};

/** A whole file on the disk, with what is unpacked beside it on the way. */
const wholeFile: Parse = async (bytes) => {
  const folder = mkdtempSync(join(tmpdir(), 'slipway-fuzz-'));
  try {
    const file = join(folder, 'model');
    writeFileSync(file, bytes);
    const plan = { algorithms: ['sha256'], shards: undefined } as const;
    const job = { file, path: 'model', plan, scans: true, allowedGlobals: [], scanTimeout: 60_000, temp: folder };
    const { format, findings } = await inspectModel(job, () => undefined);
    const left = readdirSync(folder);
    if (left.length > 1) throw new Error(`it left ${left.join(', ')} behind`);
    return [format, ...findings.map(({ severity, rule, message: text }) => `${severity} ${rule} ${plain(text)}`)];
  } finally {
    rmSync(folder, { recursive: true });
  }
};

const lines: MutateStructure = (seed, _seeds, random) => mutateText(seed, random);
const offsets: MutateStructure = (seed, seeds, random) => leadElsewhere(mutateBytes(seed, seeds, random), random);

/** A report must be JSON whatever models, entries and messages are called. */
const sarif: Parse = (bytes) => {
  const text = bytes.toString('utf16le');
  const finding = { severity: 'dangerous', rule: 'pickle-import', message: text, entry: text, offset: 3 } as const;
  const found = { path: text, size: 3, sha256: 'a', format: 'pickle', findings: [finding] } as const;
  const listed = { path: text, manifest: text, line: 1, digest: undefined };
  const digests = { whole: new Map(), shards: [] };
  const report: unknown = JSON.parse(
    formatSarif([{ model: { ...found, digests }, expected: [listed], findings: [finding] }]),
  );
  return [typeof report];
};

const SUMS = `# models\n${'a'.repeat(64)}  a\n${'b'.repeat(64)} *b c\nSHA256 (b) = ${'b'.repeat(64)}\n\\${'c'.repeat(64)}  a\\nb\n`;
const YML = `models:\n  - path: a\n    sha256: ${'a'.repeat(64)}\n    size: 3\n    format: onnx\n    url: https://example.com/a\n    allow: [a.b]\n`;
const DVC = `outs:\n- md5: ${'a'.repeat(32)}\n  size: 3\n  hash: md5\n  path: a\n`;
const LFS = `version https://git-lfs.github.com/spec/v1\noid sha256:${'a'.repeat(64)}\nsize 3\n`;

/** Every parser of models, manifests and reports. */
export const modelTargets: Readonly<Record<string, FuzzTarget>> = {
  pickle: {
    seeds: [
      PAYLOAD,
      estimator(),
      estimator(joblibArray('f8', [2], Buffer.alloc(16))),
      pickle(op.proto(3), numpyArray(), op.stop),
      STATE,
      tensorInPickle(torchZip(PAYLOAD)),
    ],
    mutate: mutatePickle,
    parse: model,
  },
  'torch-legacy': { seeds: [legacyTorch(STATE), legacyTorch(PAYLOAD)], mutate: mutatePickle, parse: model },
  zip: {
    seeds: [
      torchZip(STATE),
      torchZip(PAYLOAD),
      torchscript('def f(x): pass'),
      kerasZip(JSON.parse(CONFIG), oldHdf5('model_config', '{}')),
      STATE,
      PAYLOAD,
    ],
    mutate: mutateZip,
    parse: model,
  },
  tar: { seeds: [tarTorch(PAYLOAD), tarTorch(STATE), STATE], mutate: mutateTar, parse: model },
  compressed: {
    seeds: [gzipSync(STATE), deflateSync(estimator()), zstdCompressSync(torchZip(PAYLOAD)), gzipSync(tarTorch(STATE))],
    mutate: mutateBytes,
    parse: model,
  },
  'whole-file': {
    seeds: [
      gzipSync(STATE),
      gzipSync(Buffer.alloc(20e6)),
      deflateSync(estimator()),
      zstdCompressSync(torchZip(PAYLOAD)),
      torchZip(STATE, { name: 'best/data/1', content: Buffer.alloc(17e6), isDeflated: true }),
      torchscript('def f(x): pass'),
      STATE,
    ],
    mutate: mutateZip,
    parse: wholeFile,
  },
  hdf5: { seeds: [NEW_HDF5, oldHdf5('model_config', CONFIG)], mutate: offsets, parse: model },
  onnx: {
    seeds: [
      onnx(message(node('If'), node('Custom', 'com.example'), initializer([2, 2]), initializer([2, 2], 'w.bin'))),
      onnx(message(node('PyOp', 'ai.onnx.contrib'))),
    ],
    mutate: mutateProtobuf,
    parse: model,
  },
  'saved-model': {
    seeds: [savedModel(operation('ReadFile'), library('PyFunc')), savedModel(operation('MatMul'))],
    mutate: mutateProtobuf,
    parse: model,
  },
  tflite: { seeds: [tflite(['Custom']), tflite([]), tflite(['FlexReadFile'])], mutate: offsets, parse: model },
  safetensors: {
    seeds: [
      safetensors({ w: { dtype: 'F32', shape: [2, 2], data_offsets: [0, 16] }, __metadata__: { a: 'b' } }, 16),
      safetensors(
        { a: { dtype: 'F16', shape: [2], data_offsets: [0, 4] }, b: { dtype: 'F4', shape: [8], data_offsets: [4, 8] } },
        8,
      ),
    ],
    mutate: mutateSafetensors,
    parse: model,
  },
  gguf: {
    seeds: [
      gguf([{ key: 'tokenizer.chat_template', type: 8, bytes: ggufText('{{ x }}') }], [{ name: 'w', shape: [4n, 4n] }]),
    ],
    mutate: mutateGguf,
    parse: model,
  },
  numpy: {
    seeds: [npy("'|O'", PAYLOAD), npy("'<f4'", Buffer.alloc(4)), npy("[('a', '<f4'), ('b', '|O')]", STATE)],
    mutate: lines,
    parse: model,
  },
  json: { seeds: [Buffer.from(CONFIG), Buffer.from('{"chat_template":"{{ x }}"}')], mutate: mutateJson, parse: model },
  checksums: { seeds: [Buffer.from(SUMS)], mutate: lines, parse: manifest('SHA256SUMS') },
  'models-yml': { seeds: [Buffer.from(YML)], mutate: lines, parse: manifest('models.yml') },
  dvc: { seeds: [Buffer.from(DVC)], mutate: lines, parse: manifest('a.dvc') },
  'lfs-pointer': { seeds: [Buffer.from(LFS)], mutate: lines, parse: manifest('a.lfs') },
  sarif: { seeds: [Buffer.from('a/b c.pkl', 'utf16le'), Buffer.from([0, 0xd8])], mutate: mutateBytes, parse: sarif },
};

function manifest(name: string): Parse {
  return refusing((bytes) => parseManifest(bytes.toString('utf8'), name));
}
