import { webcrypto } from 'node:crypto';
import {
  BasicConstraintsExtension,
  ExtendedKeyUsageExtension,
  Extension,
  KeyUsageFlags,
  KeyUsagesExtension,
  SubjectAlternativeNameExtension,
  type X509Certificate,
  X509CertificateGenerator,
} from '@peculiar/x509';

const P256 = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const CODE_SIGNING = '1.3.6.1.5.5.7.3.3';
const TIME_STAMPING = '1.3.6.1.5.5.7.3.8';
/** github.com/sigstore/fulcio, docs/oid-info.md: the token's issuer, as a DER UTF8String. */
const ISSUER = '1.3.6.1.4.1.57264.1.8';
const DAY = 86_400_000;

export interface CertificateAuthority {
  readonly root: X509Certificate;
  /** A certificate of ten minutes for a workflow's key (SPKI, DER), as Fulcio gives one. */
  signWorkflow(
    publicKey: Buffer,
    identity: { readonly uri: string; readonly issuer: string },
  ): Promise<X509Certificate>;
  /** A certificate for time stamps, with its key in PEM. */
  signTimestamper(): Promise<{ readonly certificate: X509Certificate; readonly key: string }>;
}

/** An authority of one root, made anew: nobody trusts it who is not told to. */
export async function createCertificateAuthority(name: string): Promise<CertificateAuthority> {
  const keys = await webcrypto.subtle.generateKey(P256, true, ['sign', 'verify']);
  const issuer = `CN=${name}, O=Stand-in`;
  const root = await X509CertificateGenerator.createSelfSigned({
    name: issuer,
    keys,
    signingAlgorithm: P256,
    notBefore: new Date(Date.now() - DAY),
    notAfter: new Date(Date.now() + DAY),
    extensions: [
      new BasicConstraintsExtension(true, 1, true),
      new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
    ],
  });
  const signed = (publicKey: webcrypto.CryptoKey, subject: string, lifetime: number, extensions: Extension[]) =>
    X509CertificateGenerator.create({
      subject,
      issuer,
      publicKey,
      signingKey: keys.privateKey,
      signingAlgorithm: P256,
      notBefore: new Date(Date.now() - 60_000),
      notAfter: new Date(Date.now() + lifetime),
      extensions: [new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true), ...extensions],
    });
  return {
    root,
    async signWorkflow(publicKey, { uri, issuer: tokenIssuer }) {
      const key = await webcrypto.subtle.importKey('spki', publicKey, P256, true, ['verify']);
      return signed(key, '', 600_000, [
        new ExtendedKeyUsageExtension([CODE_SIGNING]),
        new SubjectAlternativeNameExtension([{ type: 'url', value: uri }], true),
        new Extension(ISSUER, false, utf8String(tokenIssuer)),
      ]);
    },
    async signTimestamper() {
      const own = await webcrypto.subtle.generateKey(P256, true, ['sign', 'verify']);
      const certificate = await signed(own.publicKey, 'CN=Timestamps, O=Stand-in', DAY, [
        new ExtendedKeyUsageExtension([TIME_STAMPING], true),
      ]);
      const pkcs8 = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', own.privateKey)).toString('base64');
      return { certificate, key: `-----BEGIN PRIVATE KEY-----\n${pkcs8}\n-----END PRIVATE KEY-----\n` };
    },
  };
}

/** ITU-T X.690, 8.23: one length byte is enough for an issuer's address. */
function utf8String(text: string): Buffer {
  const bytes = Buffer.from(text);
  return Buffer.concat([Buffer.from([0x0c, bytes.length]), bytes]);
}
