import { eachAtMost } from '../../core/net/bounded-parallel.ts';
import { request } from '../../core/net/request.ts';
import { openGithubPackage } from '../../core/registry/github-packages.ts';
import { formatRepository, isLoopback, type Repository } from '../../core/registry/reference.ts';
import type { RegistryClient } from '../../core/registry/registry-client.ts';
import { applyRetention } from '../../core/registry/retain.ts';
import type { RetentionRule } from '../../core/registry/retention-rules.ts';
import { ConfigurationError } from '../../core/runner/errors.ts';
import { fieldOf, type RunnerEvent } from '../../core/runner/event.ts';
import type { Log } from '../../core/runner/log.ts';
import type { ActionContext } from '../../core/runner/run-action.ts';

/** One deleted version, or one that a dry run would delete. */
export interface Retired {
  readonly repository: Repository;
  readonly digest: string;
  readonly tags: readonly string[];
  readonly reason: string;
}

const MAX_PULL_REQUESTS = 500;
const PARALLEL = 8;

/** Throws ConfigurationError for a registry whose packages GitHub does not keep: another's would be deleted there. */
export function checkRetention(
  repositories: readonly Repository[],
  rules: readonly RetentionRule[],
  serverUrl: string,
): void {
  if (rules.length === 0) return;
  const foreign = repositories.find(({ registry }) => !isGithubRegistry(registry, serverUrl));
  if (foreign !== undefined)
    throw new ConfigurationError(`"retain" works on GitHub's packages alone, and ${formatRepository(foreign)} is none`);
  if (repositories.length === 0)
    throw new ConfigurationError('"retain" needs to know the packages: give them as "images", or publish some "tags"');
}

/** A registry of this machine is a proxy of GitHub's, or a test's. */
export function isGithubRegistry(registry: string, serverUrl: string): boolean {
  return registry === 'ghcr.io' || registry === `containers.${new URL(serverUrl).host}` || isLoopback(registry);
}

/** Applies the rules to each package; what was deleted, or would be by a dry run. */
export async function retain(
  client: RegistryClient,
  { rules, retained }: { readonly rules: readonly RetentionRule[]; readonly retained: readonly Repository[] },
  inputs: { readonly githubToken: string; readonly dryRun: boolean },
  { event, log }: Pick<ActionContext, 'event' | 'log'>,
): Promise<readonly Retired[]> {
  const token = inputs.githubToken;
  const retired: Retired[] = [];
  for (const repository of retained) {
    const [owner = '', ...rest] = repository.name.split('/');
    const githubPackage = await openGithubPackage({ owner, name: rest.join('/'), event, token, log });
    const findClosed = (numbers: ReadonlySet<number>) => findClosedPullRequests(numbers, event, token, log);
    const options = {
      client,
      githubPackage,
      repository,
      rules,
      findClosed,
      isDryRun: inputs.dryRun,
      now: Date.now(),
      log,
    };
    const deleted = await applyRetention(options);
    retired.push(...deleted.map(({ digest, tags, reason }) => ({ repository, digest, tags, reason })));
  }
  return retired;
}

/** Which pull requests are closed; one that GitHub does not show is not. */
async function findClosedPullRequests(
  numbers: ReadonlySet<number>,
  event: RunnerEvent,
  token: string,
  log: Log,
): Promise<ReadonlySet<number>> {
  const closed = new Set<number>();
  const own = event.payload['action'] === 'closed' ? fieldOf(event.payload, 'pull_request', 'number') : undefined;
  if (typeof own === 'number') closed.add(own);
  const others = [...numbers].filter((number) => number !== own);
  if (others.length > MAX_PULL_REQUESTS)
    log.notice(`retain: of ${others.length} pull requests with tags, ${MAX_PULL_REQUESTS} are looked at in this run`);
  await eachAtMost(PARALLEL, others.slice(0, MAX_PULL_REQUESTS), async (number) => {
    const answer = await request({
      url: `${event.apiUrl}/repos/${event.repository}/pulls/${number}`,
      headers: {
        accept: 'application/vnd.github+json',
        'x-github-api-version': '2022-11-28',
        ...(token === '' ? {} : { authorization: `Bearer ${token}` }),
      },
      log,
    });
    if (answer.status === 200) {
      if (fieldOf(JSON.parse(answer.body.toString('utf8')), 'state') === 'closed') closed.add(number);
    } else if (answer.status !== 404) {
      throw new ConfigurationError(
        `GitHub answered ${answer.status} when pull request ${number} was looked up: "closed=" of "retain" needs "permissions: { pull-requests: read }"`,
      );
    }
  });
  return closed;
}
