import { createDockerConfig, findLogin, type RegistryLogin } from '../../core/buildkit/docker-config.ts';
import { normalizeRegistry, parseReference, parseRepository } from '../../core/registry/reference.ts';
import type { ActionContext } from '../../core/runner/run-action.ts';
import type { BuildInputs } from './contract.ts';
import type { BuildPlan } from './plan.ts';

/** The registries that a run pushes to, keeps its cache in, or reads a published image from to compare sizes with. */
export function registriesOf(
  plan: Pick<BuildPlan, 'images' | 'rules'>,
  inputs: Pick<BuildInputs, 'push'>,
): ReadonlySet<string> {
  const hosts = new Set<string>();
  for (const { repository, tags, cache, published } of plan.images) {
    if (plan.rules.maxGrowth !== undefined && published !== undefined) hosts.add(parseReference(published).registry);
    if (repository !== undefined && (inputs.push === 'by-digest' || cache === 'registry'))
      hosts.add(parseRepository(repository).registry);
    if (inputs.push === 'true') for (const tag of tags) hosts.add(parseReference(tag).registry);
  }
  return hosts;
}

/**
 * What to log in to the registry with: a password of the user's own; else an earlier login of the job; else the
 * workflow's token, which is given to GitHub's own registry and to no other.
 */
export async function chooseLogin(
  inputs: Pick<BuildInputs, 'registry' | 'username' | 'password' | 'githubToken'>,
  hosts: ReadonlySet<string>,
  context: Pick<ActionContext, 'environment' | 'event' | 'runCommand'>,
): Promise<{ readonly login: RegistryLogin | undefined; readonly isNew: boolean }> {
  const registry = normalizeRegistry(inputs.registry);
  if (!hosts.has(registry)) return { login: undefined, isNew: false };
  const { username, password } = inputs;
  const offered = username === '' || password === '' ? undefined : { registry, username, password };
  const isToken = password === inputs.githubToken || password === context.environment['GITHUB_TOKEN'];
  if (offered !== undefined && !isToken) return { login: offered, isNew: true };
  const earlier = await findLogin(registry, context.environment, context.runCommand);
  if (earlier !== undefined) return { login: earlier, isNew: false };
  const isGitHubs = registry === 'ghcr.io' || registry === `containers.${new URL(context.event.serverUrl).host}`;
  return offered !== undefined && isGitHubs ? { login: offered, isNew: true } : { login: undefined, isNew: false };
}

/** The environment of `docker` with this login in a private configuration; the folder is told before it is filled. */
export async function logIn(
  login: RegistryLogin,
  folder: string,
  environment: ActionContext['environment'],
): Promise<Readonly<Record<string, string>>> {
  const { environment: added } = await createDockerConfig(folder, login, environment);
  return added;
}
