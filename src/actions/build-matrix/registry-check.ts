import type { PlannedRow } from '../../core/images/row-plan.ts';
import type { RegistryAnswers } from '../../core/images/row-selection.ts';
import { eachAtMost } from '../../core/net/bounded-parallel.ts';
import { messagesOf } from '../../core/runner/errors.ts';
import type { ActionContext } from '../../core/runner/run-action.ts';
import type { Inputs } from './plan.ts';

const PARALLEL_LOOKUPS = 16;

/**
 * Asks the registry which rows' images it holds. An empty answer where it is not asked: without `registry-check`, on
 * schedules and where everything is asked for, which are there to build again on newer base images.
 *
 * A registry that refuses or does not answer marks nothing: all is built as if it had not been asked, with a warning.
 */
export async function askRegistry(
  rows: readonly PlannedRow[],
  inputs: Inputs,
  context: ActionContext,
): Promise<RegistryAnswers> {
  const { event, log } = context;
  const none = { holds: new Map<string, boolean>(), buildsMissing: false };
  if (!inputs.registryCheck || inputs.changedOnly === 'false' || event.name === 'schedule') return none;
  const holds = new Map<string, boolean>();
  try {
    const lookUp = await createLookUp(inputs, context);
    await eachAtMost(PARALLEL_LOOKUPS, rows, async ({ row }) => {
      holds.set(row.id, await lookUp(row.image, row.inputs));
    });
  } catch (error) {
    log.warning(`"registry-check" could not be made, so no row is marked as existing: ${messagesOf(error).join(': ')}`);
    return none;
  }
  return { holds, buildsMissing: event.name === 'push' };
}

/** Registry code is loaded on this path only: it costs every other run nothing. */
async function createLookUp(
  inputs: Inputs,
  context: ActionContext,
): Promise<(image: string, inputs: string) => Promise<boolean>> {
  const [{ createRegistryClient }, { findByInputs }, { parseRepository, normalizeRegistry }, { findLogin }] =
    await Promise.all([
      import('../../core/registry/registry-client.ts'),
      import('../../core/registry/inputs-tag.ts'),
      import('../../core/registry/reference.ts'),
      import('../../core/buildkit/docker-config.ts'),
    ]);
  const { environment, event, log, runCommand } = context;
  const registry = normalizeRegistry(inputs.registry);
  const template = inputs.repository === '' ? `{registry}/${event.repository}/{image}` : inputs.repository;
  const login = await findLogin(registry, environment, runCommand);
  if (login !== undefined) log.mask(login.password);
  const isGitHubs = registry === 'ghcr.io' || registry === `containers.${new URL(event.serverUrl).host}`;
  const token =
    isGitHubs && inputs.githubToken !== ''
      ? { username: event.actor || 'token', password: inputs.githubToken }
      : undefined;
  const client = createRegistryClient({
    log,
    credentials: (host) => (host === registry ? (login ?? token) : undefined),
  });
  return async (image, digest) => {
    const name = template.replaceAll('{registry}', () => registry).replaceAll('{image}', () => image);
    return (await findByInputs(client, parseRepository(name), digest)) !== undefined;
  };
}
