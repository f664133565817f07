import {
  createHash,
  createPublicKey,
  createVerify,
  generateKeyPairSync,
  type JsonWebKey,
  type KeyObject,
  sign,
  verify,
  X509Certificate,
} from 'node:crypto';
import { createCertificateAuthority } from './certificate-authority.ts';
import { createCertificateLog } from './certificate-log.ts';
import { type Answer, jsonAnswer, listen, type ReceivedRequest, type Standin } from './listening-server.ts';
import { createMerkleLog } from './merkle-log.ts';
import { startTimestampAuthority } from './timestamp-authority.ts';

export interface SigstoreOptions {
  /** The issuer of the tokens that certificates are given for: a URL under which its keys are published. */
  readonly issuer: string;
  /** Milliseconds that a certificate is good for from now on; ten minutes, as Fulcio's. */
  readonly lifetime?: number;
}

/** Fulcio, its log of certificates, Rekor and a timestamp authority behind one address. They sign; nothing of them is trusted elsewhere. */
export interface Sigstore extends Standin {
  /** A TrustedRoot of sigstore/protobuf-specs, as JSON: all that a verifier without a network needs. */
  readonly trustedRoot: object;
  /** What was entered into the log. */
  readonly entries: readonly string[];
}

const REKOR_NAME = 'rekor.stand-in';

export async function startSigstore({ issuer, lifetime = 600_000 }: SigstoreOptions): Promise<Sigstore> {
  const authority = await createCertificateAuthority('Fulcio');
  const certificateLog = createCertificateLog();
  const timestamps = await startTimestampAuthority(authority);
  const logKey = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const logSpki = logKey.publicKey.export({ type: 'spki', format: 'der' });
  const logId = createHash('sha256').update(logSpki).digest();
  const tree = createMerkleLog();
  const entries: string[] = [];

  async function giveCertificate(request: ReceivedRequest): Promise<Answer> {
    const { credentials, publicKeyRequest }: CertificateRequest = JSON.parse((await request.body()).toString());
    const claims = await verifyToken(credentials.oidcIdentityToken, issuer);
    if (claims === undefined || claims.aud !== 'sigstore')
      return jsonAnswer({ code: 16, message: 'There was an error processing the credentials for this request' }, 401);
    const key = createPublicKey(publicKeyRequest.publicKey.content);
    const proof = Buffer.from(publicKeyRequest.proofOfPossession, 'base64');
    if (!verify('sha256', Buffer.from(claims.sub), key, proof))
      return jsonAnswer({ code: 3, message: 'The signature supplied in the request could not be verified' }, 400);
    const spki = key.export({ type: 'spki', format: 'der' });
    const uri = `https://github.com/${claims.job_workflow_ref}`;
    const certificate = await authority.signWorkflow(spki, { uri, issuer, lifetime }, certificateLog);
    const certificates = [certificate, authority.intermediate, authority.root].map((one) => `${one.toString('pem')}\n`);
    return jsonAnswer({ signedCertificateEmbeddedSct: { chain: { certificates } } });
  }

  async function enter(request: ReceivedRequest): Promise<Answer> {
    const entry: ProposedEntry = JSON.parse((await request.body()).toString());
    const { envelope, verifiers } = entry.spec.proposedContent;
    const content: Envelope = JSON.parse(envelope);
    const [pem = ''] = verifiers;
    const key = new X509Certificate(Buffer.from(pem, 'base64')).publicKey;
    const payload = Buffer.from(content.payload, 'base64');
    const signed = Buffer.concat([
      Buffer.from(`DSSEv1 ${content.payloadType.length} ${content.payloadType} ${payload.length} `),
      payload,
    ]);
    if (!content.signatures.every(({ sig }) => verify('sha256', signed, key, Buffer.from(sig, 'base64'))))
      return jsonAnswer({ code: 400, message: 'verifying signature: invalid signature' }, 400);
    const body = Buffer.from(
      JSON.stringify({
        apiVersion: '0.0.1',
        kind: 'dsse',
        spec: {
          envelopeHash: { algorithm: 'sha256', value: sha256(Buffer.from(envelope)) },
          payloadHash: { algorithm: 'sha256', value: sha256(payload) },
          signatures: content.signatures.map(({ sig }) => ({ signature: sig, verifier: pem })),
        },
      }),
    );
    if (entries.includes(body.toString())) {
      const message = 'an equivalent entry already exists in the transparency log';
      return jsonAnswer({ code: 409, message }, 409);
    }
    entries.push(body.toString());
    return jsonAnswer({ [sha256(body)]: logged(body) }, 201);
  }

  function logged(bytes: Buffer): object {
    const proof = tree.append(bytes);
    // In the order of RFC 8785, over which the promise is signed.
    const promised = {
      body: bytes.toString('base64'),
      integratedTime: Math.floor(Date.now() / 1000),
      logID: logId.toString('hex'),
      logIndex: proof.index,
    };
    return {
      ...promised,
      verification: {
        signedEntryTimestamp: signWith(logKey.privateKey, JSON.stringify(promised)).toString('base64'),
        inclusionProof: {
          checkpoint: checkpoint(proof.treeSize, proof.root),
          hashes: proof.hashes.map((hash) => hash.toString('hex')),
          logIndex: proof.index,
          rootHash: proof.root.toString('hex'),
          treeSize: proof.treeSize,
        },
      },
    };
  }

  /** github.com/transparency-dev/formats, log/README.md. */
  function checkpoint(size: number, root: Buffer): string {
    const note = `${REKOR_NAME}\n${size}\n${root.toString('base64')}\n`;
    const signature = Buffer.concat([logId.subarray(0, 4), signWith(logKey.privateKey, note)]);
    return `${note}\n— ${REKOR_NAME} ${signature.toString('base64')}\n`;
  }

  async function stamp(request: ReceivedRequest): Promise<Answer> {
    const { artifactHash }: { artifactHash: string } = JSON.parse((await request.body()).toString());
    const body = await timestamps.sign(Buffer.from(artifactHash, 'base64'));
    return { status: 201, headers: { 'content-type': 'application/timestamp-reply' }, body };
  }

  const server = await listen((request) => {
    switch (`${request.method} ${request.url.pathname}`) {
      case 'POST /api/v2/signingCert':
        return giveCertificate(request);
      case 'POST /api/v1/log/entries':
        return enter(request);
      case 'POST /api/v1/timestamp':
        return stamp(request);
      default:
        return jsonAnswer({ message: 'Not Found' }, 404);
    }
  });
  const stop = async (): Promise<void> => {
    await server.stop();
    await timestamps[Symbol.asyncDispose]();
  };
  const validFor = { start: new Date(Date.now() - 3_600_000).toISOString() };
  const chain = [authority.intermediate, authority.root].map(({ rawData }) => Buffer.from(rawData).toString('base64'));
  return {
    ...server,
    entries,
    trustedRoot: {
      mediaType: 'application/vnd.dev.sigstore.trustedroot+json;version=0.1',
      tlogs: [
        {
          baseUrl: `https://${REKOR_NAME}`,
          hashAlgorithm: 'SHA2_256',
          publicKey: { rawBytes: logSpki.toString('base64'), keyDetails: 'PKIX_ECDSA_P256_SHA_256', validFor },
          logId: { keyId: logId.toString('base64') },
        },
      ],
      certificateAuthorities: [
        {
          subject: { organization: 'Stand-in', commonName: 'Fulcio' },
          uri: server.url,
          certChain: { certificates: chain.map((rawBytes) => ({ rawBytes })) },
          validFor,
        },
      ],
      ctlogs: [
        {
          baseUrl: 'https://ctlog.stand-in',
          hashAlgorithm: 'SHA2_256',
          publicKey: {
            rawBytes: certificateLog.publicKey.toString('base64'),
            keyDetails: 'PKIX_ECDSA_P256_SHA_256',
            validFor,
          },
          logId: { keyId: certificateLog.id.toString('base64') },
        },
      ],
      timestampAuthorities: [
        {
          subject: { organization: 'Stand-in', commonName: 'Timestamps' },
          uri: server.url,
          certChain: { certificates: timestamps.chain.map((rawBytes) => ({ rawBytes })) },
          validFor,
        },
      ],
    },
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

interface CertificateRequest {
  readonly credentials: { readonly oidcIdentityToken: string };
  readonly publicKeyRequest: { readonly publicKey: { readonly content: string }; readonly proofOfPossession: string };
}

interface ProposedEntry {
  readonly spec: { readonly proposedContent: { readonly envelope: string; readonly verifiers: readonly string[] } };
}

interface Envelope {
  readonly payload: string;
  readonly payloadType: string;
  readonly signatures: readonly { readonly sig: string }[];
}

interface WorkflowClaims {
  readonly iss: string;
  readonly aud: string;
  readonly sub: string;
  readonly exp: number;
  readonly job_workflow_ref: string;
}

/** The claims of a token that the issuer signed and that is still good; undefined for any other. */
async function verifyToken(token: string, issuer: string): Promise<WorkflowClaims | undefined> {
  const [head = '', payload = '', signature = ''] = token.split('.');
  const { keys }: { keys: JsonWebKey[] } = JSON.parse(await (await fetch(`${issuer}/.well-known/jwks`)).text());
  const isSigned = keys.some((jwk) =>
    createVerify('RSA-SHA256')
      .update(`${head}.${payload}`)
      .verify(createPublicKey({ key: jwk, format: 'jwk' }), signature, 'base64url'),
  );
  if (!isSigned) return undefined;
  const claims: WorkflowClaims = JSON.parse(Buffer.from(payload, 'base64url').toString());
  return claims.iss === issuer && claims.exp * 1000 > Date.now() ? claims : undefined;
}

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}

function signWith(key: KeyObject, text: string): Buffer {
  return sign('sha256', Buffer.from(text), key);
}
