import { mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import { createDockerConfig, findLogin } from '../../core/buildkit/docker-config.ts';
import type { Credentials } from '../../core/registry/access.ts';
import { normalizeRegistry } from '../../core/registry/reference.ts';
import type { ActionContext } from '../../core/runner/run-action.ts';
import type { PublishInputs } from './contract.ts';

/** What a registry's host is logged in with; undefined for anonymous reading. */
export type ChooseLogin = (registry: string) => Credentials | undefined;

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
): Promise<ChooseLogin> {
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

export const DOCKER_CONFIG_STATE = 'docker-config';

/**
 * Logs later steps in to the registry, in a configuration folder of its own beside the user's, which the post step finds by
 * the state and removes; that folder. Undefined when there is nothing to log in with.
 */
export async function keepLogin(
  registry: string,
  chooseLogin: ChooseLogin,
  { temp, environment, state }: Pick<ActionContext, 'temp' | 'environment' | 'state'>,
): Promise<string | undefined> {
  const login = chooseLogin(registry);
  if (login === undefined) return undefined;
  const home = await mkdtemp(join(temp, 'slipway-login-'));
  // Before the password is written: a step that is ended in between leaves nothing behind either.
  state.save(DOCKER_CONFIG_STATE, home);
  const { folder } = await createDockerConfig(home, { registry, ...login }, environment);
  return folder;
}
