import { rm, stat } from 'node:fs/promises';
import { arch } from 'node:os';
import { join } from 'node:path';
import { findLogin } from '../../core/buildkit/docker-config.ts';
import { checkInside } from '../../core/models/select-models.ts';
import type { Credentials } from '../../core/registry/access.ts';
import { saveEngineImage, unpackLayout } from '../../core/registry/engine-image.ts';
import { exportPath } from '../../core/registry/export-path.ts';
import { createLayoutReader } from '../../core/registry/layout-reader.ts';
import { parseReference } from '../../core/registry/reference.ts';
import { createRegistryClient } from '../../core/registry/registry-client.ts';
import type { InputsOf } from '../../core/runner/contract.ts';
import { ConfigurationError } from '../../core/runner/errors.ts';
import type { ActionContext } from '../../core/runner/run-action.ts';
import type { contract } from './contract.ts';

/** A folder of an image: of a registry, of this machine's engine, or of an image layout in the workspace. */
export interface ImageFolder {
  readonly kind: 'registry' | 'local' | 'layout';
  /** The image's reference; of a layout its path. */
  readonly name: string;
  readonly path: string;
}

/** Every layout's repository: a reader of one does not look at it. */
const ANY_REFERENCE = 'localhost/layout:image';

/** Reads `REFERENCE:/path`, `local:NAME:/path` or `layout:PATH:/path`. Throws ConfigurationError. */
export function parseImageFolder(text: string): ImageFolder {
  const [, prefix, name, path] = /^(?:(local|layout):\s*)?(\S+?):(\/.*)$/.exec(text.trim()) ?? [];
  if (name === undefined || path === undefined)
    throw new ConfigurationError(
      `input "image": "${text.slice(0, 200)}" names no folder of an image; write REFERENCE:/path, local:NAME:/path or layout:PATH:/path`,
    );
  const kind = prefix === 'local' || prefix === 'layout' ? prefix : 'registry';
  if (kind !== 'layout') parseReference(name);
  return { kind, name, path };
}

/** Takes the folder out of the image, without running it, and returns where it stands now. */
export async function takeOutFolder(
  image: string,
  inputs: InputsOf<typeof contract>,
  context: ActionContext,
): Promise<string> {
  const folder = parseImageFolder(image);
  const into = join(context.temp, `models-${process.pid}-${Date.now()}`);
  const platform = inputs.platform ?? (folder.kind === 'local' ? ownPlatform() : 'linux/amd64');
  const target = { path: folder.path, platform, into, log: context.log };
  if (folder.kind === 'registry') {
    const credentials = await chooseCredentials(parseReference(folder.name).registry, inputs.githubToken, context);
    const client = createRegistryClient({ log: context.log, credentials: () => credentials });
    await exportPath({ client, reference: folder.name, ...target });
    return into;
  }
  const made = `${into}-layout`;
  try {
    const layout = await openLayout(folder, made, context);
    await exportPath({
      client: createLayoutReader(layout),
      reference: ANY_REFERENCE,
      shown: folder.name,
      ...target,
    });
  } finally {
    await rm(made, { recursive: true, force: true });
  }
  return into;
}

/** What the engine of this machine builds unless it is told otherwise, in Go's words for processors. */
function ownPlatform(): string {
  return `linux/${arch() === 'x64' ? 'amd64' : arch()}`;
}

/** The layout's folder: as it stands in the workspace, or made at `made` from an archive or the engine's image. */
async function openLayout(
  { kind, name }: ImageFolder,
  made: string,
  { workspace, environment, runCommand }: ActionContext,
): Promise<string> {
  if (kind === 'local') {
    await saveEngineImage({ name, folder: made, runCommand, environment });
    return made;
  }
  const file = join(workspace, name);
  const stats = await stat(file).catch((cause: unknown) => {
    throw new ConfigurationError(`input "image": there is no image layout "${name}" in the workspace`, { cause });
  });
  checkInside(workspace, name);
  if (stats.isDirectory()) return file;
  await unpackLayout(file, made).catch((cause: unknown) => {
    throw new ConfigurationError(`input "image": "${name}" is no tar archive of an image layout`, { cause });
  });
  return made;
}

/** An earlier login of the job; else the job's token, which opens GitHub's own registry and is shown to no other. */
async function chooseCredentials(
  registry: string,
  token: string,
  { environment, event, runCommand, log }: ActionContext,
): Promise<Credentials | undefined> {
  const earlier = await findLogin(registry, environment, runCommand);
  if (earlier !== undefined) {
    log.mask(earlier.password);
    return { username: earlier.username, password: earlier.password };
  }
  const server = new URL(event.serverUrl).host;
  const isGitHubs = registry === (server === 'github.com' ? 'ghcr.io' : `containers.${server}`);
  return isGitHubs && token !== '' ? { username: event.actor, password: token } : undefined;
}
