import { generateKeyPairSync } from 'node:crypto';
import { symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { BOTH, FILES, MODEL, README, resource, sha256, sign, statement } from './model-signature.ts';
import { createWorkspace } from './verify-step.ts';

const CURVES = { 'P-256': 'sha256', 'P-384': 'sha384', 'P-521': 'sha512' } as const;

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
      statement([resource('README.md', README, 'blake2b'), resource('a.safetensors', MODEL, 'blake2b')], {
        hash_type: 'blake2b',
      }),
    ],
    [
      'shards',
      statement(
        [
          resource('README.md:0:10', README),
          resource(`a.safetensors:0:50`, MODEL.subarray(0, 50)),
          resource(`a.safetensors:50:${MODEL.length}`, MODEL.subarray(50)),
        ],
        { method: 'shards', shard_size: 50 },
      ),
    ],
    ['a file left out by the signer', statement([resource('a.safetensors', MODEL)], { ignore_paths: ['README.md'] })],
  ])('may use %s', async (_, content) => {
    using step = createWorkspace({ ...FILES, 'm/model.sig': withKey(content), 'key.pem': PEM });
    expect((await step.verify(inputs)).failure).toBeUndefined();
  });

  test.each([
    ['a changed model', { 'm/a.safetensors': Buffer.concat([MODEL.subarray(0, -1), Buffer.from('x')]) }],
    ['a model that is not signed', { 'm/model.sig': withKey(statement([resource('README.md', README)])) }],
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
      { 'm/model.sig': withKey(statement([...BOTH, resource('z.bin', README)])) },
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
    ['a file twice', { 'm/model.sig': withKey(statement([...BOTH, resource('a.safetensors', MODEL)])) }, /there twice/],
    [
      'a path out of the folder',
      { 'm/model.sig': withKey(statement([resource('../a', MODEL)])) },
      /outside of its folder/,
    ],
    ['an absolute path', { 'm/model.sig': withKey(statement([resource('/etc/a', MODEL)])) }, /outside of its folder/],
    [
      'a statement of another type',
      { 'm/model.sig': withKey(statement(BOTH, {}, { _type: 'https://in-toto.io/Statement/v0.1' })) },
      /it is of the type "https:\/\/in-toto\.io\/Statement\/v0\.1"/,
    ],
    [
      'no word on how files were hashed',
      { 'm/model.sig': withKey(statement(BOTH, {}, { predicate: { resources: BOTH } })) },
      /does not say how files were hashed/,
    ],
    ['another method', { 'm/model.sig': withKey(statement(BOTH, { method: 'tree' })) }, /by the method "tree"/],
    [
      'a second content',
      {
        'm/model.sig': JSON.stringify({
          ...JSON.parse(withKey(statement(BOTH))),
          messageSignature: { signature: 'AA==' },
        }),
      },
      /holds two contents/,
    ],
    [
      'an algorithm that is not the stated one',
      { 'm/model.sig': withKey(statement([{ ...resource('a.safetensors', MODEL), algorithm: 'md5' }])) },
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
      'm/model.sig': withKey(statement([...BOTH, resource('z', README)])),
      'key.pem': PEM,
    });
    symlinkSync('README.md', join(step.workspace, 'm/z'));
    await expect(step.verify(inputs)).rejects.toThrow('symbolic link');
  });

  test('of shards that leave out a part fails', async () => {
    const content = statement(
      [resource('README.md:0:10', README), resource('a.safetensors:0:50', MODEL.subarray(0, 50))],
      {
        method: 'shards',
        shard_size: 50,
      },
    );
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
