import { parseManifest } from '../../src/core/registry/manifest.ts';
import { pushLayout } from '../../src/core/registry/push-layout.ts';
import { parseRepository, type Repository } from '../../src/core/registry/reference.ts';
import type { RegistryClient } from '../../src/core/registry/registry-client.ts';
import { keptLog } from '../unit/core/registry/kept-log.ts';
import { makeImage, makeIndex, makeLayer, temporaryFolder, writeLayout } from '../unit/core/registry/oci-layout.ts';

/** Pushes what a build leaves, an index of one image and its attestation, by digest; that digest. */
export async function pushBuilt(
  client: RegistryClient,
  repository: string,
  platform: string,
  content: string,
  labels: Record<string, string> = {},
): Promise<string> {
  await using folder = await temporaryFolder();
  const files = [{ name: 'app/dist/index.html', content, mode: 0o640 }];
  const image = makeImage([await makeLayer(files, 'zstd')], platform, labels);
  const index = makeIndex([image], { withAttestations: true });
  await writeLayout(folder.path, index.manifest, [...index.manifests, ...index.blobs]);
  return (await pushLayout({ layout: folder.path, repository, client, log: keptLog() })).digest;
}

/** Gives a digest of a repository a tag, without the action. */
export async function nameDigest(client: RegistryClient, name: string, digest: string, tag: string): Promise<void> {
  const repository = parseRepository(name);
  const manifest = await client.findManifest(repository, digest);
  if (manifest === undefined) throw new Error(`${name} has no ${digest}`);
  await client.putManifest(repository, tag, manifest);
}

/** All that a digest refers to and that the repository does not have; nothing for a whole image. */
export async function missingParts(
  client: RegistryClient,
  repository: Repository,
  digest: string,
): Promise<readonly string[]> {
  const manifest = await client.findManifest(repository, digest);
  if (manifest === undefined) return [digest];
  const content = parseManifest(manifest.bytes, manifest.mediaType);
  const missing: string[] = [];
  if (content.kind === 'index') {
    for (const child of content.manifests) missing.push(...(await missingParts(client, repository, child.digest)));
    return missing;
  }
  for (const blob of [content.config, ...content.layers])
    if (!(await client.hasBlob(repository, blob.digest))) missing.push(blob.digest);
  return missing;
}
