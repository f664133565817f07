import { readFile } from 'node:fs/promises';
import type { RegistryLogin } from '../../core/buildkit/docker-config.ts';
import { blobPath } from '../../core/buildkit/oci-layout.ts';
import { pushLayout } from '../../core/registry/push-layout.ts';
import { parseRepository } from '../../core/registry/reference.ts';
import { createRegistryClient } from '../../core/registry/registry-client.ts';
import type { Log } from '../../core/runner/log.ts';
import type { PushImage } from './finish-images.ts';

/** Pushes layouts with our own client: everything by digest first, then each tag, so that no tag names half an image. */
export function createPushImage(credentials: (registry: string) => RegistryLogin | undefined, log: Log): PushImage {
  const client = createRegistryClient({ credentials, log });
  return async ({ layout, repository, tags }) => {
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
}
