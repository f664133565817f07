import { posix } from 'node:path';
import picomatch from 'picomatch';
import type { Finding } from '../runner/log.ts';
import { LEFT_OUT_KEYS } from './build-options.ts';
import type { RefusedImage } from './compose-file.ts';
import type { ContextSelection } from './context-files.ts';
import { adviseIgnoring, type DockerignoreAdvice } from './dockerignore-advice.ts';
import type { PlannedRow } from './row-plan.ts';
import type { Snapshot } from './snapshot.ts';

/** A remark on the repository; a `problem` is one to mend: a build fails by it, or something never happens. */
export interface StaticFinding extends Finding {
  readonly level: 'problem' | 'notice';
  readonly file: string;
  readonly line: number;
}

/** A COPY source that a clean checkout does not have, relative to the repository's root. */
export function missingSources(rows: readonly PlannedRow[]): readonly string[] {
  return [...new Set(rows.flatMap(missingOf).map(({ path }) => path))];
}

/**
 * What is wrong with Dockerfiles, found without a build: sources that are missing or ignored, stages that feed
 * nothing, reads that had to be widened, and files that are no Dockerfile at all.
 */
export function checkStatically(
  rows: readonly PlannedRow[],
  refused: readonly RefusedImage[],
  snapshot: Snapshot,
  gitIgnored: ReadonlySet<string>,
): readonly StaticFinding[] {
  const advice = adviseIgnoring(rows);
  const findings = [
    ...refused.map(refusedFinding),
    ...rows.flatMap((row) => missingOf(row).map((missing) => missingFinding(missing, snapshot, gitIgnored))),
    ...unreachedStages(rows),
    ...rows.flatMap((row) => wideReads(row, advice)),
    ...rows.flatMap(leftOutSettings),
  ];
  return [...new Map(findings.map((finding) => [JSON.stringify(finding), finding])).values()];
}

interface MissingSource {
  readonly path: string;
  readonly selection: ContextSelection;
  readonly row: PlannedRow;
}

function missingOf(row: PlannedRow): readonly MissingSource[] {
  const { models } = row.candidate.definition;
  // Model files are fetched and verified before the build: they need not be in the checkout.
  const isModel = models.length === 0 ? () => false : picomatch([...models], { dot: true });
  return row.candidate.selections.flatMap((selection) => {
    const { read, entries, widened, folder } = selection;
    if (read.source === '' || read.isPattern || widened !== undefined || entries.length > 0) return [];
    const path = posix.join(folder, read.source);
    const isVerified = isModel(path) || models.some((model) => model.startsWith(`${path}/`));
    return isVerified ? [] : [{ path, selection, row }];
  });
}

function missingFinding(
  { path, selection, row }: MissingSource,
  snapshot: Snapshot,
  gitIgnored: ReadonlySet<string>,
): StaticFinding {
  const { read, folder, isIgnored } = selection;
  const { ignoreFile } = row.candidate;
  const context = folder === '.' ? 'the context (the root)' : `the context "${folder}"`;
  return {
    level: 'problem',
    title: 'COPY source',
    ...placeOf(row, read.line),
    message: `"${read.source}" ${why()}`,
  };

  function why(): string {
    if (isIgnored) return `is left out of ${context} by ${ignoreFile}`;
    if (gitIgnored.has(path))
      return `is not in a clean checkout: git ignores "${path}"; if a step makes it or fetches it, name it in "models"`;
    const elsewhere =
      snapshot.entryAt(read.source) !== undefined || read.source.includes('/') ? read.source : `/${read.source}`;
    const near = snapshot.entries.find(
      (entry) =>
        entry.path === read.source || entry.path.endsWith(elsewhere) || entry.path.startsWith(`${read.source}/`),
    );
    return `is not in ${context}${near === undefined ? '' : `; there is "${near.path}"`}`;
  }
}

/** Stages of a file that none of the rows built from it reaches. */
function unreachedStages(rows: readonly PlannedRow[]): readonly StaticFinding[] {
  const reached = new Map<PlannedRow['candidate']['dockerfile'], { row: PlannedRow; indexes: Set<number> }>();
  for (const row of rows) {
    const { dockerfile, build } = row.candidate;
    const known = reached.get(dockerfile) ?? { row, indexes: new Set() };
    for (const { index } of build.reached) known.indexes.add(index);
    reached.set(dockerfile, known);
  }
  return [...reached].flatMap(([{ stages }, { row, indexes }]) =>
    stages
      .filter(({ index }) => !indexes.has(index))
      .map(({ name, index, line }) => ({
        level: 'notice' as const,
        title: 'Unused stage',
        ...placeOf(row, line),
        message: `the stage ${name ?? index} feeds no image that is built from this file; a change in it builds nothing`,
      })),
  );
}

/** Reads of a whole context: what widened them, or the lines of an ignore file that would narrow them. */
function wideReads(row: PlannedRow, advice: readonly DockerignoreAdvice[]): readonly StaticFinding[] {
  const { candidate } = row;
  return candidate.selections.flatMap(({ read, widened, folder, entries }): readonly StaticFinding[] => {
    const place = { level: 'notice' as const, title: 'Reads everything', ...placeOf(row, read.line) };
    const all = `all ${entries.length} files of ${folder === '.' ? 'the repository' : `"${folder}"`} are inputs`;
    if (widened !== undefined) return [{ ...place, message: `${all}: ${widened}` }];
    if (read.source !== '' || read.from !== undefined) return [];
    const { file, lines } = advice.find(({ context }) => context === folder) ?? { file: '', lines: [] };
    if (lines.length === 0) return [];
    const shown = lines.slice(0, 8).join(', ');
    return [{ ...place, message: `${all}, also ${shown}; lines for them in ${file} would spare builds` }];
  });
}

/** What a definition says and a repository's file may not decide. */
function leftOutSettings({ row, candidate }: PlannedRow): readonly StaticFinding[] {
  const { leftOut, place } = candidate.definition;
  const { file = row.dockerfile, line = 1 } = place;
  return leftOut.map((key) => ({
    level: 'notice',
    title: 'Left out',
    file,
    line,
    message: `"${key}" of ${row.image} is not part of its rows: ${LEFT_OUT_KEYS.get(key.replaceAll('-', '_')) ?? 'the workflow gives it to the build step'}`,
  }));
}

/** A line of a row's Dockerfile; where that stands in a compose or bake file, the line of that file. */
function placeOf({ candidate }: PlannedRow, line: number): { readonly file: string; readonly line: number } {
  const { definition, dockerfile } = candidate;
  const isInline = definition.build['dockerfile-inline'] !== undefined;
  return { file: dockerfile.file, line: isInline ? (definition.place.line ?? 1) + line : line };
}

function refusedFinding({ file, line, reason }: RefusedImage): StaticFinding {
  return { level: 'problem', title: 'Not an image', file, line, message: reason };
}
