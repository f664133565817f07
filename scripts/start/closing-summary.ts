import { formatBytes, formatDuration } from '../../src/core/report/markdown.ts';
import type { JobResult, StepResult, WorkflowResult } from '../../test/harness/workflow/workflow-result.ts';

/**
 * A run as a person wants it told at the end: what was built and why, from the cache or not, how large it is, which
 * names it got, where the site is, and what failed. It is read from the outputs of the steps.
 */
export function formatClosingSummary(title: string, result: WorkflowResult): string {
  const duration = result.jobs.reduce((sum, { durationMs }) => sum + durationMs, 0);
  const sections = [
    formatBuilds(result.jobs),
    formatSkipped(stepWith(result, 'skipped', 'matrix')),
    formatPublished(stepWith(result, 'published')),
    formatSite(stepWith(result, 'release', 'uploaded')),
    formatFailures(result.jobs),
  ];
  const heading = `${title}: ${result.conclusion}, ${formatDuration(duration)} of jobs`;
  return `${heading}\n${'─'.repeat(heading.length)}\n${sections.filter((section) => section !== '').join('\n')}`;
}

function formatBuilds(jobs: readonly JobResult[]): string {
  const builds = jobs.flatMap((job) =>
    job.steps
      .filter(({ outputs }) => outputs['timings'] !== undefined)
      .map(({ outputs }) => ({ row: job.matrix, outputs })),
  );
  if (builds.length === 0) return 'built      nothing\n';
  const rows = builds.map(({ row, outputs }) => {
    const { duration = 0 } = parse<{ duration?: number }>(outputs['timings'], {});
    const { cached = 0, steps = 0 } = parse<{ cached?: number; steps?: number }>(outputs['cache-hits'], {});
    return [
      String(row['image'] ?? outputs['digest'] ?? ''),
      formatDuration(duration),
      `${cached} of ${steps} steps cached`,
      outputs['size'] === undefined ? '' : formatBytes(Number(outputs['size'])),
      String(row['reason'] ?? ''),
    ];
  });
  return section('built', rows);
}

function formatSkipped(step: StepResult | undefined): string {
  const skipped = parse<readonly { image?: string; id?: string; reason?: string }[]>(step?.outputs['skipped'], []);
  return section(
    'not built',
    skipped.map(({ image, id, reason }) => [image ?? id ?? '', reason ?? '']),
  );
}

function formatPublished(step: StepResult | undefined): string {
  type Published = { image: string; variant: string; digest: string; tags: readonly string[] };
  const published = parse<readonly Published[]>(step?.outputs['published'], []);
  return section(
    'published',
    published.map(({ image, variant, digest, tags }) => [
      variant === '' ? image : `${image} (${variant})`,
      digest.slice(0, 'sha256:'.length + 12),
      tags.map((tag) => tag.slice(tag.lastIndexOf(':') + 1)).join(', '),
    ]),
  );
}

function formatSite(step: StepResult | undefined): string {
  if (step === undefined) return '';
  const { url = '', uploaded = '0', unchanged = '0', deleted = '0', bytes = '0' } = step.outputs;
  return section('site', [
    [url, `${uploaded} files sent (${formatBytes(Number(bytes))}), ${unchanged} unchanged, ${deleted} deleted`],
  ]);
}

function formatFailures(jobs: readonly JobResult[]): string {
  const failures = jobs.flatMap((job) => [
    ...(job.result === 'failure' && job.steps.length === 0 ? [[job.name, job.reason ?? '']] : []),
    ...job.steps
      .filter(({ conclusion }) => conclusion === 'failure')
      .map((step) => [
        `${job.name}, ${step.name}`,
        step.annotations.find(({ level }) => level === 'error')?.message ?? '',
      ]),
  ]);
  return section('failed', failures);
}

/** The first step that has all of these outputs. */
function stepWith(result: WorkflowResult, ...outputs: readonly string[]): StepResult | undefined {
  return result.jobs
    .flatMap(({ steps }) => steps)
    .find((step) => outputs.every((name) => step.outputs[name] !== undefined));
}

function section(title: string, rows: readonly (readonly string[])[]): string {
  if (rows.length === 0) return '';
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows
    .map((row, index) => {
      const cells = row.map((cell, column) => (column === row.length - 1 ? cell : cell.padEnd(widths[column] ?? 0)));
      return `${(index === 0 ? title : '').padEnd(11)}${cells.join('  ')}\n`;
    })
    .join('');
}

function parse<T>(text: string | undefined, fallback: T): T {
  return text === undefined || text === '' ? fallback : JSON.parse(text);
}
