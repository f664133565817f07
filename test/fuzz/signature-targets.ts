import { parseEnvelope } from '../../src/core/models/signing/envelope.ts';
import { parseStatement } from '../../src/core/models/signing/statement.ts';
import { verifyWithIdentity } from '../../src/core/models/signing/verify-identity.ts';
import { refusing } from './answers.ts';
import type { FuzzTarget } from './fuzz-run.ts';
import { mutateJson } from './mutate-text.ts';

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

/** Every parser of signatures and of what they are traced to. */
export const signatureTargets: Readonly<Record<string, FuzzTarget>> = {
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
};
