import { isAbsolute, join } from 'node:path';
import { parseReference } from '../../core/registry/reference.ts';
import { ConfigurationError } from '../../core/runner/errors.ts';
import type { RunnerEvent } from '../../core/runner/event.ts';
import type { Log } from '../../core/runner/log.ts';

export type Source =
  | { readonly kind: 'folder'; readonly path: string }
  | { readonly kind: 'image'; readonly reference: string; readonly path: string };

/** Reads `source`: a folder, or `image: REFERENCE:/path`. Throws ConfigurationError. */
export function parseSource(text: string): Source {
  if (!text.startsWith('image:')) return { kind: 'folder', path: text };
  const [, reference, path] = /^image:\s*(\S+?):(\/.*)$/.exec(text) ?? [];
  if (reference === undefined || path === undefined) {
    throw new ConfigurationError(`${JSON.stringify(text)} names no folder of an image; write image: REFERENCE:/path`);
  }
  parseReference(reference);
  return { kind: 'image', reference, path };
}

export interface ImageAccess {
  readonly platform: string;
  readonly username: string | undefined;
  readonly password: string | undefined;
  readonly limits: { readonly files: number; readonly bytes: number };
}

/** The folder on disk that a source stands for; an image's folder is taken out into `temp`. */
export async function sourceFolder(
  source: Source,
  access: ImageAccess,
  context: { readonly workspace: string; readonly temp: string; readonly event: RunnerEvent; readonly log: Log },
): Promise<string> {
  if (source.kind === 'folder') return isAbsolute(source.path) ? source.path : join(context.workspace, source.path);
  const { registry } = parseReference(source.reference);
  const { exportPath } = await import('../../core/registry/export-path.ts');
  const { createRegistryClient } = await import('../../core/registry/registry-client.ts');
  const credentials = registryCredentials(registry, access, context.event);
  const into = join(context.temp, `site-${process.pid}-${Date.now()}`);
  await exportPath({
    client: createRegistryClient({
      log: context.log,
      credentials: (host) => (host === registry ? credentials : undefined),
    }),
    reference: source.reference,
    path: source.path,
    platform: access.platform,
    into,
    // Files that `exclude` leaves out are in the image all the same.
    limits: { files: access.limits.files * 2, bytes: access.limits.bytes * 2 },
    log: context.log,
  });
  return into;
}

/** The job's token opens GitHub's own registry and is shown to no other. */
export function registryCredentials(
  registry: string,
  { username, password }: ImageAccess,
  event: RunnerEvent,
): { readonly username: string; readonly password: string } | undefined {
  if (password === undefined || password === '') return undefined;
  const server = new URL(event.serverUrl).hostname;
  const isGitHubs = registry === (server === 'github.com' ? 'ghcr.io' : `containers.${server}`);
  if (username === undefined && !isGitHubs) return undefined;
  return { username: username ?? event.actor, password };
}
