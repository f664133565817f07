import { X509Certificate } from 'node:crypto';
import { ConfigurationError } from '../../runner/errors.ts';
import type { SignedEnvelope } from './envelope.ts';
import { verifySignature } from './verify-key.ts';

const CODE_SIGNING = '1.3.6.1.5.5.7.3.3';
const MAX_CHAIN = 16;

/**
 * Verifies an envelope that was signed with a certificate: the leaf leads, issuer by issuer, to one of `roots` (PEM), all
 * of them valid when the leaf began to be, and may sign. As the reference implementation does, the time is the leaf's own
 * start: a bundle of this kind holds no other. Throws ConfigurationError.
 */
export async function verifyWithCertificate(envelope: SignedEnvelope, roots: string, file: string): Promise<void> {
  const refuse = (why: string): never => {
    throw new ConfigurationError(`the certificate of "${file}" is not trusted: ${why}`, { file });
  };
  const trusted = readRoots(roots);
  const [leaf, ...chain] = envelope.certificates.map((der) => readCertificate(der, refuse));
  if (leaf === undefined) return refuse('there is none');
  const time = new Date(leaf.validFrom);
  let current = leaf;
  for (let depth = 0; ; depth += 1) {
    if (depth > MAX_CHAIN) refuse('its chain is longer than is read');
    if (new Date(current.validFrom) > time || new Date(current.validTo) < time)
      refuse(`${current.subject.replace(/\n/g, ', ')} was not valid when it was made`);
    const root = trusted.find((each) => isIssuedBy(current, each));
    if (root !== undefined) {
      if (new Date(root.validFrom) > time || new Date(root.validTo) < time)
        refuse('its root was not valid when it was made');
      break;
    }
    const next: X509Certificate | undefined = chain.find(
      (each) => each.fingerprint256 !== current.fingerprint256 && isIssuedBy(current, each),
    );
    if (next === undefined) return refuse('its chain leads to none of "trusted-root"');
    current = next;
  }
  await checkUsage(envelope.certificates[0] ?? Buffer.alloc(0), refuse);
  verifySignature(envelope, leaf.publicKey, file);
}

function isIssuedBy(certificate: X509Certificate, issuer: X509Certificate): boolean {
  return issuer.ca && certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey);
}

/** The leaf must be one for signatures, or for code; a certificate of a web server signs no model. */
async function checkUsage(der: Buffer, refuse: (why: string) => never): Promise<void> {
  const { X509Certificate: Parsed } = await import('@sigstore/core');
  const parsed = Parsed.parse(Buffer.from(der));
  const extended = parsed.extension('2.5.29.37');
  const isForCode = extended?.valueObj.subs.some((each) => each.toOID() === CODE_SIGNING) ?? false;
  if (parsed.extKeyUsage?.digitalSignature !== true && !isForCode) refuse('it is not one for signatures');
}

function readRoots(pem: string): readonly X509Certificate[] {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g) ?? [];
  if (blocks.length === 0)
    throw new ConfigurationError(
      'input "trusted-root": this holds no certificate in PEM, and the signature was made with one',
    );
  try {
    return blocks.slice(0, 1000).map((block) => new X509Certificate(block));
  } catch (cause) {
    throw new ConfigurationError('input "trusted-root": a certificate in it cannot be read', { cause });
  }
}

function readCertificate(der: Buffer, refuse: (why: string) => never): X509Certificate {
  try {
    return new X509Certificate(der);
  } catch {
    return refuse('it cannot be read');
  }
}
