import { createHash, createPublicKey, type KeyObject, verify } from 'node:crypto';
import { ConfigurationError } from '../../runner/errors.ts';
import { preAuthenticationEncoding, type SignedEnvelope } from './envelope.ts';
import { encodeVersion02, isVersion02 } from './version-0-2.ts';

/** The digest that goes with each curve (OpenSSF Model Signing 1.0, "Signing with a key"). */
const CURVE_DIGESTS: ReadonlyMap<string, string> = new Map([
  ['prime256v1', 'sha256'],
  ['secp384r1', 'sha384'],
  ['secp521r1', 'sha512'],
]);

/**
 * Verifies an envelope against an EC public key in PEM. A hint of the bundle must be that key's; a key inside of the
 * bundle is never trusted. Throws ConfigurationError.
 */
export function verifyWithKey(envelope: SignedEnvelope, pem: string, file: string): void {
  if (envelope.method !== 'key')
    throw new ConfigurationError(
      `"${file}" was signed by a certificate, not by a key: give "identity" or "trusted-root"`,
    );
  const key = readKey(pem);
  const canonical = key.export({ type: 'spki', format: 'pem' }).toString();
  const hints = [pem, canonical, canonical.trimEnd()].map((text) => createHash('sha256').update(text).digest('hex'));
  if (envelope.keyHint !== undefined && !hints.includes(envelope.keyHint))
    throw new ConfigurationError(
      `"${file}" was signed by another key than "public-key" (its hint is ${envelope.keyHint.slice(0, 64)})`,
    );
  verifySignature(envelope, key, file);
}

/** Throws ConfigurationError where none of an envelope's signatures is this key's. */
export function verifySignature(envelope: SignedEnvelope, key: KeyObject, file: string): void {
  const curve = key.asymmetricKeyDetails?.namedCurve ?? '';
  const digest = CURVE_DIGESTS.get(curve);
  if (digest === undefined)
    throw new ConfigurationError(
      `the key for "${file}" is ${key.asymmetricKeyType} ${curve}; EC keys of P-256, P-384 and P-521 are read`,
    );
  const signed = preAuthenticationEncoding(envelope);
  const isSigned = (by: string, bytes: Buffer): boolean =>
    envelope.signatures.some((signature) => verify(by, bytes, key, signature));
  const isOld = isVersion02(envelope.payload) && isSigned('sha256', encodeVersion02(envelope));
  if (!isOld && !isSigned(digest, signed))
    throw new ConfigurationError(`the signature in "${file}" is wrong: it is of other bytes or by another key`, {
      file,
    });
}

function readKey(pem: string): KeyObject {
  try {
    return createPublicKey(pem);
  } catch (cause) {
    throw new ConfigurationError('input "public-key": this is no PEM file of a public key', { cause });
  }
}
