import { code, details, formatBytes, plain, table } from '../../core/report/markdown.ts';
import { extensionOf } from '../../core/site/content-type.ts';
import type { Deployed } from '../../core/site/deploy-site.ts';
import type { SiteFile } from '../../core/site/site-file.ts';

export interface SummaryFacts {
  readonly bucket: string;
  readonly url: string;
  readonly isDryRun: boolean;
  /** Bytes of the release before; undefined when there was none. */
  readonly weightBefore: number | undefined;
}

const BIGGEST = 10;
const MAX_TYPES = 15;
const MAX_LISTED = 200;

/** The job summary: what changed, by type and size, the biggest files, and the site's weight against the last release. */
export function deploySummary({ files, plan, deleted }: Deployed, facts: SummaryFacts): string {
  const writes = plan.groups.flat();
  const uploads = writes.filter(({ kind }) => kind === 'upload');
  const verb = facts.isDryRun ? 'Dry run: would deploy' : plan.isNewRelease ? 'Deployed' : 'Unchanged:';
  const counts = [
    [`${uploads.length}`, formatBytes(plan.bytes), 'sent'],
    [`${writes.length - uploads.length}`, '', 'given new headers'],
    [`${plan.unchanged.length}`, '', 'unchanged'],
    [`${facts.isDryRun ? plan.deletes.length : deleted.length}`, '', facts.isDryRun ? 'to delete' : 'deleted'],
    [`${plan.retained.length}`, '', 'kept from past releases'],
  ];
  return [
    `## ${verb} release ${code(plan.release.id)}`,
    `${linkTo(facts.url)} in bucket ${code(facts.bucket)}: ${files.length} files, ${weight(totalBytes(files), facts.weightBefore)}.`,
    table(['Files', 'Size', ''], counts),
    ...(uploads.length === 0 ? [] : [byType(uploads.map(({ file }) => file))]),
    details(`Biggest ${Math.min(BIGGEST, files.length)} files`, biggest(files)),
    ...(writes.length === 0
      ? []
      : [
          details(
            `${writes.length} changed files`,
            listed(
              writes,
              ({ path, kind, isReplaced }) =>
                `${code(path)} ${kind === 'copy' ? 'headers' : isReplaced ? 'changed' : 'new'}`,
            ),
          ),
        ]),
    ...(plan.deletes.length === 0 ? [] : [details(`${plan.deletes.length} old files`, listed(plan.deletes, code))]),
  ].join('\n\n');
}

/** The job summary of a preview that was removed. */
export function removalSummary(removed: {
  readonly bucket: string;
  readonly prefix: string;
  readonly count: number;
  readonly isDryRun: boolean;
}): string {
  const place = `${code(removed.prefix)} in bucket ${code(removed.bucket)}`;
  if (removed.count === 0) return `## No preview to remove\n\nThere is none at ${place}.`;
  const verb = removed.isDryRun ? 'Dry run: would remove' : 'Removed';
  return `## ${verb} a preview\n\n${removed.count} objects at ${place}.`;
}

/** Bytes that a visitor could download at most: what the site weighs. */
export function totalBytes(files: Iterable<{ readonly size: number }>): number {
  return [...files].reduce((sum, { size }) => sum + size, 0);
}

function weight(now: number, weightBefore: number | undefined): string {
  if (weightBefore === undefined || weightBefore === now) return formatBytes(now);
  const difference = now - weightBefore;
  return `${formatBytes(now)} (${difference > 0 ? '+' : '−'}${formatBytes(Math.abs(difference))} against the last release)`;
}

function byType(files: readonly SiteFile[]): string {
  const types = [...Map.groupBy(files, ({ path }) => extensionOf(path))]
    .map(([type, those]) => ({ type: type === '' ? 'none' : type, count: those.length, bytes: totalBytes(those) }))
    .sort((a, b) => b.bytes - a.bytes);
  const rows = types.slice(0, MAX_TYPES).map(({ type, count, bytes }) => [code(type), `${count}`, formatBytes(bytes)]);
  const more = types.length > MAX_TYPES ? `\n\n${types.length - MAX_TYPES} more types` : '';
  return `${table(['Sent, by type', 'Files', 'Size'], rows)}${more}`;
}

function biggest(files: readonly SiteFile[]): string {
  const sorted = files.toSorted((a, b) => b.size - a.size).slice(0, BIGGEST);
  return table(
    ['File', 'Size', 'Cache-Control'],
    sorted.map(({ path, size, headers }) => [code(path), formatBytes(size), code(headers['cache-control'] ?? '')]),
  );
}

function listed<T>(items: readonly T[], show: (item: T) => string): string {
  const shown = items.slice(0, MAX_LISTED).map((item) => `- ${show(item)}`);
  if (items.length > MAX_LISTED) shown.push(`- and ${items.length - MAX_LISTED} more`);
  return shown.join('\n');
}

function linkTo(url: string): string {
  return /^https?:\/\/[^\s<>()]+$/.test(url) ? `<${url}>` : plain(url);
}
