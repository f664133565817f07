import type { Timeline } from '../../core/buildkit/build-timeline.ts';
import type { CheckResult } from '../../core/buildkit/image-checks.ts';
import type { LayoutImage } from '../../core/buildkit/oci-layout.ts';
import { code, codeBlock, details, formatBytes, formatDuration, plain, table } from '../../core/report/markdown.ts';
import type { ExportResult } from './check-exports.ts';

/** What one image came to. */
export interface ImageResult {
  readonly title: string;
  readonly digest: string | undefined;
  readonly refs: readonly string[];
  readonly platforms: readonly LayoutImage[];
  /** What is published now, one entry a platform. */
  readonly published: readonly LayoutImage[];
  readonly checks: readonly { readonly platform: string | undefined; readonly results: readonly CheckResult[] }[];
}

const BAR = 24;
const SHOWN_LAYERS = 8;

/** The job summary of a build. */
export function buildSummary(
  images: readonly ImageResult[],
  exports: readonly ExportResult[],
  timeline: Timeline,
  definition: string,
): string {
  const cached = `${timeline.cachedSteps} of ${timeline.steps} steps cached`;
  const parts = [
    `## Build: ${images.map(({ title }) => plain(title)).join(', ')}`,
    `${formatDuration(timeline.duration)}, ${cached}`,
    imagesTable(images),
    checksTable(images, exports),
    exportsTable(exports),
    stagesTable(timeline),
    layersTable(images),
    details('Bake definition', codeBlock(definition, 'json')),
  ];
  return `${parts.filter((part) => part !== '').join('\n\n')}\n`;
}

function imagesTable(images: readonly ImageResult[]): string {
  const rows = images
    .filter(({ digest, platforms }) => digest !== undefined || platforms.length > 0)
    .map(({ title, digest, platforms, published, refs }) => [
      plain(title),
      digest === undefined ? '' : code(digest),
      platforms
        .map(({ size, platform }) => {
          const before = published.find((other) => other.platform === platform);
          const change = before === undefined ? '' : `, published ${formatBytes(before.size)}`;
          return `${formatBytes(size)}${change}${platforms.length > 1 ? ` ${plain(platform ?? '')}` : ''}`;
        })
        .join('\n'),
      refs.map(code).join('\n'),
    ]);
  return rows.length === 0 ? '' : table(['Image', 'Digest', 'Size, compressed', 'Pushed as'], rows);
}

function checksTable(images: readonly ImageResult[], exports: readonly ExportResult[]): string {
  const ofImages = images.flatMap(({ title, checks }) =>
    checks.flatMap(({ platform, results }) =>
      results.map(({ check, hasPassed, finding }) => [
        hasPassed ? '✅' : '❌',
        code(check),
        plain(checks.length > 1 ? `${title} ${platform ?? ''}` : title),
        plain(finding),
      ]),
    ),
  );
  const ofExports = exports.flatMap(({ folder, results }) =>
    results.map(({ check, hasPassed, finding }) => [
      hasPassed ? '✅' : '❌',
      code(check),
      code(folder),
      plain(finding),
    ]),
  );
  const rows = [...ofImages, ...ofExports];
  return rows.length === 0 ? '' : table(['', 'Check', 'Of', 'Found'], rows);
}

function exportsTable(exports: readonly ExportResult[]): string {
  const rows = exports.map(({ folder, size, files }) => [code(folder), formatBytes(size), String(files)]);
  return rows.length === 0 ? '' : table(['Exported folder', 'Size', 'Files'], rows);
}

/** Stages with a bar each, from the build's start to its end. */
function stagesTable({ stages, others, duration }: Timeline): string {
  const rows = [
    ...stages.map(({ stage, start, duration: took, steps, cachedSteps }) => [
      code(stage),
      bar(start, took, duration),
      steps > 0 && cachedSteps === steps ? 'cached' : formatDuration(took),
      steps === 0 ? '' : `${cachedSteps} of ${steps}`,
    ]),
    ...others.map(({ name, start, duration: took }) => [
      plain(name.slice(0, 80)),
      bar(start, took, duration),
      formatDuration(took),
      '',
    ]),
  ];
  return rows.length === 0 ? '' : table(['Stage', 'When', 'Time', 'Cached steps'], rows);
}

function bar(start: number, duration: number, whole: number): string {
  if (whole <= 0) return '';
  const from = Math.min(BAR - 1, Math.floor((start / whole) * BAR));
  const length = Math.max(1, Math.min(BAR - from, Math.round((duration / whole) * BAR)));
  return code(`${'·'.repeat(from)}${'█'.repeat(length)}${'·'.repeat(BAR - from - length)}`);
}

function layersTable(images: readonly ImageResult[]): string {
  const sections = images.flatMap(({ title, platforms }) =>
    platforms.map((image) => {
      const layers = image.layers.toSorted((a, b) => b.size - a.size);
      const rows = layers
        .slice(0, SHOWN_LAYERS)
        .map(({ size, instruction }) => [formatBytes(size), code(instruction.slice(0, 160))]);
      const rest = layers.slice(SHOWN_LAYERS).reduce((sum, { size }) => sum + size, 0);
      if (rest > 0) rows.push([formatBytes(rest), `${layers.length - SHOWN_LAYERS} smaller layers`]);
      return details(
        `Layers of ${title}${image.platform === undefined ? '' : ` for ${image.platform}`}`,
        table(['Size', 'Made by'], rows),
      );
    }),
  );
  return sections.join('\n\n');
}
