import { bundleFromJSON } from '@sigstore/bundle';
import { TrustedRoot } from '@sigstore/protobuf-specs';
import { toSignedEntity, toTrustMaterial, Verifier } from '@sigstore/verify';
import type { Sigstore } from '../../../harness/standins/sigstore.ts';

/** Verifies a bundle with Sigstore's own verifier, offline, against the stand-in's trust root; who signed it. */
export function verifyBundle(
  bundle: unknown,
  { trustedRoot }: Sigstore,
): { readonly uri: string; readonly issuer: string } {
  const trust = toTrustMaterial(TrustedRoot.fromJSON(trustedRoot));
  const verifier = new Verifier(trust, { ctlogThreshold: 1, tlogThreshold: 0, timestampThreshold: 1 });
  const { identity } = verifier.verify(toSignedEntity(bundleFromJSON(bundle)));
  return { uri: identity?.subjectAlternativeName ?? '', issuer: identity?.extensions?.issuer ?? '' };
}
