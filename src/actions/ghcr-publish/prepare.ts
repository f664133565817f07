import type { IndexAnnotations } from '../../core/registry/image-index.ts';
import { normalizeRegistry, type Repository } from '../../core/registry/reference.ts';
import { createRegistryClient, type RegistryClient } from '../../core/registry/registry-client.ts';
import { parseRetention, type RetentionRule } from '../../core/registry/retention-rules.ts';
import { ConfigurationError } from '../../core/runner/errors.ts';
import type { ActionContext } from '../../core/runner/run-action.ts';
import { parseAnnotations } from './annotations.ts';
import { type AttestationPlan, planAttestation } from './attest.ts';
import type { PublishInputs } from './contract.ts';
import { checkReleases } from './expectations.ts';
import { findReleases } from './find-releases.ts';
import { type LoadedRelease, loadRelease } from './load-release.ts';
import { type ChooseLogin, chooseCredentials } from './login.ts';
import { createPushLocal } from './push-local.ts';
import type { WantedRelease } from './releases.ts';
import { resolveSources } from './resolve-sources.ts';
import { checkRetention } from './retain.ts';
import { assignTags, homeRepository, parseWantedTags, repositoriesOf, type Tagged } from './wanted-tags.ts';

/** All that the inputs ask for. */
export interface Wishes {
  readonly registry: string;
  readonly named: readonly WantedRelease[];
  /** In the order of `named`. */
  readonly tags: readonly (readonly Tagged[])[];
  readonly annotations: IndexAnnotations;
  readonly attestation: AttestationPlan | undefined;
  readonly rules: readonly RetentionRule[];
  /** The packages that the rules are for. */
  readonly retained: readonly Repository[];
}

/** Reads and judges the inputs, before the first request to a registry. Throws ConfigurationError. */
export async function readWishes(inputs: PublishInputs, context: ActionContext): Promise<Wishes> {
  const registry = normalizeRegistry(inputs.registry);
  const wanted = parseWantedTags(inputs.tags);
  const annotations = parseAnnotations(inputs.annotations, inputs.labels);
  const rules = parseRetention(inputs.retain);
  const attestation = planAttestation(inputs, context);
  const names = { images: inputs.images, registry };
  const home = (image: string): Repository => homeRepository(wanted, image, names);
  const named = await findReleases(inputs, registry, home, context);
  if (named.length === 0 && rules.length === 0)
    throw new ConfigurationError('give exactly one of "from: builds", "sources", "local" and "promote"');
  const tags = named.length === 0 ? [] : assignTags(wanted, named, names);
  const retained = rules.length === 0 ? [] : repositoriesOf(tags.flat(), names);
  checkRetention(retained, rules, context.event.serverUrl);
  return { registry, named, tags, annotations, attestation, rules, retained };
}

/** A client for all registries that are spoken with, and what each is logged in with. Nothing is sent. */
export async function connect(
  { registry, named, tags, retained }: Wishes,
  inputs: PublishInputs,
  context: ActionContext,
): Promise<{ readonly client: RegistryClient; readonly chooseLogin: ChooseLogin }> {
  const sources = named.flatMap((release) =>
    release.sources.flatMap((source) => (source.at === 'registry' ? [source.reference] : [])),
  );
  const spokenWith = [...tags.flat(), ...sources, ...retained].map((name) => name.registry);
  const chooseLogin = await chooseCredentials(inputs, new Set([registry, ...spokenWith]), context);
  const client = createRegistryClient({ credentials: chooseLogin, log: context.log });
  if (!inputs.dryRun) for (const target of tags.flat()) client.willPush(target);
  return { client, chooseLogin };
}

/** Finds and reads all that is to be named, and checks that each release is whole. Throws ConfigurationError. */
export async function loadReleases(
  client: RegistryClient,
  { named, tags, annotations }: Wishes,
  inputs: PublishInputs,
  context: ActionContext,
): Promise<readonly LoadedRelease[]> {
  if (named.length === 0) return [];
  const { event } = context;
  const found = await resolveSources(client, named, tags, createPushLocal(client, inputs, context));
  const isOfThisCommit =
    inputs.from === 'builds' || named.some(({ sources }) => sources.some(({ at }) => at === 'inputs'));
  // What an index says of itself when one is made; a single image stays as it is, digest and all.
  const defaults = {
    'org.opencontainers.image.source': `${event.serverUrl}/${event.repository}`,
    ...(isOfThisCommit ? { 'org.opencontainers.image.revision': event.sha } : {}),
  };
  const releases = await Promise.all(found.map((release) => loadRelease(client, release, { annotations, defaults })));
  const { expect, unknownPlatforms } = inputs;
  checkReleases(releases, { rows: inputs.matrix ?? [], expect, unknownPlatforms });
  return releases;
}
