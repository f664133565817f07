import { createHash, generateKeyPairSync, sign } from 'node:crypto';

/** A log of certificates (RFC 6962), as far as a verifier without a network sees one: its promises inside of certificates. */
export interface CertificateLog {
  /** DER. */
  readonly publicKey: Buffer;
  readonly id: Buffer;
  /** The extension's value for a certificate that is the same but for it: a list of one signed timestamp. */
  promise(certificate: Buffer, issuerKey: Buffer): Buffer;
}

export function createCertificateLog(): CertificateLog {
  const keys = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const publicKey = keys.publicKey.export({ type: 'spki', format: 'der' });
  const id = createHash('sha256').update(publicKey).digest();
  return {
    publicKey,
    id,
    promise(certificate, issuerKey) {
      const time = unsigned(BigInt(Date.now()), 8);
      const body = bodyOf(certificate);
      const issuer = createHash('sha256').update(issuerKey).digest();
      const [version, kind, extensions] = [Buffer.from([0]), Buffer.from([0]), Buffer.alloc(2)];
      // Section 3.2: an entry of the type `precert_entry`.
      const entry = [Buffer.from([0, 1]), issuer, unsigned(BigInt(body.length), 3), body, extensions];
      const signature = sign('sha256', Buffer.concat([version, kind, time, ...entry]), keys.privateKey);
      const algorithms = Buffer.from([4, 3]);
      const timestamp = Buffer.concat([version, id, time, extensions, algorithms, behindLength(signature)]);
      return octets(behindLength(behindLength(timestamp)));
    },
  };
}

/** The part of a certificate that is signed: the first element of the outer sequence (RFC 5280, section 4.1). */
function bodyOf(certificate: Buffer): Buffer {
  const start = headerLength(certificate);
  const body = certificate.subarray(start);
  return body.subarray(0, headerLength(body) + contentLength(body));
}

function headerLength(element: Buffer): number {
  const length = element.readUInt8(1);
  return length < 0x80 ? 2 : 2 + (length & 0x7f);
}

function contentLength(element: Buffer): number {
  const length = element.readUInt8(1);
  return length < 0x80 ? length : element.readUIntBE(2, length & 0x7f);
}

function behindLength(bytes: Buffer): Buffer {
  return Buffer.concat([unsigned(BigInt(bytes.length), 2), bytes]);
}

function octets(bytes: Buffer): Buffer {
  const { length } = bytes;
  const header = length < 0x80 ? [4, length] : [4, 0x81, length];
  return Buffer.concat([Buffer.from(header), bytes]);
}

function unsigned(value: bigint, width: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(value);
  return bytes.subarray(8 - width);
}
