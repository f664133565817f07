import { createInvalidation } from '../../core/aws/cloudfront.ts';
import type { CredentialSource } from '../../core/aws/credentials.ts';
import type { Environment } from '../../core/runner/commands.ts';
import { ConfigurationError } from '../../core/runner/errors.ts';
import type { Log } from '../../core/runner/log.ts';
import type { DeployPlan } from '../../core/site/deploy-plan.ts';
import { changedPaths, invalidationPaths } from '../../core/site/invalidation-paths.ts';

export interface InvalidationChoice {
  readonly distributionId: string | undefined;
  /** `changed`, `all`, `off`, or paths. */
  readonly wanted: readonly string[];
}

/** Checks `invalidate` before anything is sent. Throws ConfigurationError. */
export function checkInvalidation({ distributionId, wanted }: InvalidationChoice): void {
  const isWord = wanted.length === 1 && ['changed', 'all', 'off'].includes(wanted[0] ?? '');
  const wrong = isWord ? undefined : wanted.find((path) => !path.startsWith('/') || /[\s<>"\\]/.test(path));
  if (wrong !== undefined) {
    throw new ConfigurationError(
      `input "invalidate": ${JSON.stringify(wrong)} is neither changed, all, off nor a URL's path that begins with a slash`,
    );
  }
  if (!isWord && distributionId === undefined) {
    throw new ConfigurationError('input "invalidate" names paths, but "distribution-id" is missing');
  }
}

/** Invalidates what a plan changed, and returns the invalidation's id; undefined when there is nothing to invalidate. */
export async function invalidate(
  plan: DeployPlan,
  choice: InvalidationChoice,
  site: { readonly prefix: string; readonly region: string; readonly credentials: CredentialSource },
  environment: Environment,
  log: Log,
): Promise<string | undefined> {
  const { distributionId } = choice;
  const paths = pathsOf(choice.wanted, plan, site.prefix);
  if (distributionId === undefined || paths.length === 0) return undefined;
  const callerReference = `slipway-${plan.release.id}-${Date.now()}`;
  const id = await createInvalidation({ distributionId, paths, callerReference }, { ...site, log }, environment);
  log.info(`invalidation ${id} of ${distributionId}: ${paths.join(' ')}`);
  return id;
}

function pathsOf(wanted: readonly string[], plan: DeployPlan, prefix: string): readonly string[] {
  switch (wanted.length === 1 ? wanted[0] : undefined) {
    case 'off':
      return [];
    case 'all':
      return ['/*'];
    case 'changed':
      return invalidationPaths(changedPaths(plan), prefix);
    default:
      return wanted;
  }
}
