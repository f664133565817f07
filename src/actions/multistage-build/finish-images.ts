import type { TargetMetadata } from '../../core/buildkit/build-metadata.ts';
import { type Layout, type LayoutImage, readLayout } from '../../core/buildkit/oci-layout.ts';
import { checkLayoutImage } from '../../core/buildkit/result-checks.ts';
import type { PushedImage } from '../../core/registry/push-layout.ts';
import { formatRepository, parseReference } from '../../core/registry/reference.ts';
import { formatBytes } from '../../core/report/markdown.ts';
import type { BuildPlan, PlannedImage } from './plan.ts';
import type { PublishedImages } from './published-images.ts';
import type { ImageResult } from './summary.ts';

/** An image after the build: read and checked, and not pushed yet where it lies in a layout. */
export interface BuiltImage extends PlannedImage {
  readonly contents: Layout | undefined;
  /** What is published now, one entry a platform. */
  readonly publishedImages: readonly LayoutImage[];
  readonly checks: ImageResult['checks'];
  readonly metadata: TargetMetadata | undefined;
}

export interface FinishedImage extends BuiltImage {
  readonly pushed: PushedImage | undefined;
  readonly digest: string | undefined;
  readonly imageId: string | undefined;
  readonly size: number | undefined;
  /** One entry a platform; none where nothing tells. */
  readonly platforms: readonly LayoutImage[];
  readonly refs: readonly string[];
}

/** Reads what a registry holds under a reference; passed in by `run`. */
export type ReadPublished = (reference: string) => Promise<readonly LayoutImage[]>;

/** Reads and checks what the build left. */
export async function readImages(
  plan: BuildPlan,
  metadata: ReadonlyMap<string, TargetMetadata>,
  published: PublishedImages,
  readPublished: ReadPublished,
): Promise<readonly BuiltImage[]> {
  const built: BuiltImage[] = [];
  for (const image of plan.images) {
    const contents = image.layout === undefined ? undefined : await readLayout(image.layout);
    const known = published.get(image.name) ?? [];
    const isAsked = known.length === 0 && plan.rules.maxGrowth !== undefined && image.published !== undefined;
    const publishedImages = isAsked ? await readPublished(image.published ?? '') : known;
    const checks: { platform: string | undefined; results: ImageResult['checks'][number]['results'] }[] = [];
    for (const platform of contents?.images ?? []) {
      const before = publishedImages.find((other) => other.platform === platform.platform);
      const results = await checkLayoutImage(image.layout ?? '', platform, plan.rules, before, formatBytes);
      if (results.length > 0) checks.push({ platform: platform.platform, results });
    }
    built.push({ ...image, contents, publishedImages, checks, metadata: metadata.get(image.name) });
  }
  return built;
}

/** The checks that failed, as sentences. */
export function failedChecks(images: readonly BuiltImage[]): readonly string[] {
  return images.flatMap((image) =>
    image.checks.flatMap(({ platform, results }) =>
      results
        .filter(({ hasPassed }) => !hasPassed)
        .map(
          ({ check, finding }) =>
            `${titleOf(image)}${image.checks.length > 1 ? ` (${platform ?? ''})` : ''}: ${check}: ${finding}`,
        ),
    ),
  );
}

/** Pushes a layout's image, without a tag or under tags; passed in by `run`. */
export type PushImage = (image: {
  readonly layout: string;
  readonly repository: string;
  readonly tags: readonly string[];
}) => Promise<PushedImage>;

/** Pushes what lies in layouts, and says under which names each image stands now. */
export async function pushImages(
  images: readonly BuiltImage[],
  push: 'false' | 'true' | 'by-digest',
  pushImage: PushImage,
  readPublished: ReadPublished,
): Promise<readonly FinishedImage[]> {
  const finished: FinishedImage[] = [];
  for (const image of images) {
    let pushed = pushedByBuilder(image, push);
    if (image.layout !== undefined && push !== 'false') {
      for (const [repository, tags] of destinations(image, push))
        pushed = await pushImage({ layout: image.layout, repository, tags });
    }
    const digest = pushed?.digest ?? image.contents?.root.digest ?? image.metadata?.digest;
    const refs = digest === undefined || push === 'false' ? [] : refsOf(image, push, digest);
    // What the builder pushed by itself was never on this machine.
    const platforms = image.contents?.images ?? (refs[0] === undefined ? [] : await readPublished(refs[0]));
    finished.push({
      ...image,
      pushed,
      digest,
      imageId: platforms[0]?.configDigest ?? image.metadata?.imageId,
      size: platforms.length === 0 ? undefined : platforms.reduce((sum, { size }) => sum + size, 0),
      platforms,
      refs,
    });
  }
  return finished;
}

function pushedByBuilder(image: BuiltImage, push: string): PushedImage | undefined {
  const { digest, mediaType, manifestSize } = image.metadata ?? {};
  const isTold = digest !== undefined && mediaType !== undefined && manifestSize !== undefined;
  return push !== 'false' && image.layout === undefined && isTold
    ? { digest, mediaType, size: manifestSize }
    : undefined;
}

/** Repositories with the tags that the image gets in each. */
function destinations(image: BuiltImage, push: 'true' | 'by-digest'): ReadonlyMap<string, readonly string[]> {
  if (push === 'by-digest') return new Map(image.repository === undefined ? [] : [[image.repository, []]]);
  const byRepository = new Map<string, string[]>();
  for (const text of image.tags) {
    const reference = parseReference(text);
    const repository = formatRepository(reference);
    byRepository.set(repository, [...(byRepository.get(repository) ?? []), reference.tag ?? 'latest']);
  }
  return byRepository;
}

function refsOf(image: BuiltImage, push: 'true' | 'by-digest', digest: string): readonly string[] {
  return push === 'by-digest' ? [`${image.repository ?? ''}@${digest}`] : image.tags.map((tag) => `${tag}@${digest}`);
}

export function titleOf({ row, tags, name }: PlannedImage): string {
  return row?.id ?? tags[0] ?? name;
}
