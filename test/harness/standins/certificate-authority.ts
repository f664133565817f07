import { randomBytes, webcrypto } from 'node:crypto';
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
import type { CertificateLog } from './certificate-log.ts';

const P256 = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const CODE_SIGNING = '1.3.6.1.5.5.7.3.3';
const TIME_STAMPING = '1.3.6.1.5.5.7.3.8';
/** github.com/sigstore/fulcio, docs/oid-info.md: the token's issuer, as a DER UTF8String. */
const ISSUER = '1.3.6.1.4.1.57264.1.8';
/** RFC 6962, section 3.3: the promises of certificate logs. */
const SIGNED_TIMESTAMPS = '1.3.6.1.4.1.11129.2.4.2';
const DAY = 86_400_000;

export interface WorkflowIdentity {
  readonly uri: string;
  /** Who issued the token. */
  readonly issuer: string;
  /** Milliseconds from now at which the certificate ends. */
  readonly lifetime: number;
}

export interface CertificateAuthority {
  readonly root: X509Certificate;
  /** Between the root and the workflows' certificates. */
  readonly intermediate: X509Certificate;
  /** A certificate for a workflow's key (SPKI, DER), as Fulcio gives one, with the promise of a log. */
  signWorkflow(publicKey: Buffer, identity: WorkflowIdentity, log: CertificateLog): Promise<X509Certificate>;
  /** A certificate for time stamps, with its key in PEM. */
  signTimestamper(): Promise<{ readonly certificate: X509Certificate; readonly key: string }>;
}

/** An authority of a root and an intermediate, made anew: nobody trusts it who is not told to. */
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
  const between = await webcrypto.subtle.generateKey(P256, true, ['sign', 'verify']);
  const intermediateName = `CN=${name} intermediate, O=Stand-in`;
  const intermediate = await X509CertificateGenerator.create({
    subject: intermediateName,
    issuer,
    publicKey: between.publicKey,
    signingKey: keys.privateKey,
    signingAlgorithm: P256,
    notBefore: new Date(Date.now() - DAY),
    notAfter: new Date(Date.now() + DAY),
    extensions: [
      new BasicConstraintsExtension(true, 0, true),
      new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
      new ExtendedKeyUsageExtension([CODE_SIGNING]),
    ],
  });
  return {
    root,
    intermediate,
    async signWorkflow(publicKey, { uri, issuer: tokenIssuer, lifetime }, log) {
      const end = Date.now() + lifetime;
      const body = {
        serialNumber: randomBytes(15).toString('hex'),
        subject: '',
        issuer: intermediateName,
        publicKey: await webcrypto.subtle.importKey('spki', publicKey, P256, true, ['verify']),
        signingKey: between.privateKey,
        signingAlgorithm: P256,
        notBefore: new Date(Math.min(Date.now(), end) - 60_000),
        notAfter: new Date(end),
      };
      const extensions = [
        new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
        new ExtendedKeyUsageExtension([CODE_SIGNING]),
        new SubjectAlternativeNameExtension([{ type: 'url', value: uri }], true),
        new Extension(ISSUER, false, utf8String(tokenIssuer)),
      ];
      const unlogged = await X509CertificateGenerator.create({ ...body, extensions });
      const promise = log.promise(Buffer.from(unlogged.rawData), Buffer.from(intermediate.publicKey.rawData));
      return X509CertificateGenerator.create({
        ...body,
        extensions: [...extensions, new Extension(SIGNED_TIMESTAMPS, false, promise)],
      });
    },
    async signTimestamper() {
      const own = await webcrypto.subtle.generateKey(P256, true, ['sign', 'verify']);
      const certificate = await X509CertificateGenerator.create({
        subject: 'CN=Timestamps, O=Stand-in',
        issuer,
        publicKey: own.publicKey,
        signingKey: keys.privateKey,
        signingAlgorithm: P256,
        notBefore: new Date(Date.now() - 60_000),
        notAfter: new Date(Date.now() + DAY),
        extensions: [
          new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
          new ExtendedKeyUsageExtension([TIME_STAMPING], true),
        ],
      });
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
