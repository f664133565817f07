import { appendEntry, type Environment } from '../../core/runner/commands.ts';
import type { OutputsOf } from '../../core/runner/contract.ts';
import type { BakeKind } from '../../core/tags/bake-files.ts';
import { formatLabels, joinEntries } from '../../core/tags/labels.ts';
import type { TagPlan } from '../../core/tags/plan.ts';
import type { contract } from './contract.ts';
import type { Metadata } from './plan-metadata.ts';
import type { Settings } from './settings.ts';

/** The outputs of docker/metadata-action, which are exported as variables too. */
const EXPORTED = [
  'version',
  'tags',
  'tagNames',
  'labels',
  'annotations',
  'json',
  'bakeFile',
  'bakeFileTags',
  'bakeFileLabels',
  'bakeFileAnnotations',
] as const;

type Outputs = OutputsOf<typeof contract> & Readonly<Record<(typeof EXPORTED)[number], string>>;

export function outputsOf(
  { plan, labels, annotations }: Metadata,
  { separators, hasMatrix }: Settings,
  bakeFiles: Readonly<Record<BakeKind, string>>,
): Outputs {
  const matrixTags = hasMatrix ? matrixTagsOf(plan) : {};
  return {
    version: plan.version ?? '',
    tags: plan.tags.join(separators.tags),
    tagNames: plan.tagNames.join(separators.tags),
    labels: formatLabels(labels, separators.labels),
    annotations: joinEntries(annotations, separators.annotations),
    json: JSON.stringify({
      tags: plan.tags,
      'tag-names': plan.tagNames,
      labels: Object.fromEntries(labels),
      annotations,
      ...(hasMatrix ? { 'matrix-tags': matrixTags } : {}),
    }),
    bakeFile: bakeFiles.all,
    bakeFileTags: bakeFiles.tags,
    bakeFileLabels: bakeFiles.labels,
    bakeFileAnnotations: bakeFiles.annotations,
    matrixTags,
    immutableTag: plan.immutableTag ?? '',
  };
}

/** Writes `DOCKER_METADATA_OUTPUT_<NAME>`, which bake definitions and later steps read. */
export function exportOutputs(outputs: Outputs, environment: Environment): void {
  for (const name of EXPORTED) {
    const variable = name.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase();
    appendEntry(environment, 'GITHUB_ENV', `DOCKER_METADATA_OUTPUT_${variable}`, outputs[name]);
  }
}

/** References by image and variant. */
function matrixTagsOf(plan: TagPlan): Readonly<Record<string, Readonly<Record<string, readonly string[]>>>> {
  const images = new Map<string, [string, readonly string[]][]>();
  for (const { image, variant, references } of plan.variants)
    images.set(image, [...(images.get(image) ?? []), [variant, references]]);
  return Object.fromEntries([...images].map(([image, variants]) => [image, Object.fromEntries(variants)]));
}
