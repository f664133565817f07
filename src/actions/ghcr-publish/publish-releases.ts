import type { Row } from '../../core/images/row.ts';
import { eachAtMost } from '../../core/net/bounded-parallel.ts';
import { type WriteTiming, type WrittenTag, writeTags } from '../../core/registry/publish.ts';
import type { TagStep } from '../../core/registry/publish-plan.ts';
import { formatReference, formatRepository, type Repository } from '../../core/registry/reference.ts';
import type { RegistryClient } from '../../core/registry/registry-client.ts';
import type { Log } from '../../core/runner/log.ts';
import type { ActionContext } from '../../core/runner/run-action.ts';
import { type AttestationPlan, attest } from './attest.ts';
import type { PublishInputs } from './contract.ts';
import { type AskAncestry, createJudgeOrder } from './guard.ts';
import { type LoadedRelease, placeRelease } from './load-release.ts';
import type { ReleaseName } from './releases.ts';

/** What is done, filled in as it is done: a failure tells as much as a success. */
export interface Published {
  readonly tags: WrittenTag[];
  readonly attestations: string[];
}

export interface Publication {
  readonly client: RegistryClient;
  readonly releases: readonly LoadedRelease[];
  /** Reads what the tags name now, and decides. */
  readonly plan: () => Promise<readonly TagStep[]>;
  readonly attestation: AttestationPlan | undefined;
  readonly askAncestry: AskAncestry;
  readonly timing: WriteTiming;
}

/** Releases that are put into their repositories at once. */
const PARALLEL = 4;

/**
 * Publishes: all images by digest, then their provenance, and when everything is there the tags.
 */
export async function publishReleases(
  publication: Publication,
  inputs: PublishInputs,
  context: ActionContext,
  published: Published,
): Promise<void> {
  const { client, releases, plan, attestation, askAncestry, timing } = publication;
  const { log } = context;
  const first = await plan();
  const isChanged = await placeReleases(client, releases, first, { recordInputs: inputs.recordInputs, log });
  // Layers that went through this machine took time, in which another run may have named something later.
  const steps = isChanged ? await plan() : first;
  if (attestation !== undefined) {
    const attestables = releases
      .filter((release) => isBuiltHere(release, inputs.matrix ?? []))
      .map(({ index }) => ({ digest: index.manifest.digest, repositories: targetsOf(index.manifest.digest, steps) }))
      .filter(({ repositories }) => repositories.length > 0);
    await attest(attestation, attestables, inputs, context, (url) => published.attestations.push(url));
  }
  const byDigest = new Map(releases.map((release) => [release.index.manifest.digest, release]));
  const releaseOf = (digest: string): LoadedRelease => {
    const release = byDigest.get(digest);
    if (release === undefined) throw new Error(`no release has the digest ${digest}`);
    return release;
  };
  await writeTags({
    client,
    steps,
    manifestOf: (digest) => releaseOf(digest).index.manifest,
    judgeOrder: inputs.latestGuard
      ? createJudgeOrder(client, (digest) => releaseOf(digest).origin, askAncestry)
      : undefined,
    timing,
    onTag: (tag) => published.tags.push(tag),
    log,
  });
}

/** False when all of a release's rows existed before: another run built them, and is their provenance. */
function isBuiltHere({ image, variant }: ReleaseName, rows: readonly Row[]): boolean {
  const own = rows.filter((row) => row.image === image && row.variant === variant);
  return own.length === 0 || own.some((row) => !row.exists);
}

/** Puts every release into the repositories of the tags to write, before the first tag is written. */
async function placeReleases(
  client: RegistryClient,
  releases: readonly LoadedRelease[],
  steps: readonly TagStep[],
  options: { readonly recordInputs: boolean; readonly log: Log },
): Promise<boolean> {
  let isChanged = false;
  await eachAtMost(PARALLEL, releases, async (release) => {
    for (const target of targetsOf(release.index.manifest.digest, steps)) {
      const hasChanged = await placeRelease(client, release, target, options);
      isChanged ||= hasChanged;
    }
  });
  return isChanged;
}

/** The repositories in which a tag is to be written for this digest. */
function targetsOf(digest: string, steps: readonly TagStep[]): readonly Repository[] {
  const own = steps.filter((step) => step.digest === digest && step.action === 'write');
  return [...new Map(own.map(({ repository }) => [formatRepository(repository), repository])).values()];
}

/** What a dry run says would become of a tag. */
export function foresee(step: TagStep, log: Log): WrittenTag {
  log.info(`${formatReference({ ...step.repository, tag: step.tag })}: ${step.reason || `would name ${step.digest}`}`);
  return { ...step, outcome: step.action === 'write' ? 'written' : step.action === 'skip' ? 'skipped' : 'unchanged' };
}
