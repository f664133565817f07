import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { generate } from 'selfsigned';

export interface SigningKey {
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
  /** Self-signed, DER in base64, as `x5c` of a JSON Web Key holds it (RFC 7517, section 4.7). */
  readonly certificate: string;
}

const DAY = 86_400_000;

/** A new RSA key and a certificate of it for two days: gateways that verify JWTs through `x5c` accept no bare key. */
export async function generateSigningKey(commonName: string): Promise<SigningKey> {
  const pems = await generate([{ name: 'commonName', value: commonName }], {
    keySize: 2048,
    algorithm: 'sha256',
    notBeforeDate: new Date(Date.now() - DAY),
    notAfterDate: new Date(Date.now() + DAY),
  });
  const certificate = new X509Certificate(pems.cert);
  return {
    privateKey: createPrivateKey(pems.private),
    publicKey: certificate.publicKey,
    certificate: certificate.raw.toString('base64'),
  };
}
