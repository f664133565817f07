import { relative } from 'node:path';
import type { Timeline } from '../../core/buildkit/build-timeline.ts';
import type { OutputsOf } from '../../core/runner/contract.ts';
import type { contract } from './contract.ts';
import type { FinishedImage } from './finish-images.ts';
import type { BuildPlan, PlannedImage } from './plan.ts';

type Outputs = OutputsOf<typeof contract>;

/** The outputs that are known as soon as a build has ended, well or not. */
export function timingOutputs(plan: BuildPlan, timeline: Timeline): Outputs {
  const stages = timeline.stages.map(({ stage, ...timing }) => [stage, timing]);
  return {
    definition: plan.definition,
    inputs: inputsOutput(plan.images),
    cacheHits: { cached: timeline.cachedSteps, steps: timeline.steps },
    timings: { duration: timeline.duration, stages: Object.fromEntries(stages) },
  };
}

/** The outputs that tell of images. */
export function imageOutputs(
  images: readonly FinishedImage[],
  plan: BuildPlan,
  metadata: string,
  workspace: string,
): Outputs {
  const [first] = images;
  const digests = images.flatMap(({ row, name, digest }) => (digest === undefined ? [] : [[row?.id ?? name, digest]]));
  const sizes = images.flatMap(({ size }) => size ?? []);
  return {
    digest: images.length === 1 ? first?.digest : undefined,
    imageid: images.length === 1 ? first?.imageId : undefined,
    digests: Object.fromEntries(digests),
    metadata: metadata === '' ? undefined : metadata,
    refs: images.flatMap(({ refs }) => refs).join('\n'),
    size: sizes.length === 0 ? undefined : sizes.reduce((sum, size) => sum + size, 0),
    layers: layersOutput(images),
    exportPath: plan.exports.map(({ destination }) => relative(workspace, destination)).join('\n'),
  };
}

function layersOutput(images: readonly FinishedImage[]): object | undefined {
  const known = images.filter(({ platforms }) => platforms.length > 0);
  if (known.length === 0) return undefined;
  const entries = known.map(({ row, name, platforms }) => {
    const byPlatform = platforms.map(({ platform, layers }) => [
      platform ?? 'unknown',
      layers.map(({ digest, size, instruction }) => ({ digest, size, instruction })),
    ]);
    return [row?.id ?? name, Object.fromEntries(byPlatform)];
  });
  return Object.fromEntries(entries);
}

function inputsOutput(images: readonly PlannedImage[]): string | object | undefined {
  const known = images.flatMap(({ row }) =>
    row === undefined || row.inputs === '' ? [] : [[row.id, row.inputs] as const],
  );
  if (known.length === 0) return undefined;
  return images.length === 1 ? known[0]?.[1] : Object.fromEntries(known);
}
