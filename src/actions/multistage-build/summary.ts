import type { Timeline } from '../../core/buildkit/build-timeline.ts';
import type { CheckResult } from '../../core/buildkit/image-checks.ts';
import type { LayoutImage } from '../../core/buildkit/oci-layout.ts';
import {
  alert,
  code,
  codeBlock,
  counted,
  details,
  formatBytes,
  formatDuration,
  formatGrowth,
  numbers,
  plain,
  shortDigest,
  table,
} from '../../core/report/markdown.ts';
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
/** The log has the rest. */
const SHOWN_OUTPUT = 15;

/** The step that a build ended at, and what it had printed. */
export interface FailedStep {
  readonly where: string;
  readonly output: readonly string[];
}

/** The job summary of a build. */
export function buildSummary(
  images: readonly ImageResult[],
  exports: readonly ExportResult[],
  timeline: Timeline,
  definition: string,
  failure?: FailedStep,
): string {
  const checks = checkRows(images, exports);
  const failed = checks.filter(({ hasPassed }) => !hasPassed);
  const passed = checks.filter(({ hasPassed }) => hasPassed);
  const parts = [
    `## ${titleOf(images, failed.length, failure)}`,
    failure === undefined ? '' : failurePart(failure),
    lead(images, timeline),
    failed.length === 0 ? '' : checksTable(failed),
    imagesPart(images),
    exportsTable(exports),
    stagesTable(timeline),
    passed.length === 0 ? '' : details(`${counted(passed.length, 'check')} passed`, checksTable(passed)),
    layersTable(images),
    references(images),
    details('Bake definition', codeBlock(definition, 'json')),
  ];
  return `${parts.filter((part) => part !== '').join('\n\n')}\n`;
}

function titleOf(images: readonly ImageResult[], failedChecks: number, failure: FailedStep | undefined): string {
  const [only, ...others] = images;
  const what = only !== undefined && others.length === 0 ? code(only.title) : counted(images.length, 'image');
  if (failure !== undefined) return `Build failed: ${what}`;
  return failedChecks === 0 ? `Built ${what}` : `${counted(failedChecks, 'check')} failed: ${what}`;
}

function failurePart({ where, output }: FailedStep): string {
  const lines = output.slice(-SHOWN_OUTPUT).map((line) => line.slice(0, 300));
  return [
    alert('caution', `It ended at ${code(where)}`),
    ...(lines.length === 0 ? [] : [codeBlock(lines.join('\n'))]),
  ].join('\n\n');
}

/** One image for one platform, of which a sentence says what a table would. */
function onlyOf(images: readonly ImageResult[]): ImageResult | undefined {
  const [only, ...others] = images;
  return others.length === 0 && only !== undefined && only.platforms.length <= 1 ? only : undefined;
}

function lead(images: readonly ImageResult[], { duration, steps, cachedSteps }: Timeline): string {
  const size = images.flatMap(({ platforms }) => platforms).reduce((sum, platform) => sum + platform.size, 0);
  const only = onlyOf(images);
  const growth = only?.platforms.map((platform) => growthOf(platform, only)).join('') ?? '';
  const weight = `${formatBytes(size)} compressed${growth && ` (${growth} against published)`}, in`;
  const took = `${size === 0 ? 'It took' : weight} ${formatDuration(duration)}`;
  return `${took}; ${cachedSteps} of ${counted(steps, 'step')} from the cache.`;
}

function growthOf({ size, platform }: LayoutImage, { published }: ImageResult): string {
  const before = published.find((other) => other.platform === platform);
  return before === undefined ? '' : formatGrowth(size - before.size);
}

function imagesPart(images: readonly ImageResult[]): string {
  const only = onlyOf(images);
  if (only === undefined) return imagesTable(images);
  if (only.digest === undefined) return '';
  const digest = code(shortDigest(only.digest));
  return only.refs.length === 0
    ? `Its digest is ${digest}; it was not pushed.`
    : `Pushed to ${placesOf(only).join(', ')} as ${digest}.`;
}

function imagesTable(images: readonly ImageResult[]): string {
  const rows = images
    .filter(({ digest, platforms }) => digest !== undefined || platforms.length > 0)
    .map((image) => [
      code(image.title),
      image.platforms.length > 1 ? image.platforms.map(({ platform }) => code(platform ?? '')).join('\n') : '',
      image.platforms.map(({ size }) => formatBytes(size)).join('\n'),
      image.platforms
        .map((platform) => growthOf(platform, image))
        .join('\n')
        .trim(),
      placesOf(image).join('\n'),
      image.digest === undefined ? '' : code(shortDigest(image.digest)),
    ]);
  const head = ['Image', 'Platform', numbers('Size'), numbers('Against published'), 'Pushed to', 'Digest'];
  return rows.length === 0 ? '' : table(head, rows);
}

/** Repositories, with their tags where it got some, without the digest. */
function placesOf({ refs }: ImageResult): readonly string[] {
  return refs.map((ref) => code(ref.slice(0, ref.lastIndexOf('@'))));
}

/** Whole digests, one reference a line, to be copied. */
function references(images: readonly ImageResult[]): string {
  const refs = images.flatMap((image) => image.refs);
  return refs.length === 0 ? '' : details('To pull by digest', codeBlock(refs.join('\n')));
}

interface CheckRow {
  readonly hasPassed: boolean;
  readonly cells: readonly string[];
}

function checkRows(images: readonly ImageResult[], exports: readonly ExportResult[]): readonly CheckRow[] {
  const row = ({ check, hasPassed, finding }: CheckResult, of: string): CheckRow => ({
    hasPassed,
    cells: [hasPassed ? '✅' : '❌', code(check), of, plain(finding)],
  });
  return [
    ...images.flatMap(({ title, checks }) =>
      checks.flatMap(({ platform, results }) => {
        const names = [images.length > 1 ? title : '', checks.length > 1 ? (platform ?? '') : ''];
        const of = names.flatMap((name) => (name === '' ? [] : [code(name)])).join(' ');
        return results.map((result) => row(result, of));
      }),
    ),
    ...exports.flatMap(({ folder, results }) => results.map((result) => row(result, code(folder)))),
  ];
}

function checksTable(rows: readonly CheckRow[]): string {
  return table(
    ['', 'Check', 'Of', 'Found'],
    rows.map(({ cells }) => cells),
  );
}

function exportsTable(exports: readonly ExportResult[]): string {
  const rows = exports.map(({ folder, size, files }) => [code(folder), formatBytes(size), String(files)]);
  return rows.length === 0 ? '' : table(['Exported folder', numbers('Size'), numbers('Files')], rows);
}

/** Stages with a bar each, from the build's start to its end. */
function stagesTable({ stages, others, duration }: Timeline): string {
  const rows = [
    ...stages.map(({ stage, start, duration: took, steps, cachedSteps }) => {
      const isCached = steps > 0 && cachedSteps === steps;
      return [
        code(stage),
        isCached ? code('·'.repeat(BAR)) : bar(start, took, duration),
        isCached ? 'cached' : formatDuration(took),
        steps === 0 ? '' : `${cachedSteps} of ${steps}`,
      ];
    }),
    ...others.map(({ name, start, duration: took }) => [
      plain(name.slice(0, 80)),
      bar(start, took, duration),
      formatDuration(took),
      '',
    ]),
  ];
  return rows.length === 0 ? '' : table(['Stage', 'When', numbers('Time'), numbers('Cached steps')], rows);
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
        onlyOf(images) === undefined ? `Layers of ${title} for ${image.platform ?? 'its platform'}` : 'Layers',
        table([numbers('Size'), 'Made by'], rows),
      );
    }),
  );
  return sections.join('\n\n');
}
