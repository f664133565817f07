import { deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { bufferSource } from '../../src/core/models/byte-source.ts';
import { parseManifest } from '../../src/core/models/manifest/parse-manifest.ts';
import { readModel } from '../../src/core/models/read-model.ts';
import { formatSarif } from '../../src/core/models/sarif.ts';
import { parseEnvelope } from '../../src/core/models/signing/envelope.ts';
import { parseStatement } from '../../src/core/models/signing/statement.ts';
import { verifyWithIdentity } from '../../src/core/models/signing/verify-identity.ts';
import { ConfigurationError } from '../../src/core/runner/errors.ts';
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

/** A refusal that the user can mend is an answer; anything else is a crash. */
const refusing =
  (parse: (bytes: Buffer) => unknown): Parse =>
  async (bytes) => {
    try {
      await parse(bytes);
      return ['read'];
    } catch (error) {
      if (error instanceof ConfigurationError) return [plain(error.message)];
      throw error;
    }
  };

/** The last words of a message: they are its own, where the first may be a name out of the file. */
function plain(text: string): string {
  return text
    .replace(/"(?:[^"\\]|\\.)*"/g, '')
    .split(/[\s,;:]+/)
    .filter((word) => /^[a-z']{2,}$/.test(word))
    .slice(-3)
    .join(' ');
}

const lines: MutateStructure = (seed, _seeds, random) => mutateText(seed, random);
const offsets: MutateStructure = (seed, seeds, random) => leadElsewhere(mutateBytes(seed, seeds, random), random);

const bundle = {
  mediaType: 'application/vnd.dev.sigstore.bundle.v0.3+json',
  verificationMaterial: {
    certificate: { rawBytes: 'MIIB' },
    tlogEntries: [
      {
        logIndex: '1',
        logId: { keyId: 'AAAA' },
        kindVersion: { kind: 'dsse', version: '0.0.1' },
        integratedTime: '1746234602',
        inclusionPromise: { signedEntryTimestamp: 'MEUC' },
        inclusionProof: {
          logIndex: '1',
          rootHash: 'AAAA',
          treeSize: '2',
          hashes: ['AAAA'],
          checkpoint: { envelope: 'a\n1\nAAAA\n\n— a AAAA\n' },
        },
        canonicalizedBody: 'e30=',
      },
    ],
    timestampVerificationData: { rfc3161Timestamps: [{ signedTimestamp: 'MIIE' }] },
  },
  dsseEnvelope: { payload: 'e30=', payloadType: 'application/vnd.in-toto+json', signatures: [{ sig: 'AA==' }] },
};
const keyBundle = { ...bundle, verificationMaterial: { publicKey: { hint: 'a', rawBytes: 'AAAA' }, tlogEntries: [] } };
const statement = (name: string, serialization: object): Buffer =>
  Buffer.from(
    JSON.stringify({
      _type: 'https://in-toto.io/Statement/v1',
      predicateType: 'https://model_signing/signature/v1.0',
      subject: [{ name: 'm', digest: { sha256: '0'.repeat(64) } }],
      predicate: {
        resources: [{ name, digest: '0'.repeat(64), algorithm: 'sha256' }],
        serialization: { hash_type: 'sha256', allow_symlinks: false, ignore_paths: ['.git'], ...serialization },
      },
    }),
  );
const oldStatement = {
  _type: 'https://in-toto.io/Statement/v1',
  predicateType: 'https://model_signing/Digests/v0.1',
  subject: [{ name: 'a', digest: { sha256: '0'.repeat(64) }, annotations: { actual_hash_algorithm: 'file-sha256' } }],
};
const IDENTITY = { identity: 'a@example.com', issuer: 'https://example.com' };
const EMPTY_ROOT = JSON.stringify({
  mediaType: 'application/vnd.dev.sigstore.trustedroot+json;version=0.1',
  tlogs: [],
  certificateAuthorities: [],
  ctlogs: [],
  timestampAuthorities: [],
});

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

/** Every parser that reads what somebody else wrote. */
export const targets: Readonly<Record<string, FuzzTarget>> = {
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
  'signature-envelope': {
    seeds: [bundle, keyBundle].map((each) => Buffer.from(JSON.stringify(each))),
    mutate: mutateJson,
    parse: refusing((bytes) => parseEnvelope(bytes.toString('utf8'), 'model.sig')),
  },
  'signature-statement': {
    seeds: [
      statement('a', { method: 'files' }),
      statement('a:0:5', { method: 'shards', shard_size: 5 }),
      Buffer.from(JSON.stringify(oldStatement)),
    ],
    mutate: mutateJson,
    parse: refusing((bytes) => parseStatement(bytes, 'model.sig')),
  },
  'signature-identity': {
    seeds: [Buffer.from(JSON.stringify(bundle))],
    mutate: mutateJson,
    parse: refusing((bytes) =>
      verifyWithIdentity(parseEnvelope(bytes.toString('utf8'), 'model.sig'), IDENTITY, EMPTY_ROOT, 'model.sig'),
    ),
  },
  'trusted-root': {
    seeds: [Buffer.from(EMPTY_ROOT)],
    mutate: mutateJson,
    parse: refusing((bytes) =>
      verifyWithIdentity(
        parseEnvelope(JSON.stringify(bundle), 'model.sig'),
        IDENTITY,
        bytes.toString('utf8'),
        'model.sig',
      ),
    ),
  },
  sarif: { seeds: [Buffer.from('a/b c.pkl', 'utf16le'), Buffer.from([0, 0xd8])], mutate: mutateBytes, parse: sarif },
};

function manifest(name: string): Parse {
  return refusing((bytes) => parseManifest(bytes.toString('utf8'), name));
}
