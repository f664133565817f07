import {
  code,
  counted,
  details,
  formatBytes,
  formatGrowth,
  numbers,
  plain,
  table,
} from '../../core/report/markdown.ts';
import { extensionOf } from '../../core/site/content-type.ts';
import type { PlannedWrite } from '../../core/site/deploy-plan.ts';
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
const FEW = 10;

/** The job summary: what changed, by type and size, the biggest files, and the site's weight against the last release. */
export function deploySummary({ files, plan, deleted }: Deployed, facts: SummaryFacts): string {
  const writes = plan.groups.flat();
  const uploads = writes.filter(({ kind }) => kind === 'upload');
  const verb = facts.isDryRun ? 'Dry run: would deploy' : plan.isNewRelease ? 'Deployed' : 'Unchanged:';
  const old = facts.isDryRun ? plan.deletes : deleted;
  const told = [
    { count: uploads.length, what: `sent (${formatBytes(plan.bytes)})` },
    { count: writes.length - uploads.length, what: 'given new headers' },
    { count: plan.unchanged.length, what: 'unchanged' },
    { count: old.length, what: facts.isDryRun ? 'to delete' : 'deleted' },
    { count: plan.retained.length, what: 'kept from past releases' },
  ]
    .filter(({ count }) => count > 0)
    .map(({ count, what }) => `${count} ${what}`);
  return [
    `## ${verb} release ${code(plan.release.id)}`,
    `${linkTo(facts.url)} in bucket ${code(facts.bucket)}`,
    `**${counted(files.length, 'file')}, ${weight(totalBytes(files), facts.weightBefore)}**: ${told.join(', ') || 'nothing to do'}.`,
    ...(writes.length === 0 ? [] : [changesTable(writes)]),
    ...(uploads.length < FEW ? [] : [details('Sent, by type', byType(uploads.map(({ file }) => file)))]),
    ...(isWhollyListed(writes, files) ? [] : [details('Biggest files', biggest(files))]),
    ...(plan.deletes.length === 0
      ? []
      : [details(counted(plan.deletes.length, 'old file'), listed(plan.deletes, code))]),
  ].join('\n\n');
}

/** True where the table of changes shows every file already. */
function isWhollyListed(writes: readonly PlannedWrite[], files: readonly SiteFile[]): boolean {
  return writes.length === files.length && files.length < FEW;
}

/** A few files stand open, many are folded. */
function changesTable(writes: readonly PlannedWrite[]): string {
  const rows = writes.map(({ path, kind, isReplaced, file }) => [
    code(path),
    kind === 'copy' ? 'new headers' : isReplaced ? 'changed' : 'new',
    formatBytes(file.size),
    code(file.headers['cache-control'] ?? ''),
  ]);
  const body = table(['File', 'Change', numbers('Size'), 'Cache-Control'], rows);
  return writes.length < FEW ? body : details(counted(writes.length, 'changed file'), body);
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
  return `## ${verb} a preview\n\n${counted(removed.count, 'object')} at ${place}.`;
}

/** Bytes that a visitor could download at most: what the site weighs. */
export function totalBytes(files: Iterable<{ readonly size: number }>): number {
  return [...files].reduce((sum, { size }) => sum + size, 0);
}

function weight(now: number, weightBefore: number | undefined): string {
  if (weightBefore === undefined || weightBefore === now) return formatBytes(now);
  return `${formatBytes(now)} (${formatGrowth(now - weightBefore)} against the last release)`;
}

function byType(files: readonly SiteFile[]): string {
  const types = [...Map.groupBy(files, ({ path }) => extensionOf(path))]
    .map(([type, those]) => ({ type: type === '' ? 'none' : type, count: those.length, bytes: totalBytes(those) }))
    .sort((a, b) => b.bytes - a.bytes);
  const rows = types.slice(0, MAX_TYPES).map(({ type, count, bytes }) => [code(type), `${count}`, formatBytes(bytes)]);
  const more = types.length > MAX_TYPES ? `\n\n${types.length - MAX_TYPES} more types` : '';
  return `${table(['Type', numbers('Files'), numbers('Size')], rows)}${more}`;
}

function biggest(files: readonly SiteFile[]): string {
  const sorted = files.toSorted((a, b) => b.size - a.size).slice(0, BIGGEST);
  return table(
    ['File', numbers('Size'), 'Cache-Control'],
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
