import { eachAtMost } from '../net/bounded-parallel.ts';
import type { Log } from '../runner/log.ts';
import type { GithubPackage } from './github-packages.ts';
import { parseManifest, parseSubject } from './manifest.ts';
import { formatRepository, type Repository } from './reference.ts';
import type { RegistryClient } from './registry-client.ts';
import {
  type Deletion,
  expiredVersions,
  type Links,
  type PackageVersion,
  planDeletions,
  pullRequestsOf,
} from './retention-plan.ts';
import type { RetentionRule } from './retention-rules.ts';

const PARALLEL = 8;

export interface RetentionOptions {
  readonly client: RegistryClient;
  readonly githubPackage: GithubPackage;
  readonly repository: Repository;
  readonly rules: readonly RetentionRule[];
  /** Which of these pull requests are closed. */
  readonly findClosed: (numbers: ReadonlySet<number>) => Promise<ReadonlySet<number>>;
  readonly isDryRun: boolean;
  readonly now: number;
  readonly log: Log;
}

/**
 * Deletes what the rules let go, and returns it: indexes before what they refer to, so that a run that is cut off leaves no
 * index without its images.
 *
 * All is read before anything is deleted; an index that the registry does not give stops it, because what it refers to is
 * then not known. Throws what the package and `RegistryClient` throw.
 */
export async function applyRetention(options: RetentionOptions): Promise<readonly Deletion[]> {
  const { client, githubPackage, repository, rules, log, now } = options;
  const name = formatRepository(repository);
  const versions = await githubPackage.listVersions();
  if (versions === undefined) {
    log.warning(`retain: GitHub knows no container package ${repository.name}, or this token may not see it`);
    return [];
  }
  const closed = await options.findClosed(pullRequestsOf(versions, rules));
  const expired = expiredVersions(versions, rules, { now, closed });
  const isAnyInQuestion = expired.length > 0 || rules.some(({ kind }) => kind === 'untagged');
  const links = isAnyInQuestion ? await readLinks(client, repository, versions) : new Map<string, Links>();
  const planned = planDeletions(versions, expired, rules, links, now);

  const deleted: Deletion[] = [];
  for (const deletion of parentsFirst(planned, links)) {
    const what = `${name}@${deletion.digest}${deletion.tags.length === 0 ? '' : ` (${deletion.tags.join(', ')})`}`;
    if (options.isDryRun) log.info(`would delete ${what}: ${deletion.reason}`);
    else if (!(await githubPackage.deleteVersion(deletion))) continue;
    else log.info(`deleted ${what}: ${deletion.reason}`);
    deleted.push(deletion);
  }
  log.info(
    `retain: ${name} has ${versions.length} versions; ${deleted.length} ${options.isDryRun ? 'would go' : 'went'}`,
  );
  return deleted;
}

async function readLinks(
  client: RegistryClient,
  repository: Repository,
  versions: readonly PackageVersion[],
): Promise<ReadonlyMap<string, Links>> {
  const links = new Map<string, Links>();
  await eachAtMost(PARALLEL, versions, async ({ digest, tags }) => {
    const manifest = await client.findManifest(repository, digest);
    if (manifest === undefined) {
      // Deleted since the list was read. A tagged one could be an index, whose images would then look like orphans.
      if (tags.length === 0) return;
      throw new Error(`${formatRepository(repository)}@${digest} is listed and cannot be read: nothing was deleted`);
    }
    const content = parseManifest(manifest.bytes, manifest.mediaType);
    const children = content.kind === 'index' ? content.manifests.map((child) => child.digest) : [];
    links.set(digest, { children, subject: parseSubject(manifest.bytes) });
  });
  return links;
}

/** Indexes first: whoever refers to another stands before it. */
function parentsFirst(deletions: readonly Deletion[], links: ReadonlyMap<string, Links>): readonly Deletion[] {
  const isIndex = ({ digest }: Deletion): boolean => (links.get(digest)?.children.length ?? 0) > 0;
  return [...deletions.filter(isIndex), ...deletions.filter((deletion) => !isIndex(deletion))];
}
