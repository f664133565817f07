import {
  createInvalidation,
  type Distribution,
  findDistribution,
  waitForInvalidation,
} from '../../core/aws/cloudfront.ts';
import { type CloudFrontService, createCloudFrontService } from '../../core/aws/cloudfront-service.ts';
import type { InputsOf } from '../../core/runner/contract.ts';
import { ConfigurationError } from '../../core/runner/errors.ts';
import type { ActionContext } from '../../core/runner/run-action.ts';
import {
  invalidationPaths,
  MAX_PATHS,
  MAX_WILDCARDS,
  siteRoots,
  wholeSite,
} from '../../core/site/invalidation-paths.ts';
import type { contract } from './contract.ts';
import type { Target } from './target.ts';

/** How a deploy tells the edge caches of what changed. */
export interface Invalidator {
  /** Invalidates what the inputs want for these paths of the site, or the whole site; returns the invalidation's id. */
  readonly invalidate: (changed: readonly string[] | 'all') => Promise<string | undefined>;
}

type Wanted = 'changed' | 'all' | readonly string[];

/**
 * The invalidator that the inputs ask for; undefined when they ask for none. Everything that can be checked is checked
 * here, before anything is written; the distribution of an alias is looked up here as well. Throws ConfigurationError.
 */
export async function prepareInvalidation(
  inputs: InputsOf<typeof contract>,
  target: Target,
  { environment, event, log }: ActionContext,
): Promise<Invalidator | undefined> {
  const { distributionId, distributionAlias } = inputs;
  const wanted = parseWanted(inputs.invalidate);
  if (distributionId !== undefined && distributionAlias !== undefined) {
    throw new ConfigurationError('inputs "distribution-id" and "distribution-alias": give one of them');
  }
  if (distributionId === undefined && distributionAlias === undefined) {
    if (typeof wanted !== 'object') return undefined;
    throw new ConfigurationError('input "invalidate" names paths, but "distribution-id" is missing');
  }
  if (wanted === 'off') return undefined;
  const service = createCloudFrontService(
    { region: target.location.region, credentials: target.credentials, log },
    environment,
  );
  const found: Partial<Distribution> =
    distributionAlias === undefined ? {} : await findDistribution(service, distributionAlias);
  const id = distributionId ?? found.id ?? '';
  const roots = siteRoots(target.prefix, found.originPaths);
  return {
    async invalidate(changed) {
      const paths = changed === 'all' ? wholeSite(roots) : pathsOf(wanted, changed, roots);
      if (paths.length === 0) return undefined;
      const callerReference = `slipway-${event.runId}-${event.runAttempt}-${Date.now()}`;
      try {
        return await carryOut(service, { distributionId: id, paths, callerReference }, inputs.wait);
      } catch (cause) {
        if (cause instanceof ConfigurationError) throw cause;
        throw new Error('the release is live, but edge caches were not told; run again to invalidate', { cause });
      }
    },
  };
}

async function carryOut(
  service: CloudFrontService,
  wanted: { readonly distributionId: string; readonly paths: readonly string[]; readonly callerReference: string },
  isWaiting: boolean,
): Promise<string> {
  const { distributionId, paths } = wanted;
  const id = await createInvalidation(service, wanted);
  service.log.info(`invalidation ${id} of ${distributionId}: ${paths.join(' ')}`);
  if (isWaiting && !(await waitForInvalidation(service, { distributionId, id }))) {
    service.log.warning(`invalidation ${id} is not completed after 15 minutes; it goes on in the background`);
  }
  return id;
}

function parseWanted(given: readonly string[]): Wanted | 'off' {
  const [word] = given;
  if (given.length === 1 && (word === 'changed' || word === 'all' || word === 'off')) return word;
  const wrong = given.find((path) => !/^\/[!#-)+-;=?-[\]-~]*\*?$/.test(path));
  if (wrong !== undefined) {
    throw new ConfigurationError(
      `input "invalidate": ${JSON.stringify(wrong)} is neither changed, all, off nor a URL's path: it begins with a slash, is percent-encoded, and has a * at its end alone`,
    );
  }
  const wildcards = given.filter((path) => path.endsWith('*')).length;
  if (given.length - wildcards > MAX_PATHS || wildcards > MAX_WILDCARDS) {
    throw new ConfigurationError(
      `input "invalidate": CloudFront takes ${MAX_PATHS} paths and ${MAX_WILDCARDS} wildcards at a time; these are ${given.length - wildcards} and ${wildcards}`,
    );
  }
  return given;
}

function pathsOf(wanted: Wanted, changed: readonly string[], roots: readonly string[]): readonly string[] {
  if (typeof wanted === 'object') return wanted;
  return wanted === 'all' ? wholeSite(roots) : invalidationPaths(changed, roots);
}
