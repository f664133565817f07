import { findLogin } from '../../core/buildkit/docker-config.ts';
import type { Credentials } from '../../core/registry/access.ts';
import { normalizeRegistry } from '../../core/registry/reference.ts';
import type { ActionContext } from '../../core/runner/run-action.ts';
import type { PublishInputs } from './contract.ts';

/**
 * What to log in to each registry with: a password of the user's own, for the registry it is given for; else an earlier
 * login of the job; else the workflow's token, which is given to GitHub's own registry and to no other.
 *
 * Nothing is written: the credentials go from here into Authorization headers.
 */
export async function chooseCredentials(
  inputs: Pick<PublishInputs, 'registry' | 'username' | 'password' | 'githubToken'>,
  registries: ReadonlySet<string>,
  context: Pick<ActionContext, 'environment' | 'event' | 'runCommand' | 'log'>,
): Promise<(registry: string) => Credentials | undefined> {
  const own = normalizeRegistry(inputs.registry);
  const { username, password } = inputs;
  const offered = password === '' ? undefined : { username: username === '' ? 'token' : username, password };
  const isToken = password === inputs.githubToken || password === context.environment['GITHUB_TOKEN'];
  const isGitHubs = own === 'ghcr.io' || own === `containers.${new URL(context.event.serverUrl).host}`;
  const chosen = new Map<string, Credentials>();
  for (const registry of registries) {
    const isFor = registry === own && offered !== undefined;
    if (isFor && !isToken) {
      chosen.set(registry, offered);
      continue;
    }
    const earlier = await findLogin(registry, context.environment, context.runCommand);
    if (earlier !== undefined) {
      context.log.mask(earlier.password);
      chosen.set(registry, { username: earlier.username, password: earlier.password });
    } else if (isFor && isGitHubs) chosen.set(registry, offered);
  }
  return (registry) => chosen.get(registry);
}
