import { join } from 'node:path';
import { findLogin } from '../../core/buildkit/docker-config.ts';
import type { Credentials } from '../../core/registry/access.ts';
import { exportPath } from '../../core/registry/export-path.ts';
import { parseReference } from '../../core/registry/reference.ts';
import { createRegistryClient } from '../../core/registry/registry-client.ts';
import type { InputsOf } from '../../core/runner/contract.ts';
import { ConfigurationError } from '../../core/runner/errors.ts';
import type { ActionContext } from '../../core/runner/run-action.ts';
import type { contract } from './contract.ts';

/** A folder in an image: `REFERENCE:/path`. Throws ConfigurationError. */
export function parseImageFolder(text: string): { readonly reference: string; readonly path: string } {
  const [, reference, path] = /^(\S+?):(\/.*)$/.exec(text) ?? [];
  if (reference === undefined || path === undefined)
    throw new ConfigurationError(
      `input "image": "${text.slice(0, 200)}" names no folder of an image; write REFERENCE:/path`,
    );
  parseReference(reference);
  return { reference, path };
}

/** Takes the folder out of the image, without running it, and returns where it stands now. */
export async function takeOutFolder(
  image: string,
  inputs: InputsOf<typeof contract>,
  context: ActionContext,
): Promise<string> {
  const { reference, path } = parseImageFolder(image);
  const credentials = await chooseCredentials(parseReference(reference).registry, inputs.githubToken, context);
  const into = join(context.temp, `models-${process.pid}-${Date.now()}`);
  await exportPath({
    client: createRegistryClient({ log: context.log, credentials: () => credentials }),
    reference,
    path,
    platform: inputs.platform,
    into,
    log: context.log,
  });
  return into;
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
