import { setTimeout as sleep } from 'node:timers/promises';
import type { LayoutImage } from '../../core/buildkit/oci-layout.ts';
import { readPublishedImages } from '../../core/buildkit/published-image.ts';
import { parseReference } from '../../core/registry/reference.ts';
import { createRegistryClient } from '../../core/registry/registry-client.ts';
import { messagesOf } from '../../core/runner/errors.ts';
import type { ActionContext } from '../../core/runner/run-action.ts';
import type { PublishedSizes } from './cache-budget.ts';
import { offersCache } from './choose-cache.ts';
import type { BuildInputs } from './contract.ts';
import { hasOwnCaches, type ImageRequest, publishedReference, requestImages } from './image-requests.ts';
import { chooseLogin } from './registry-login.ts';

/** What is published now, one entry a platform, by the request's name; nothing where it is not known. */
export type PublishedImages = ReadonlyMap<string, readonly LayoutImage[]>;

/** Milliseconds that a registry's word is waited for: it decides where a cache is kept, and what the summary compares. */
const PATIENCE = 5_000;

/** Asks the registry where somebody wants to know; an answer that does not come in time decides nothing. */
export async function readPublished(inputs: BuildInputs, context: ActionContext): Promise<PublishedImages> {
  const isBudgeted = inputs.cache === 'gha' && !hasOwnCaches(inputs) && offersCache(context.environment);
  if (!isBudgeted && inputs.push !== 'by-digest') return new Map();
  const requests = requestImages(inputs, context.event);
  const images = await Promise.all(requests.map((request) => readOne(request, inputs, context)));
  return new Map(requests.map(({ name }, at) => [name, images[at] ?? []]));
}

async function readOne(
  request: ImageRequest,
  inputs: BuildInputs,
  context: ActionContext,
): Promise<readonly LayoutImage[]> {
  const reference = publishedReference(request, inputs);
  if (reference === undefined) return [];
  try {
    const { login } = await chooseLogin(inputs, new Set([parseReference(reference).registry]), context);
    const client = createRegistryClient({
      credentials: (host) => (host === login?.registry ? login : undefined),
      retry: { attempts: 2, firstPause: 200, longestPause: 500 },
    });
    const late = sleep(PATIENCE, [], { ref: false });
    return await Promise.race([readPublishedImages(client, reference), late]);
  } catch (error) {
    context.log.debug(`what ${reference} holds is not known: ${messagesOf(error).join(': ')}`);
    return [];
  }
}

/** Compressed bytes of all platforms together. */
export function sizesOf(published: PublishedImages): PublishedSizes {
  const known = [...published].filter(([, images]) => images.length > 0);
  return new Map(known.map(([name, images]) => [name, images.reduce((sum, { size }) => sum + size, 0)]));
}
