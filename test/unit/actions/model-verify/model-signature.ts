import { createHash, createSign, type KeyObject } from 'node:crypto';
import { safetensors } from '../../core/models/generators/tensors.ts';

export const MODEL = safetensors({ w: { dtype: 'U8', shape: [16], data_offsets: [0, 16] } }, 16);
export const README = Buffer.from('# A model\n');
/** A folder of a model and a file beside it. */
export const FILES = { 'm/a.safetensors': MODEL, 'm/README.md': README };

export const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

export const resource = (name: string, bytes: Buffer, hash = 'sha256') => ({
  name,
  digest: createHash(hash === 'blake2b' ? 'blake2b512' : hash)
    .update(bytes)
    .digest('hex'),
  algorithm: hash,
});

export type Resources = readonly ReturnType<typeof resource>[];
export const BOTH: Resources = [resource('README.md', README), resource('a.safetensors', MODEL)];

/** The statement that signers make of these resources. */
export function statement(resources: Resources, serialization: object = {}, more: object = {}): object {
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
export function sign(content: object, key: KeyObject, hash: string, material: object): string {
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
