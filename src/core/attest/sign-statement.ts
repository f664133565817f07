import { createHash, generateKeyPairSync, type KeyObject, sign, X509Certificate } from 'node:crypto';
import type { Log } from '../runner/log.ts';
import type { JobClaims } from './provenance.ts';
import { logEntry, requestCertificate, requestTimestamp } from './sigstore-calls.ts';
import type { SigstoreInstance } from './sigstore-instance.ts';

export const BUNDLE_TYPE = 'application/vnd.dev.sigstore.bundle.v0.3+json';
const PAYLOAD_TYPE = 'application/vnd.in-toto+json';

/** A Sigstore bundle, version 0.3, as JSON: all that a verifier needs beside its trust root. */
export type SigstoreBundle = Readonly<Record<string, unknown>>;

/**
 * Signs an in-toto statement without a key of one's own: a key made for this one signature, a certificate of ten minutes
 * from Fulcio that names the workflow, and the proof from Rekor or a timestamp authority that it was valid then.
 *
 * A client of our own for three calls: `@sigstore/sign` bundles to 968 kB minified, a quarter of what all actions may weigh
 * together, most of it a second HTTP client. What it makes is verified in the tests by `@sigstore/verify`.
 * Sources: secure-systems-lab/dsse, protocol.md; sigstore/protobuf-specs, sigstore_bundle.proto. Throws Error when a
 * service refuses.
 */
export async function signStatement(options: {
  readonly statement: object;
  readonly instance: SigstoreInstance;
  /** The job's identity token, made for the audience `sigstore`. */
  readonly token: string;
  readonly claims: Pick<JobClaims, 'subject'>;
  readonly log: Log;
}): Promise<SigstoreBundle> {
  const { instance, token, claims, log } = options;
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const proof = signWith(privateKey, Buffer.from(claims.subject));
  const certificate = await requestCertificate({ fulcio: instance.fulcio, token, publicKey, proof, log });

  const payload = Buffer.from(JSON.stringify(options.statement));
  const signature = signWith(privateKey, preAuthEncoding(PAYLOAD_TYPE, payload));
  const envelope = {
    payload: payload.toString('base64'),
    payloadType: PAYLOAD_TYPE,
    signatures: [{ sig: signature.toString('base64') }],
  };
  const entries =
    instance.rekor === undefined ? [] : [await logEntry({ rekor: instance.rekor, envelope, certificate, log })];
  const hash = createHash('sha256').update(signature).digest('base64');
  const timestamps = instance.tsa === undefined ? [] : [await requestTimestamp({ tsa: instance.tsa, hash, log })];
  return {
    mediaType: BUNDLE_TYPE,
    verificationMaterial: {
      certificate: { rawBytes: new X509Certificate(certificate).raw.toString('base64') },
      tlogEntries: entries,
      timestampVerificationData: { rfc3161Timestamps: timestamps.map((signedTimestamp) => ({ signedTimestamp })) },
    },
    dsseEnvelope: envelope,
  };
}

/** What is signed of an envelope: its type and payload with their lengths, so that neither can pass for a part of the other. */
function preAuthEncoding(type: string, payload: Buffer): Buffer {
  return Buffer.concat([Buffer.from(`DSSEv1 ${Buffer.byteLength(type)} ${type} ${payload.length} `, 'utf8'), payload]);
}

function signWith(key: KeyObject, data: Buffer): Buffer {
  return sign('sha256', data, key);
}
