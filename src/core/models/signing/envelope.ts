import { ConfigurationError } from '../../runner/errors.ts';
import { isRecord } from '../../runner/event.ts';

/** A Sigstore bundle with a DSSE envelope, as far as all ways to sign share it. */
export interface SignedEnvelope {
  /** The whole bundle, for the Sigstore client. */
  readonly bundle: unknown;
  readonly payloadType: string;
  readonly payload: Buffer;
  readonly signatures: readonly Buffer[];
  /** By what the bundle holds (OpenSSF Model Signing 1.0, section 4.1): a key, a chain of certificates, or one certificate. */
  readonly method: 'key' | 'certificate' | 'sigstore';
  /** What a bundle signed with a key says of it: the SHA-256 of its PEM, or the key itself. */
  readonly keyHint: string | undefined;
  readonly rawKey: Buffer | undefined;
  /** The certificates in DER, leaf first. */
  readonly certificates: readonly Buffer[];
}

const BUNDLE = /^application\/vnd\.dev\.sigstore\.bundle(?:\.v0\.[1-9]\d*\+json|\+json;version=0\.[1-9]\d*)$/;
const PAYLOAD_TYPE = 'application/vnd.in-toto+json';

/**
 * Reads a model signature: a Sigstore bundle around a DSSE envelope. Nothing is verified yet.
 * Throws ConfigurationError for every other JSON. Source: OpenSSF Model Signing 1.0; sigstore_bundle.proto.
 */
export function parseEnvelope(text: string, file: string): SignedEnvelope {
  const refuse = (why: string): never => {
    throw new ConfigurationError(`"${file}" is no model signature: ${why}`, { file });
  };
  const bundle = parseJson(text, refuse);
  const material = field(bundle, 'verificationMaterial');
  const envelope = field(bundle, 'dsseEnvelope');
  if (!BUNDLE.test(String(field(bundle, 'mediaType')))) refuse('it is no Sigstore bundle');
  if (!isRecord(material) || !isRecord(envelope)) return refuse('it holds no signed statement');
  // A client would verify the other content, and the statement would pass with it.
  if (field(bundle, 'messageSignature') !== undefined) refuse('it holds two contents, and one of them is a file');
  const payloadType = String(envelope['payloadType']);
  if (payloadType !== PAYLOAD_TYPE) refuse(`it signs ${JSON.stringify(payloadType)}, no in-toto statement`);
  const { signatures } = envelope as { signatures?: unknown };
  if (!Array.isArray(signatures) || signatures.length === 0) return refuse('it holds no signature');
  const certificates = certificatesOf(material, refuse);
  const payload = base64(envelope['payload'], refuse);
  const key = material['publicKey'];
  if (certificates.length === 0 && !isRecord(key)) return refuse('it names neither a key nor a certificate');
  return {
    bundle,
    payloadType,
    payload,
    signatures: signatures.slice(0, 16).map((each: unknown) => base64(field(each, 'sig'), refuse)),
    method: certificates.length === 0 ? 'key' : isRecord(material['certificate']) ? 'sigstore' : 'certificate',
    keyHint: isRecord(key) && typeof key['hint'] === 'string' && key['hint'] !== '' ? key['hint'] : undefined,
    rawKey: isRecord(key) && typeof key['rawBytes'] === 'string' ? base64(key['rawBytes'], refuse) : undefined,
    certificates,
  };
}

/** The bytes that a DSSE signature covers (DSSE 1.0, "Pre-Authentication Encoding"). */
export function preAuthenticationEncoding({ payloadType, payload }: SignedEnvelope): Buffer {
  return Buffer.concat([
    Buffer.from(`DSSEv1 ${Buffer.byteLength(payloadType)} ${payloadType} ${payload.length} `),
    payload,
  ]);
}

type Refuse = (why: string) => never;

function certificatesOf(material: Readonly<Record<string, unknown>>, refuse: Refuse): readonly Buffer[] {
  const single = field(material['certificate'], 'rawBytes');
  if (single !== undefined) return [base64(single, refuse)];
  const chain = field(material['x509CertificateChain'], 'certificates');
  if (!Array.isArray(chain)) return [];
  return chain.slice(0, 16).map((each: unknown) => base64(field(each, 'rawBytes'), refuse));
}

function field(value: unknown, name: string): unknown {
  return isRecord(value) && Object.hasOwn(value, name) ? value[name] : undefined;
}

function base64(value: unknown, refuse: Refuse): Buffer {
  if (typeof value !== 'string' || !/^[A-Za-z0-9+/_-]*={0,2}$/.test(value)) return refuse('a part of it is no base64');
  return Buffer.from(value, 'base64');
}

function parseJson(text: string, refuse: Refuse): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    if (cause instanceof SyntaxError) return refuse('it is no JSON');
    throw cause;
  }
}
