import { readFile } from 'node:fs/promises';
import type { RegistryLogin } from '../../core/buildkit/docker-config.ts';
import { blobPath } from '../../core/buildkit/oci-layout.ts';
import { readPublishedImages } from '../../core/buildkit/published-image.ts';
import { pushLayout } from '../../core/registry/push-layout.ts';
import { parseRepository } from '../../core/registry/reference.ts';
import { createRegistryClient } from '../../core/registry/registry-client.ts';
import type { Log } from '../../core/runner/log.ts';
import type { PushImage, ReadPublished } from './finish-images.ts';

/** What a run asks of registries, with its login where it has one. */
export interface RegistryCalls {
  readonly pushImage: PushImage;
  readonly readPublished: ReadPublished;
}

/** Pushes layouts with our own client: everything by digest first, then each tag, so that no tag names half an image. */
export function createRegistryCalls(login: RegistryLogin | undefined, log: Log): RegistryCalls {
  const credentials = (registry: string): RegistryLogin | undefined =>
    registry === login?.registry ? login : undefined;
  const client = createRegistryClient({ credentials, log });
  const pushImage: PushImage = async ({ layout, repository, tags }) => {
    const pushed = await pushLayout({ layout, repository, client, log });
    const bytes = await readFile(blobPath(layout, pushed.digest));
    for (const tag of tags) {
      await client.putManifest(parseRepository(repository), tag, {
        mediaType: pushed.mediaType,
        digest: pushed.digest,
        bytes,
      });
      log.info(`${repository}:${tag} names ${pushed.digest}`);
    }
    return pushed;
  };
  return { pushImage, readPublished: (reference) => readPublishedImages(client, reference) };
}
