import { X509Certificate } from 'node:crypto';
import { ConfigurationError } from '../../runner/errors.ts';
import type { SignedEnvelope } from './envelope.ts';
import { verifySignature } from './verify-key.ts';

const CODE_SIGNING = '1.3.6.1.5.5.7.3.3';
const MAX_CHAIN = 16;

/**
 * Verifies an envelope that was signed with a certificate: the leaf leads, issuer by issuer, to one of `roots` (PEM), all
 * of them valid at `time`, and may sign. A bundle of this kind holds no time that can be trusted, so that `time` is that
 * of the verification (OpenSSF Model Signing 1.0, section 8.2): who got hold of an expired key could write any earlier one.
 * Throws ConfigurationError.
 */
export async function verifyWithCertificate(
  envelope: SignedEnvelope,
  roots: string,
  file: string,
  time = new Date(),
): Promise<void> {
  const refuse = (why: string): never => {
    throw new ConfigurationError(`the certificate of "${file}" is not trusted: ${why}`, { file });
  };
  const trusted = readRoots(roots);
  const [leaf, ...chain] = envelope.certificates.map((der) => readCertificate(der, refuse));
  if (leaf === undefined) return refuse('there is none');
  // Node tells neither the usage of a key nor how long a chain may be.
  const { X509Certificate: Parsed } = await import('@sigstore/core');
  const checkIssuer = (issuer: X509Certificate, below: number): void => {
    checkTime(issuer, time, refuse);
    const longest = Parsed.parse(issuer.raw).extBasicConstraints?.pathLenConstraint;
    if (longest !== undefined && below > longest) refuse(`${nameOf(issuer)} may not stand so far above it`);
  };
  let current = leaf;
  checkTime(leaf, time, refuse);
  for (let below = 0; ; below += 1) {
    if (below > MAX_CHAIN) refuse('its chain is longer than is read');
    const issuers = trusted.filter((each) => isIssuedBy(current, each));
    const root = issuers.find((each) => whyNotValid(each, time) === undefined) ?? issuers[0];
    if (root !== undefined) {
      checkIssuer(root, below);
      break;
    }
    const next: X509Certificate | undefined = chain.find(
      (each) => each.fingerprint256 !== current.fingerprint256 && isIssuedBy(current, each),
    );
    if (next === undefined) return refuse('its chain leads to none of "trusted-root"');
    checkIssuer(next, below);
    current = next;
  }
  // The leaf must be one for signatures, or for code; a certificate of a web server signs no model.
  const isForCode = leaf.keyUsage?.includes(CODE_SIGNING) ?? false;
  if (!isForCode && Parsed.parse(leaf.raw).extKeyUsage?.digitalSignature !== true)
    refuse('it is not one for signatures');
  verifySignature(envelope, leaf.publicKey, file);
}

function checkTime(certificate: X509Certificate, time: Date, refuse: (why: string) => never): void {
  const why = whyNotValid(certificate, time);
  if (why !== undefined) refuse(`${nameOf(certificate)} ${why}, and nothing in the signature tells when it was made`);
}

function nameOf({ subject }: X509Certificate): string {
  return subject.replace(/\n/g, ', ');
}

/** Written so that a date that cannot be read is not a valid one. */
function whyNotValid({ validFrom, validTo }: X509Certificate, time: Date): string | undefined {
  if (!(new Date(validFrom) <= time)) return `is valid from ${validFrom} only`;
  return new Date(validTo) >= time ? undefined : `expired on ${validTo}`;
}

function isIssuedBy(certificate: X509Certificate, issuer: X509Certificate): boolean {
  return issuer.ca && certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey);
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
