import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { bufferSource } from '../../../../src/core/models/byte-source.ts';
import { parseManifest } from '../../../../src/core/models/manifest/parse-manifest.ts';
import { readModel } from '../../../../src/core/models/read-model.ts';
import { parseEnvelope } from '../../../../src/core/models/signing/envelope.ts';
import { parseStatement } from '../../../../src/core/models/signing/statement.ts';
import { ConfigurationError } from '../../../../src/core/runner/errors.ts';
import {
  estimator,
  joblibArray,
  kerasZip,
  layer,
  sequential,
  stateDict,
  tarTorch,
  tensorInPickle,
  torchscript,
} from './generators/frameworks.ts';
import { oldHdf5 } from './generators/hdf5.ts';
import { PAYLOAD } from './generators/pickle.ts';
import { initializer, library, message, node, onnx, operation, savedModel } from './generators/protobuf.ts';
import { gguf, ggufText, npy, safetensors } from './generators/tensors.ts';
import { tflite } from './generators/tflite.ts';
import { torchZip } from './generators/zip.ts';

/** Milliseconds for each parser; `FUZZ_SECONDS=600` for a long run, `FUZZ_SEED` to repeat one. */
const TIME = Number(process.env['FUZZ_SECONDS'] ?? '0.4') * 1000;
const SEED = Number(process.env['FUZZ_SEED'] ?? Date.now() % 2 ** 31);
/** No mutant of a few kilobytes may cost more than this. */
const SLOWEST = 2_000;

const model = (bytes: Buffer): void => void readModel(bufferSource(bytes), new Set());
const text =
  (parse: (text: string) => unknown) =>
  (bytes: Buffer): void => {
    try {
      parse(bytes.toString('utf8'));
    } catch (error) {
      // A refusal that the user can mend is an answer; anything else is a crash.
      if (!(error instanceof ConfigurationError)) throw error;
    }
  };
const statement = {
  _type: 'https://in-toto.io/Statement/v1',
  predicateType: 'https://model_signing/signature/v1.0',
  subject: [{ digest: {} }],
  predicate: {
    resources: [{ name: 'a', digest: '0'.repeat(64), algorithm: 'sha256' }],
    serialization: { method: 'files', hash_type: 'sha256' },
  },
};
const envelope = {
  mediaType: 'application/vnd.dev.sigstore.bundle.v0.3+json',
  verificationMaterial: { publicKey: { hint: 'a' } },
  dsseEnvelope: { payload: 'e30=', payloadType: 'application/vnd.in-toto+json', signatures: [{ sig: 'AA==' }] },
};
const sums = `${'a'.repeat(64)}  a\nSHA256 (b) = ${'b'.repeat(64)}\n`;
const yml = `models:\n  - path: a\n    sha256: ${'a'.repeat(64)}\n    size: 3\n    allow: [a.b]\n`;

const parsers: readonly (readonly [name: string, seeds: readonly Buffer[], parse: (bytes: Buffer) => void])[] = [
  [
    'pickle',
    [
      PAYLOAD,
      estimator(),
      estimator(joblibArray('f8', [2], Buffer.alloc(16))),
      stateDict([[2, 2]]),
      tensorInPickle(torchZip(PAYLOAD)),
    ],
    model,
  ],
  [
    'zip',
    [
      torchZip(PAYLOAD),
      torchscript('def f(x): pass'),
      kerasZip(sequential(layer('Lambda')), oldHdf5('model_config', '{}')),
    ],
    model,
  ],
  ['tar', [tarTorch(PAYLOAD)], model],
  ['HDF5', [oldHdf5('model_config', JSON.stringify(sequential(layer('Lambda'))))], model],
  [
    'protobuf',
    [onnx(message(node('If'), initializer([2, 2], 'w'))), savedModel(operation('ReadFile'), library('PyFunc'))],
    model,
  ],
  ['FlatBuffers', [tflite(['Custom'])], model],
  [
    'safetensors',
    [safetensors({ w: { dtype: 'F32', shape: [2, 2], data_offsets: [0, 16] }, __metadata__: { a: 'b' } }, 16)],
    model,
  ],
  [
    'GGUF',
    [gguf([{ key: 'tokenizer.chat_template', type: 8, bytes: ggufText('{{ x }}') }], [{ name: 'w', shape: [4n, 4n] }])],
    model,
  ],
  ['numpy', [npy("'|O'", PAYLOAD), npy("'<f4'", Buffer.alloc(4))], model],
  ['checksums', [Buffer.from(sums)], text((each) => parseManifest(each, 'SHA256SUMS'))],
  ['models.yml', [Buffer.from(yml)], text((each) => parseManifest(each, 'models.yml'))],
  ['signature', [Buffer.from(JSON.stringify(envelope))], text((each) => parseEnvelope(each, 'model.sig'))],
  [
    'statement',
    [Buffer.from(JSON.stringify(statement))],
    text((each) => parseStatement(Buffer.from(each), 'model.sig')),
  ],
];

describe(`no bytes crash, hang or fill the memory (seed ${SEED})`, () => {
  test.each(parsers)('%s', { timeout: TIME + 60_000 }, (name, seeds, parse) => {
    const next = createRandom(SEED);
    const end = Date.now() + TIME;
    for (let round = 0; Date.now() < end; round += 1) {
      const mutant = mutate(seeds[next(seeds.length)] ?? Buffer.alloc(0), seeds, next);
      const started = Date.now();
      try {
        parse(mutant);
      } catch (cause) {
        throw new Error(`${name} crashed on ${mutant.toString('base64')} (seed ${SEED}, round ${round})`, { cause });
      }
      expect(Date.now() - started, `${name}: ${mutant.toString('base64')}`).toBeLessThan(SLOWEST);
    }
    expect(process.memoryUsage().heapUsed).toBeLessThan(1e9);
  });

  // Each file here once did what no bytes may do.
  const corpus = join(import.meta.dirname, 'fixtures/fuzz');
  test.each(readdirSync(corpus).filter((name) => name.endsWith('.b64')))('kept: %s', (name) => {
    model(Buffer.from(readFileSync(join(corpus, name), 'utf8'), 'base64'));
  });
});

/** A linear congruential generator: the same seed gives the same mutants everywhere. */
function createRandom(seed: number): (limit: number) => number {
  let state = seed >>> 0;
  return (limit) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return Math.floor((state / 2 ** 32) * limit);
  };
}

/** Bytes changed, cut, doubled, crossed with another seed, or set to the values at which sizes wrap. */
function mutate(seed: Buffer, seeds: readonly Buffer[], next: (limit: number) => number): Buffer {
  let mutant = Buffer.from(seed);
  for (let count = next(6); count >= 0; count -= 1) {
    const at = next(mutant.length + 1);
    const kind = next(6);
    if (kind === 0) mutant = mutant.subarray(0, at);
    else if (kind === 1) mutant = Buffer.concat([mutant.subarray(0, at), mutant.subarray(next(at + 1))]);
    else if (kind === 2)
      mutant = Buffer.concat([mutant.subarray(0, at), (seeds[next(seeds.length)] ?? seed).subarray(next(64))]);
    else if (kind === 3)
      mutant = Buffer.concat([
        mutant.subarray(0, at),
        Buffer.alloc(next(9), [0, 0x7f, 0x80, 0xff][next(4)]),
        mutant.subarray(at + next(9)),
      ]);
    else if (at < mutant.length) mutant[at] = next(256);
  }
  return mutant.subarray(0, 64 * 1024);
}
