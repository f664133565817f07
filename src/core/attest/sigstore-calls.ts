import type { KeyObject } from 'node:crypto';
import { type Answer, request } from '../net/request.ts';
import { fieldOf } from '../runner/event.ts';
import type { Log } from '../runner/log.ts';

/** Certificates and log entries are some kilobytes; a provenance of thousands of subjects is not signed here. */
const MAX_ANSWER = 8 * 1024 * 1024;
const JSON_HEADERS = { 'content-type': 'application/json', accept: 'application/json' };

/**
 * A certificate for a key, in PEM, that names the identity of the token. `proof` is the token's subject, signed with the
 * key. Source: sigstore/fulcio, fulcio.proto, `POST /api/v2/signingCert`.
 */
export async function requestCertificate(options: {
  readonly fulcio: string;
  readonly token: string;
  readonly publicKey: KeyObject;
  readonly proof: Buffer;
  readonly log: Log;
}): Promise<string> {
  const { publicKey, proof } = options;
  const answer = await request({
    url: `${options.fulcio}/api/v2/signingCert`,
    method: 'POST',
    headers: JSON_HEADERS,
    body: JSON.stringify({
      credentials: { oidcIdentityToken: options.token },
      publicKeyRequest: {
        publicKey: { algorithm: 'ECDSA', content: publicKey.export({ type: 'spki', format: 'pem' }) },
        proofOfPossession: proof.toString('base64'),
      },
    }),
    maxBytes: MAX_ANSWER,
    log: options.log,
  });
  const body = readJson(answer, 'Fulcio', [200, 201]);
  for (const kind of ['signedCertificateEmbeddedSct', 'signedCertificateDetachedSct']) {
    const chain = fieldOf(body, kind, 'chain', 'certificates');
    const leaf: unknown = Array.isArray(chain) ? chain[0] : undefined;
    if (typeof leaf === 'string') return leaf;
  }
  throw new Error('Fulcio answered without a certificate');
}

/**
 * Enters an envelope into the transparency log; the entry as a bundle holds it. Source: sigstore/rekor, openapi.yaml,
 * `POST /api/v1/log/entries`, type `dsse` 0.0.1. An entry that is there already (409) is read.
 */
export async function logEntry(options: {
  readonly rekor: string;
  readonly envelope: object;
  /** PEM. */
  readonly certificate: string;
  readonly log: Log;
}): Promise<object> {
  const { rekor, log } = options;
  const proposedContent = {
    envelope: JSON.stringify(options.envelope),
    verifiers: [Buffer.from(options.certificate).toString('base64')],
  };
  const created = await request({
    url: `${rekor}/api/v1/log/entries`,
    method: 'POST',
    headers: JSON_HEADERS,
    body: JSON.stringify({ apiVersion: '0.0.1', kind: 'dsse', spec: { proposedContent } }),
    maxBytes: MAX_ANSWER,
    log,
  });
  const existing = created.status === 409 ? URL.parse(created.headers['location'] ?? '', `${rekor}/`) : null;
  const isOwn = existing !== null && existing.origin === new URL(rekor).origin;
  const answer = isOwn ? await request({ url: existing, headers: JSON_HEADERS, maxBytes: MAX_ANSWER, log }) : created;
  const body = readJson(answer, 'Rekor', [200, 201]);
  const [entry] = typeof body === 'object' && body !== null ? Object.values(body) : [];
  return toTransparencyLogEntry(entry);
}

/** sigstore/protobuf-specs, sigstore_rekor.proto, `TransparencyLogEntry`: hashes in base64, 64-bit numbers as texts. */
function toTransparencyLogEntry(entry: unknown): object {
  const text = (...path: readonly string[]): string => {
    const value = fieldOf(entry, ...path);
    if (typeof value === 'string' || typeof value === 'number') return String(value);
    throw new Error(`Rekor answered with an entry that has no "${path.join('.')}"`);
  };
  const fromHex = (hex: string): string => Buffer.from(hex, 'hex').toString('base64');
  const hashes = fieldOf(entry, 'verification', 'inclusionProof', 'hashes');
  return {
    logIndex: text('logIndex'),
    logId: { keyId: fromHex(text('logID')) },
    kindVersion: { kind: 'dsse', version: '0.0.1' },
    integratedTime: text('integratedTime'),
    inclusionPromise: { signedEntryTimestamp: text('verification', 'signedEntryTimestamp') },
    inclusionProof: {
      logIndex: text('verification', 'inclusionProof', 'logIndex'),
      rootHash: fromHex(text('verification', 'inclusionProof', 'rootHash')),
      treeSize: text('verification', 'inclusionProof', 'treeSize'),
      hashes: Array.isArray(hashes) ? hashes.map((hash: unknown) => fromHex(String(hash))) : [],
      checkpoint: { envelope: text('verification', 'inclusionProof', 'checkpoint') },
    },
    canonicalizedBody: text('body'),
  };
}

/**
 * A signed timestamp (RFC 3161) over a signature's SHA-256, which is given in base64; itself in base64.
 * Source: sigstore/timestamp-authority, openapi.yaml, `POST /api/v1/timestamp`.
 */
export async function requestTimestamp(options: {
  readonly tsa: string;
  readonly hash: string;
  readonly log: Log;
}): Promise<string> {
  const answer = await request({
    url: `${options.tsa}/api/v1/timestamp`,
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ artifactHash: options.hash, hashAlgorithm: 'sha256' }),
    maxBytes: MAX_ANSWER,
    log: options.log,
  });
  if (answer.status !== 200 && answer.status !== 201) throw refused(answer, 'The timestamp authority');
  return answer.body.toString('base64');
}

function readJson(answer: Answer, who: string, accepted: readonly number[]): unknown {
  if (!accepted.includes(answer.status)) throw refused(answer, who);
  try {
    return JSON.parse(answer.body.toString('utf8'));
  } catch (cause) {
    throw new Error(`${who} did not answer with JSON`, { cause });
  }
}

function refused(answer: Answer, who: string): Error {
  const said = answer.body.toString('utf8').replace(/\s+/g, ' ').slice(0, 300);
  return new Error(`${who} answered ${answer.status}${said === '' ? '' : `: ${said}`}`);
}
