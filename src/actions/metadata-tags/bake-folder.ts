import { mkdtemp, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type BakeKind, bakeDefinitions } from '../../core/tags/bake-files.ts';
import type { Metadata } from './plan-metadata.ts';

/** File names as docker/metadata-action has them. */
const NAMES: Readonly<Record<BakeKind, string>> = {
  all: 'docker-metadata-action-bake.json',
  tags: 'docker-metadata-action-bake-tags.json',
  labels: 'docker-metadata-action-bake-labels.json',
  annotations: 'docker-metadata-action-bake-annotations.json',
};

/** Writes the bake definitions into a new folder below `temp`, and returns their paths. */
export async function writeBakeFiles(
  temp: string,
  { plan, labels, annotations }: Metadata,
  target: string,
): Promise<Readonly<Record<BakeKind, string>>> {
  const definitions = bakeDefinitions({
    target,
    tags: plan.tags,
    labels,
    annotations,
    images: [...new Set(plan.variants.flatMap(({ repositories }) => repositories))],
    version: plan.version,
  });
  const folder = await mkdtemp(join(temp, 'metadata-tags-'));
  const write = async (kind: BakeKind): Promise<string> => {
    const path = join(folder, NAMES[kind]);
    await writeFile(path, definitions[kind]);
    return path;
  };
  return {
    all: await write('all'),
    tags: await write('tags'),
    labels: await write('labels'),
    annotations: await write('annotations'),
  };
}
