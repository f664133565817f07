import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fetchModel, planFetch } from '../../core/models/fetch/fetch-models.ts';
import { createModelCache } from '../../core/models/fetch/model-cache.ts';
import type { Expectation } from '../../core/models/manifest/expected-file.ts';
import type { InputsOf } from '../../core/runner/contract.ts';
import type { ActionContext } from '../../core/runner/run-action.ts';
import type { contract } from './contract.ts';

/** Gets what the manifests give an address for, and returns whether the cache had all of it; undefined for nothing. */
export async function fetchModels(
  inputs: InputsOf<typeof contract>,
  expectations: readonly Expectation[],
  { workspace, temp, log }: ActionContext,
): Promise<boolean | undefined> {
  const steps = planFetch(expectations, inputs.fetch, (path) => existsSync(join(workspace, path)));
  if (steps.length === 0) return undefined;
  const cache = createModelCache(temp, log);
  const maxSize = inputs.maxSize ?? Number.MAX_SAFE_INTEGER;
  let areAllCached = true;
  for (const step of steps) {
    const isCached = await log.group(`Fetching ${step.path}`, () =>
      fetchModel(step, { root: workspace, cache, maxSize, deadline: inputs.fetchTimeout, log }),
    );
    log.info(`${step.path}: ${isCached ? 'out of the cache' : `from ${new URL(step.url).host}`}`);
    areAllCached &&= isCached;
  }
  return areAllCached;
}
