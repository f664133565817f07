import { ConfigurationError, messagesOf } from '../../runner/errors.ts';
import { isRecord } from '../../runner/event.ts';
import type { SignedEnvelope } from './envelope.ts';

/**
 * Verifies an envelope that was signed with a Sigstore identity, offline: the certificate against the roots, its entry in
 * the transparency log against the log's key, the signature, and who signed. `trustedRoot` is a `trusted_root.json`;
 * undefined for that of the public Sigstore at the time of the release. Throws ConfigurationError.
 */
export async function verifyWithIdentity(
  envelope: SignedEnvelope,
  expected: { readonly identity: string; readonly issuer: string },
  trustedRoot: string | undefined,
  file: string,
): Promise<void> {
  const [{ bundleFromJSON }, { toSignedEntity, toTrustMaterial, Verifier }, { TrustedRoot }] = await Promise.all([
    import('@sigstore/bundle'),
    import('@sigstore/verify'),
    import('@sigstore/protobuf-specs'),
  ]);
  const root = trustedRoot === undefined ? await publicRoot() : parseRoot(trustedRoot);
  const material = readMaterial(() => toTrustMaterial(TrustedRoot.fromJSON(root)));
  const signer = verify(() => new Verifier(material).verify(toSignedEntity(bundleFromJSON(envelope.bundle))), file);
  const actual = { identity: signer.identity?.subjectAlternativeName, issuer: signer.identity?.extensions?.issuer };
  // Compared here and exactly: the client's own policy takes the identity for a pattern.
  for (const name of ['identity', 'issuer'] as const)
    if (actual[name] !== expected[name])
      throw new ConfigurationError(
        `"${file}" is by the ${name} ${JSON.stringify(actual[name] ?? '')}, not ${JSON.stringify(expected[name])}`,
        { file },
      );
}

function verify<T>(check: () => T, file: string): T {
  try {
    return check();
  } catch (cause) {
    throw new ConfigurationError(`"${file}" is not verified: ${messagesOf(cause).join(': ')}`, { file, cause });
  }
}

/** The trusted root that the Sigstore client starts from (its TUF seed). */
async function publicRoot(): Promise<unknown> {
  const { default: seeds } = await import('@sigstore/tuf/seeds.json', { with: { type: 'json' } });
  const [seed] = Object.values(seeds);
  if (seed === undefined) throw new Error('the Sigstore client brings no trusted root');
  return JSON.parse(Buffer.from(seed.targets['trusted_root.json'], 'base64').toString('utf8'));
}

/** What a trusted root holds; the client throws errors of many kinds for one that is none. */
function readMaterial<T>(read: () => T): T {
  try {
    return read();
  } catch (cause) {
    throw new ConfigurationError('input "trusted-root": this is no trusted_root.json', { cause });
  }
}

function parseRoot(text: string): unknown {
  try {
    const root: unknown = JSON.parse(text);
    if (isRecord(root)) return root;
  } catch (cause) {
    throw new ConfigurationError(
      'input "trusted-root": this is no JSON, and a signature by an identity needs a trusted_root.json',
      { cause },
    );
  }
  throw new ConfigurationError('input "trusted-root": this is no trusted_root.json');
}
