import { posix } from 'node:path';
import picomatch from 'picomatch';
import type { Finding } from '../runner/log.ts';
import type { RefusedImage } from './compose-file.ts';
import type { ContextSelection } from './context-files.ts';
import type { PlannedRow } from './row-plan.ts';
import type { Snapshot } from './snapshot.ts';

/** A remark on the repository; a `problem` is one that a build fails by. */
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
  const findings = [
    ...refused.map(refusedFinding),
    ...rows.flatMap((row) => missingOf(row).map((missing) => missingFinding(missing, snapshot, gitIgnored))),
    ...unreachedStages(rows),
    ...rows.flatMap(wideReads),
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
  const { dockerfile, ignoreFile } = row.candidate;
  const context = folder === '.' ? 'the context (the root)' : `the context "${folder}"`;
  return {
    level: 'problem',
    title: 'COPY source',
    file: dockerfile.file,
    line: read.line,
    message: `"${read.source}" ${why()}`,
  };

  function why(): string {
    if (isIgnored) return `is left out of ${context} by ${ignoreFile}`;
    if (gitIgnored.has(path))
      return `is not in a clean checkout: git ignores "${path}"; if a step makes it or fetches it, name it in "models"`;
    const elsewhere = snapshot.byPath.has(read.source) || read.source.includes('/') ? read.source : `/${read.source}`;
    const near = snapshot.entries.find(
      (entry) =>
        entry.path === read.source || entry.path.endsWith(elsewhere) || entry.path.startsWith(`${read.source}/`),
    );
    return `is not in ${context}${near === undefined ? '' : `; there is "${near.path}"`}`;
  }
}

/** Stages of a file that none of the rows built from it reaches. */
function unreachedStages(rows: readonly PlannedRow[]): readonly StaticFinding[] {
  const reached = new Map<PlannedRow['candidate']['dockerfile'], Set<number>>();
  for (const { candidate } of rows) {
    const stages = reached.get(candidate.dockerfile) ?? new Set();
    for (const { index } of candidate.build.reached) stages.add(index);
    reached.set(candidate.dockerfile, stages);
  }
  return [...reached].flatMap(([{ file, stages }, indexes]) =>
    stages
      .filter(({ index }) => !indexes.has(index))
      .map(({ name, index, line }) => ({
        level: 'notice' as const,
        title: 'Unused stage',
        file,
        line,
        message: `the stage ${name ?? index} feeds no image that is built from this file; a change in it builds nothing`,
      })),
  );
}

/** Folders and files that hardly any image needs, and that a whole context so often holds. */
const SELDOM_NEEDED =
  /^(?:\.git(?:hub|lab|ignore|attributes)?|\.vscode|\.idea|docs?|tests?|examples?|[A-Z]+\.md|LICENSE.*|(?:docker-)?compose.*\.ya?ml|\.dockerignore|Dockerfile.*)$/;

/** Reads of a whole context: what widened them, or the ignore file that would narrow them. */
function wideReads({ candidate }: PlannedRow): readonly StaticFinding[] {
  const { file } = candidate.dockerfile;
  return candidate.selections.flatMap(({ read, widened, folder, entries }): readonly StaticFinding[] => {
    const place = { level: 'notice' as const, file, line: read.line };
    const context = folder === '.' ? 'the repository' : `"${folder}"`;
    if (widened !== undefined)
      return [
        {
          ...place,
          title: 'Reads everything',
          message: `all ${entries.length} files of ${context} are inputs: ${widened}`,
        },
      ];
    if (read.source !== '' || read.from !== undefined) return [];
    const top = new Set(entries.map(({ path }) => path.split('/', 1)[0] ?? ''));
    const seldom = [...top].filter((name) => SELDOM_NEEDED.test(name));
    if (seldom.length === 0) return [];
    return [
      {
        ...place,
        title: 'Reads everything',
        message: `all ${entries.length} files of ${context} are inputs, also ${seldom.slice(0, 8).join(', ')}; lines for them in .dockerignore would spare builds`,
      },
    ];
  });
}

function refusedFinding({ file, line, reason }: RefusedImage): StaticFinding {
  return { level: 'problem', title: 'Not an image', file, line, message: reason };
}
