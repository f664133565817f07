import { resolveOnce } from '../dockerfile/resolve.ts';
import { parseDockerfile } from '../dockerfile/stages.ts';
import { ConfigurationError } from '../runner/errors.ts';
import type { ImageDefinition } from './definition.ts';
import type { Snapshot } from './snapshot.ts';

/**
 * The images from outside that each definition is built on. A definition whose Dockerfile is missing or wrong has
 * none here: resolving it later says why.
 */
export async function findBaseImages(
  snapshot: Snapshot,
  definitions: readonly ImageDefinition[],
): Promise<ReadonlyMap<ImageDefinition, readonly string[]>> {
  await snapshot.load(definitions.map(({ dockerfile }) => dockerfile));
  return new Map(definitions.map((definition) => [definition, baseImages(snapshot, definition)]));
}

function baseImages(snapshot: Snapshot, definition: ImageDefinition): readonly string[] {
  const { dockerfile, target, args, contexts, build } = definition;
  try {
    const inline = build['dockerfile-inline'];
    const parsed = inline === undefined ? snapshot.dockerfile(dockerfile) : parseDockerfile(inline, dockerfile);
    const contextNames = new Set(contexts.keys());
    return parsed === undefined
      ? []
      : resolveOnce(parsed, { target, args, platform: 'linux/amd64', contextNames }).images;
  } catch (error) {
    if (error instanceof ConfigurationError) return [];
    throw error;
  }
}
