import { createHash, createSign, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { generate } from 'selfsigned';
import { describe, expect, test } from 'vitest';
import { safetensors } from '../../core/models/generators/tensors.ts';
import { createWorkspace } from './verify-step.ts';

const A = safetensors({ w: { dtype: 'U8', shape: [16], data_offsets: [0, 16] } }, 16);
const B = Buffer.from('# A model\n');
const FILES = { 'm/a.safetensors': A, 'm/README.md': B };
const CURVES = { 'P-256': 'sha256', 'P-384': 'sha384', 'P-521': 'sha512' } as const;

const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');
const resource = (name: string, bytes: Buffer, hash = 'sha256') => ({
  name,
  digest: createHash(hash === 'blake2b' ? 'blake2b512' : hash)
    .update(bytes)
    .digest('hex'),
  algorithm: hash,
});

type Resources = readonly ReturnType<typeof resource>[];
const BOTH: Resources = [resource('README.md', B), resource('a.safetensors', A)];

/** The statement that signers make of these resources. */
function statement(resources: Resources, serialization: object = {}, more: object = {}): object {
  const root = sha256(Buffer.concat(resources.map(({ digest }) => Buffer.from(digest, 'hex'))));
  return {
    _type: 'https://in-toto.io/Statement/v1',
    subject: [{ name: 'm', digest: { sha256: root } }],
    predicateType: 'https://model_signing/signature/v1.0',
    predicate: {
      resources,
      serialization: {
        method: 'files',
        hash_type: 'sha256',
        allow_symlinks: false,
        ignore_paths: [],
        ...serialization,
      },
    },
    ...more,
  };
}

/** A bundle with a signature over the statement. */
function sign(content: object, key: KeyObject, hash: string, material: object): string {
  const payload = Buffer.from(JSON.stringify(content));
  const payloadType = 'application/vnd.in-toto+json';
  const signed = Buffer.concat([
    Buffer.from(`DSSEv1 ${payloadType.length} ${payloadType} ${payload.length} `),
    payload,
  ]);
  const signature = createSign(hash).update(signed).sign(key).toString('base64');
  return JSON.stringify({
    mediaType: 'application/vnd.dev.sigstore.bundle.v0.3+json',
    verificationMaterial: { ...material, tlogEntries: [] },
    dsseEnvelope: { payload: payload.toString('base64'), payloadType, signatures: [{ sig: signature, keyid: null }] },
  });
}

const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const PEM = publicKey.export({ type: 'spki', format: 'pem' }).toString();
const withKey = (content: object): string =>
  sign(content, privateKey, 'sha256', { publicKey: { hint: sha256(Buffer.from(PEM)) } });
const inputs = { models: 'm/a.safetensors', signature: 'm/model.sig', 'public-key': 'key.pem', require: 'signature' };

describe('a signature by a key', () => {
  test.each(Object.entries(CURVES))('of %s verifies every file of its folder', async (namedCurve, hash) => {
    const pair = generateKeyPairSync('ec', { namedCurve });
    const pem = pair.publicKey.export({ type: 'spki', format: 'pem' }).toString();
    const signature = sign(statement(BOTH), pair.privateKey, hash, { publicKey: {} });
    using step = createWorkspace({ ...FILES, 'm/.gitignore': 'x', 'm/model.sig': signature, 'key.pem': pem });
    expect((await step.verify(inputs)).failure).toBeUndefined();
  });

  test.each([
    [
      'blake2b',
      statement([resource('README.md', B, 'blake2b'), resource('a.safetensors', A, 'blake2b')], {
        hash_type: 'blake2b',
      }),
    ],
    [
      'shards',
      statement(
        [
          resource('README.md:0:10', B),
          resource(`a.safetensors:0:50`, A.subarray(0, 50)),
          resource(`a.safetensors:50:${A.length}`, A.subarray(50)),
        ],
        { method: 'shards', shard_size: 50 },
      ),
    ],
    ['a file left out by the signer', statement([resource('a.safetensors', A)], { ignore_paths: ['README.md'] })],
  ])('may use %s', async (_, content) => {
    using step = createWorkspace({ ...FILES, 'm/model.sig': withKey(content), 'key.pem': PEM });
    expect((await step.verify(inputs)).failure).toBeUndefined();
  });

  test.each([
    ['a changed model', { 'm/a.safetensors': Buffer.concat([A.subarray(0, -1), Buffer.from('x')]) }],
    ['a model that is not signed', { 'm/model.sig': withKey(statement([resource('README.md', B)])) }],
  ])('fails for %s', async (_, files) => {
    using step = createWorkspace({ ...FILES, 'm/model.sig': withKey(statement(BOTH)), 'key.pem': PEM, ...files });
    const { outputs, failure } = await step.verify(inputs);
    expect(failure).toBeDefined();
    expect(outputs.manifest).toMatchObject([
      { findings: expect.arrayContaining([expect.objectContaining({ rule: 'signature' })]) },
    ]);
  });

  const other = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const twice = { ...statement(BOTH), subject: [{ digest: {} }, { digest: {} }] };
  test.each([
    ['a file besides the models that changed', { 'm/README.md': 'other' }, /README\.md": its sha256 is/],
    [
      'a file besides the models that was added',
      { 'm/deep/new.py': 'x' },
      /new\.py": it stands in the signed folder, but is not signed/,
    ],
    [
      'a signed file that is not there',
      { 'm/model.sig': withKey(statement([...BOTH, resource('z.bin', B)])) },
      /z\.bin": it is signed, but is not there/,
    ],
    [
      'another key',
      { 'key.pem': other.publicKey.export({ type: 'spki', format: 'pem' }).toString() },
      /signed by another key/,
    ],
    [
      'another key without a hint',
      { 'm/model.sig': sign(statement(BOTH), other.privateKey, 'sha256', { publicKey: {} }) },
      /signature in .* is wrong/,
    ],
    [
      'a key inside of the bundle',
      {
        'm/model.sig': sign(statement(BOTH), other.privateKey, 'sha256', {
          publicKey: { rawBytes: other.publicKey.export({ type: 'spki', format: 'der' }).toString('base64') },
        }),
      },
      /is wrong/,
    ],
    [
      'another predicate',
      { 'm/model.sig': withKey(statement(BOTH, {}, { predicateType: 'https://slsa.dev/provenance/v1' })) },
      /it states "https:\/\/slsa/,
    ],
    [
      'a root digest of other files',
      { 'm/model.sig': withKey(statement(BOTH, {}, { subject: [{ digest: { sha256: '0'.repeat(64) } }] })) },
      /subject's digest is not that of its files/,
    ],
    ['two subjects', { 'm/model.sig': withKey(twice) }, /one subject/],
    ['files that are not sorted', { 'm/model.sig': withKey(statement([...BOTH].reverse())) }, /not sorted/],
    ['a file twice', { 'm/model.sig': withKey(statement([...BOTH, resource('a.safetensors', A)])) }, /there twice/],
    ['a path out of the folder', { 'm/model.sig': withKey(statement([resource('../a', A)])) }, /outside of its folder/],
    [
      'an algorithm that is not the stated one',
      { 'm/model.sig': withKey(statement([{ ...resource('a.safetensors', A), algorithm: 'md5' }])) },
      /is "md5", not sha256/,
    ],
    [
      'digests that are not read',
      { 'm/model.sig': withKey(statement(BOTH, { hash_type: 'blake3' })) },
      /"blake3"; sha256 and blake2b are read/,
    ],
    ['no files', { 'm/model.sig': withKey(statement([])) }, /lists no files/],
    ['no JSON', { 'm/model.sig': 'x' }, /it is no JSON/],
    [
      'an envelope of another type',
      { 'm/model.sig': withKey(statement(BOTH)).replace('vnd.in-toto', 'vnd.other') },
      /no in-toto statement/,
    ],
    [
      'a payload that was changed',
      { 'm/model.sig': withKey(statement(BOTH)).replace(/"payload":"./, '"payload":"f') },
      /is wrong/,
    ],
  ])('is refused for %s', async (_, files, error) => {
    using step = createWorkspace({ ...FILES, 'm/model.sig': withKey(statement(BOTH)), 'key.pem': PEM, ...files });
    await expect(step.verify(inputs)).rejects.toThrow(error);
  });

  test('does not follow a symbolic link', async () => {
    using step = createWorkspace({
      ...FILES,
      'm/model.sig': withKey(statement([...BOTH, resource('z', B)])),
      'key.pem': PEM,
    });
    symlinkSync('README.md', join(step.workspace, 'm/z'));
    await expect(step.verify(inputs)).rejects.toThrow('symbolic link');
  });

  test('of shards that leave out a part fails', async () => {
    const content = statement([resource('README.md:0:10', B), resource('a.safetensors:0:50', A.subarray(0, 50))], {
      method: 'shards',
      shard_size: 50,
    });
    using step = createWorkspace({ ...FILES, 'm/model.sig': withKey(content), 'key.pem': PEM });
    expect((await step.verify(inputs)).failure).toBeDefined();
  });

  test('needs to know whose', async () => {
    using step = createWorkspace({ ...FILES, 'm/model.sig': withKey(statement(BOTH)) });
    await expect(step.verify({ models: inputs.models, signature: inputs.signature })).rejects.toThrow(
      'who must have signed',
    );
    await expect(step.verify({ models: inputs.models, signature: inputs.signature, identity: 'a' })).rejects.toThrow(
      'go together',
    );
  });
});

describe('a signature by a certificate', async () => {
  const certificate = await generate([{ name: 'commonName', value: 'signer' }], {
    algorithm: 'sha256',
    keyType: 'ec',
    curve: 'P-256',
    extensions: [
      { name: 'basicConstraints', cA: true },
      { name: 'keyUsage', digitalSignature: true, keyCertSign: true },
    ],
  });
  const { createPrivateKey, X509Certificate } = await import('node:crypto');
  const der = new X509Certificate(certificate.cert).raw.toString('base64');
  const signature = sign(statement(BOTH), createPrivateKey(certificate.private), 'sha256', {
    x509CertificateChain: { certificates: [{ rawBytes: der }] },
  });
  const given = { models: 'm/a.safetensors', signature: 'm/model.sig', 'trusted-root': 'root.pem' };

  test('verifies against its root, and against no other', async () => {
    using step = createWorkspace({ ...FILES, 'm/model.sig': signature, 'root.pem': certificate.cert });
    expect((await step.verify(given)).failure).toBeUndefined();
    const stranger = await generate([{ name: 'commonName', value: 'signer' }], {
      algorithm: 'sha256',
      keyType: 'ec',
      curve: 'P-256',
    });
    step.write('root.pem', stranger.cert);
    await expect(step.verify(given)).rejects.toThrow('leads to none of "trusted-root"');
    step.write('root.pem', 'x');
    await expect(step.verify(given)).rejects.toThrow('no certificate in PEM');
  });

  test('is none by an identity: the log has no entry of it', async () => {
    using step = createWorkspace({ ...FILES, 'm/model.sig': signature });
    const identity = { identity: 'a@example.com', issuer: 'https://accounts.example.com' };
    await expect(step.verify({ models: given.models, signature: given.signature, ...identity })).rejects.toThrow(
      'is not verified',
    );
  });
});
