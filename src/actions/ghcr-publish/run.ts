import { type WrittenTag, writeTags } from '../../core/registry/publish.ts';
import type { TagStep } from '../../core/registry/publish-plan.ts';
import {
  formatReference,
  formatRepository,
  normalizeRegistry,
  type Repository,
} from '../../core/registry/reference.ts';
import { createRegistryClient, type RegistryClient } from '../../core/registry/registry-client.ts';
import { messagesOf } from '../../core/runner/errors.ts';
import type { Log } from '../../core/runner/log.ts';
import { ActionFailure, type ActionResult, type Run } from '../../core/runner/run-action.ts';
import { parseIndexAnnotations } from './annotations.ts';
import type { contract } from './contract.ts';
import { checkReleases } from './expectations.ts';
import { findReleases } from './find-releases.ts';
import { createAskAncestry } from './guard.ts';
import { type LoadedRelease, loadRelease, placeRelease } from './load-release.ts';
import { chooseCredentials } from './login.ts';
import { toOutputs } from './outputs.ts';
import { planPublication } from './plan-publication.ts';
import { summarize } from './summary.ts';
import { assignTags, homeRepository, parseWantedTags } from './wanted-tags.ts';

export const run: Run<typeof contract> = async (inputs, context) => {
  const { event, log } = context;
  const registry = normalizeRegistry(inputs.registry);
  const wanted = parseWantedTags(inputs.tags);
  const annotations = parseIndexAnnotations(inputs.annotations);
  const names = { images: inputs.images, registry };
  const home = (image: string): Repository => homeRepository(wanted, image, names);
  const named = await findReleases(inputs, registry, home, context);
  const tags = assignTags(wanted, named, names);

  const sources = named.flatMap((release) => release.sources.map(({ reference }) => reference));
  const registries = new Set([...tags.flat(), ...sources].map((name) => name.registry));
  const client = createRegistryClient({ credentials: await chooseCredentials(inputs, registries, context), log });
  if (!inputs.dryRun) for (const target of tags.flat()) client.willPush(target);

  // What an index says of itself when one is made; a single image stays as it is, digest and all.
  const defaults = {
    'org.opencontainers.image.source': `${event.serverUrl}/${event.repository}`,
    ...(inputs.from === 'builds' ? { 'org.opencontainers.image.revision': event.sha } : {}),
  };
  const releases = await Promise.all(named.map((release) => loadRelease(client, release, { annotations, defaults })));
  const { expect, unknownPlatforms } = inputs;
  checkReleases(releases, { rows: inputs.matrix ?? [], expect, unknownPlatforms });

  const askAncestry = createAskAncestry(event, inputs.githubToken, log);
  const steps = await planPublication(client, releases, tags, { ...inputs, askAncestry });
  if (inputs.dryRun) return report(steps.map((step) => foresee(step, log)));

  const written: WrittenTag[] = [];
  try {
    await placeReleases(client, releases, steps, log);
    const manifestOf = (digest: string) => findManifest(releases, digest);
    await writeTags({ client, steps, manifestOf, onTag: (tag) => written.push(tag), log });
  } catch (cause) {
    const failure = messagesOf(cause).join(': ');
    throw new ActionFailure(failure, report(written, failure));
  }
  return report(written);

  function report(outcome: readonly WrittenTag[], failure?: string): ActionResult<typeof contract> {
    const summary = summarize(releases, outcome, { isDryRun: inputs.dryRun, failure });
    return { outputs: toOutputs(releases, outcome, event), summary };
  }
};

/** Puts every release into the repositories of the tags to write, before the first tag is written. */
async function placeReleases(
  client: RegistryClient,
  releases: readonly LoadedRelease[],
  steps: readonly TagStep[],
  log: Log,
): Promise<void> {
  for (const release of releases) {
    const own = steps.filter(({ digest, action }) => digest === release.index.manifest.digest && action === 'write');
    const targets = new Map(own.map(({ repository }) => [formatRepository(repository), repository]));
    for (const target of targets.values()) await placeRelease(client, release, target, log);
  }
}

function findManifest(releases: readonly LoadedRelease[], digest: string): LoadedRelease['index']['manifest'] {
  const found = releases.find(({ index }) => index.manifest.digest === digest);
  if (found === undefined) throw new Error(`no release has the digest ${digest}`);
  return found.index.manifest;
}

/** What a dry run says would become of a tag. */
function foresee(step: TagStep, log: Log): WrittenTag {
  log.info(`${formatReference({ ...step.repository, tag: step.tag })}: ${step.reason || `would name ${step.digest}`}`);
  return { ...step, outcome: step.action === 'write' ? 'written' : step.action === 'skip' ? 'skipped' : 'unchanged' };
}
