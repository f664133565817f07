import { readLabels } from './image-origin.ts';
import { isAttestation, parseManifest, type StoredManifest } from './manifest.ts';
import { readConfig } from './platform-image.ts';
import type { Repository } from './reference.ts';
import type { RegistryClient } from './registry-client.ts';

/** The label and annotation by which an image tells the digest of what it was built from (`Row.inputs`). */
export const INPUTS_LABEL = 'dev.slipway.inputs';

/** 128 bits of the digest: enough that no two inputs ever meet, and a tag that people can still read in a list. */
const TAG_DIGITS = 32;

/**
 * The tag under which a repository holds what was built from these inputs: `inputs-` and the first 32 hexadecimal digits.
 *
 * A registry finds an image by tag or digest alone, so that an image which is to be found by its inputs needs a tag made of
 * them. It names one row: an image in one variant for one platform, with its attestations. `inputs` is `Row.inputs`, SHA-256
 * in hex; throws Error for anything else.
 */
export function inputsTag(inputs: string): string {
  if (!/^[0-9a-f]{64}$/.test(inputs)) throw new Error(`"${inputs.slice(0, 100)}" is no SHA-256 in hexadecimal digits`);
  return `inputs-${inputs.slice(0, TAG_DIGITS)}`;
}

/** True for tags that `inputsTag` makes. */
export function isInputsTag(tag: string): boolean {
  return new RegExp(`^inputs-[0-9a-f]{${TAG_DIGITS}}$`).test(tag);
}

/**
 * The digest of what a repository holds for these inputs; undefined when it holds nothing. One HEAD request.
 *
 * Throws what `RegistryClient.findDigest` throws. Who builds upon the answer reads the image itself with `readInputsDigest`.
 */
export function findByInputs(
  client: Pick<RegistryClient, 'findDigest'>,
  repository: Repository,
  inputs: string,
): Promise<string | undefined> {
  return client.findDigest(repository, inputsTag(inputs));
}

/**
 * Gives what was built from these inputs its tag; an image that has the tag already keeps it, because it is as good.
 *
 * The manifest must be in the repository. True when the tag was written.
 */
export async function nameByInputs(
  client: Pick<RegistryClient, 'findDigest' | 'putManifest'>,
  repository: Repository,
  inputs: string,
  manifest: StoredManifest,
): Promise<boolean> {
  if ((await findByInputs(client, repository, inputs)) !== undefined) return false;
  await client.putManifest(repository, inputsTag(inputs), manifest);
  return true;
}

/** The inputs that an image, or an index of one image, says it was built from; undefined when it says nothing. */
export async function readInputsDigest(
  client: RegistryClient,
  repository: Repository,
  manifest: StoredManifest,
): Promise<string | undefined> {
  const content = parseManifest(manifest.bytes, manifest.mediaType);
  const own = content.annotations[INPUTS_LABEL];
  if (own !== undefined) return own;
  if (content.kind === 'image') return readLabels(await readConfig(client, repository, content.config))[INPUTS_LABEL];
  const [child] = content.manifests.filter((entry) => !isAttestation(entry));
  const image = child === undefined ? undefined : await client.findManifest(repository, child.digest);
  // An index in an index says nothing of inputs: rows are single images.
  if (image === undefined || parseManifest(image.bytes, image.mediaType).kind === 'index') return undefined;
  return readInputsDigest(client, repository, image);
}
