/**
 * The tag under which a registry keeps the image of these inputs: `inputs-` and the first 128 bits of the digest.
 *
 * A tag, because nothing else can be looked up by content that is not the image's own: GHCR has no referrers API, and a
 * label can only be read from an image that is known already. It names content, so it is written once and never moved.
 */
export function inputsTag(inputs: string): string {
  return `inputs-${inputs.slice(0, 32)}`;
}
