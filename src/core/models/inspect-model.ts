import { fstatSync } from 'node:fs';
import { messagesOf } from '../runner/errors.ts';
import { unpackContents } from './archive/unpacked-contents.ts';
import { openSource } from './byte-source.ts';
import type { DigestPlan, Digests } from './digest-plan.ts';
import { compareName } from './file-name.ts';
import type { FormatReport, ModelFinding, ModelState } from './model-finding.ts';
import { ReadBudget } from './read-context.ts';
import { readModel } from './read-model.ts';
import { readOnce } from './read-once.ts';
import { checkReferences } from './references.ts';

/** A model file as it is on disk. */
export interface InspectedModel extends FormatReport<ModelState> {
  /** Relative to the workspace, with `/`. */
  readonly path: string;
  readonly size: number;
  /** Lower-case hex; empty for a file that could not be read. */
  readonly sha256: string;
  readonly digests: Digests;
}

/** What to do with one file; plain data, so that it can be handed to a worker. */
export interface InspectionJob {
  /** The file on this machine. */
  readonly file: string;
  /** Its name in findings. */
  readonly path: string;
  readonly plan: DigestPlan;
  /** Whether the format is read, besides the digests. */
  readonly scans: boolean;
  /** Milliseconds that reading the format may take. */
  readonly scanTimeout: number;
  readonly allowedGlobals: readonly string[];
  /** Where large contents of archives are unpacked to. */
  readonly temp: string;
}

/**
 * Reads one file through one descriptor: its headers and pickles first, then every byte of it once, for the digests and
 * the archive's checksums together. What is judged is what was hashed: a file that changes meanwhile is a finding, and so
 * is one that is not there or that cannot be read, so that it does not hide what is found in the others.
 */
export async function inspectModel(job: InspectionJob, onProgress: (bytes: number) => void): Promise<InspectedModel> {
  try {
    return await readFile(job, onProgress);
  } catch (error) {
    if (isMissing(error)) return emptyReport(job, 'missing', { rule: 'missing', message: 'it is not there' });
    return unreadModel(job, messagesOf(error).join(': '));
  }
}

/** A file of which nothing is known but why: it always fails. */
export function unreadModel(job: InspectionJob, why: string): InspectedModel {
  return emptyReport(job, 'unknown', { rule: 'unreadable', message: `it cannot be read: ${why}` });
}

function emptyReport(
  { path }: InspectionJob,
  format: 'missing' | 'unknown',
  finding: Pick<ModelFinding, 'rule' | 'message'>,
): InspectedModel {
  const digests = { whole: new Map(), shards: [] };
  return { path, format, size: 0, sha256: '', digests, findings: [{ severity: 'mismatch', ...finding }] };
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR');
}

async function readFile(job: InspectionJob, onProgress: (bytes: number) => void): Promise<InspectedModel> {
  using source = openSource(job.file);
  const before = fstatSync(source.descriptor, { bigint: true });
  const budget = new ReadBudget(job.scanTimeout);
  using unpacked = job.scans ? await unpackContents(source, job.temp, budget) : undefined;
  const report = job.scans
    ? readModel(source, new Set(job.allowedGlobals), unpacked?.at, budget)
    : { format: 'unknown' as const, findings: [], stored: [] };
  const { digests, findings } = await readOnce(source, job.plan, report.stored, onProgress);
  const after = fstatSync(source.descriptor, { bigint: true });
  const changed: readonly ModelFinding[] =
    after.mtimeNs === before.mtimeNs && after.size === before.size
      ? []
      : [{ severity: 'mismatch', rule: 'changed', message: 'the file changed while it was read' }];
  const { stored: _, ...format } = report;
  return {
    ...format,
    path: job.path,
    size: source.size,
    sha256: digests.whole.get('sha256') ?? '',
    digests,
    findings: [
      ...changed,
      ...report.findings,
      ...findings,
      ...(job.scans ? compareName(job.path, report.format) : []),
      ...checkReferences(job.file, format.references ?? []),
    ],
  };
}
