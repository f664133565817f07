import type { ImageDefinition } from './definition.ts';

/**
 * Gives every image its platforms: its own, else those of the images that name it as a context or by `needs` (as bake
 * does for targets that are contexts of others), else `defaults`.
 */
export function spreadPlatforms(
  definitions: readonly ImageDefinition[],
  defaults: readonly string[],
): readonly (ImageDefinition & { readonly platforms: readonly string[] })[] {
  const children = new Map<string, ImageDefinition[]>();
  for (const definition of definitions) {
    for (const parent of parentsOf(definition)) {
      const known = children.get(parent);
      if (known === undefined) children.set(parent, [definition]);
      else known.push(definition);
    }
  }
  const wanted = new Map<string, readonly string[]>();
  // Images that need each other in a circle are refused later; here they must only come to an end.
  const begun = new Set<string>();
  const platformsFor = (image: string): readonly string[] => {
    const known = wanted.get(image);
    if (known !== undefined || begun.has(image)) return known ?? [];
    begun.add(image);
    const found = new Set<string>();
    for (const child of children.get(image) ?? []) {
      const platforms = child.platforms ?? platformsFor(child.image);
      for (const platform of platforms.length > 0 ? platforms : defaults) found.add(platform);
    }
    wanted.set(image, [...found]);
    return [...found];
  };
  return definitions.map((definition) => {
    const platforms = definition.platforms ?? platformsFor(definition.image);
    return { ...definition, platforms: platforms.length > 0 ? platforms : defaults };
  });
}

function parentsOf({ needs, contexts }: ImageDefinition): readonly string[] {
  const named = [...contexts.values()].flatMap((source) => (source.kind === 'local' ? [source.image] : []));
  return [...new Set([...needs, ...named])];
}
