import { rm } from 'node:fs/promises';
import { DEFAULT_TIMING, type WriteTiming } from '../../core/registry/publish.ts';
import { messagesOf } from '../../core/runner/errors.ts';
import { ActionFailure, type ActionResult, type Post, type Run } from '../../core/runner/run-action.ts';
import type { contract } from './contract.ts';
import { createAskAncestry } from './guard.ts';
import { DOCKER_CONFIG_STATE, keepLogin } from './login.ts';
import { type Outcome, toOutputs } from './outputs.ts';
import { planPublication } from './plan-publication.ts';
import { connect, loadReleases, readWishes } from './prepare.ts';
import { foresee, publishReleases } from './publish-releases.ts';
import { retain } from './retain.ts';
import { summarize } from './summary.ts';

/** The action's story; `timing` is how long a registry is waited for that answers old. */
export function createRun(timing: WriteTiming): Run<typeof contract> {
  return async (inputs, context) => {
    const { event, log } = context;
    const wishes = await readWishes(inputs, context);
    const { client, chooseLogin } = await connect(wishes, inputs, context);
    const releases = await loadReleases(client, wishes, inputs, context);
    const askAncestry = createAskAncestry(event, inputs.githubToken, log);
    const plan = () => planPublication(client, releases, wishes.tags, { ...inputs, askAncestry });

    const outcome: Outcome = { tags: [], attestations: [], retired: [] };
    const report = (more: {
      readonly failure?: string;
      readonly dockerConfig?: string;
    }): ActionResult<typeof contract> => ({
      outputs: toOutputs(releases, outcome, event, more.dockerConfig),
      summary: summarize(releases, outcome, { isDryRun: inputs.dryRun, failure: more.failure }),
    });
    try {
      if (inputs.dryRun) outcome.tags.push(...(await plan()).map((step) => foresee(step, log)));
      else {
        const publication = { client, releases, plan, attestation: wishes.attestation, askAncestry, timing };
        await publishReleases(publication, inputs, context, outcome);
      }
      outcome.retired.push(...(await retain(client, wishes, inputs, context)));
    } catch (cause) {
      const failure = messagesOf(cause).join(': ');
      throw new ActionFailure(failure, report({ failure }));
    }
    const dockerConfig = inputs.logout ? undefined : await keepLogin(wishes.registry, chooseLogin, context);
    return report(dockerConfig === undefined ? {} : { dockerConfig });
  };
}

export const run = createRun(DEFAULT_TIMING);

/** Removes the login that was left for the job's later steps. */
export const post: Post<typeof contract> = async (_inputs, { state }) => {
  const folder = state.get(DOCKER_CONFIG_STATE);
  if (folder !== undefined) await rm(folder, { recursive: true, force: true });
};
