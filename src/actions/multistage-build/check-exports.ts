import { existsSync } from 'node:fs';
import { join, posix } from 'node:path';
import { readExportedFiles } from '../../core/buildkit/exported-files.ts';
import type { CheckResult } from '../../core/buildkit/image-checks.ts';
import { findLayerOrigins } from '../../core/buildkit/layer-origin.ts';
import { formatBytes } from '../../core/report/markdown.ts';
import type { BuildPlan, PlannedExport } from './plan.ts';

/** Builds a target of the plan again, from the builder's cache, into a layout folder; passed in by `run`. */
export type BuildLayout = (target: string, layout: string) => Promise<boolean>;

export interface ExportResult {
  readonly folder: string;
  readonly size: number;
  readonly files: number;
  readonly results: readonly CheckResult[];
}

const SHOWN_PATHS = 5;

/** Checks the exported folders. For a file that must not be there, or be smaller, the stage's layers tell who brought it in. */
export async function checkExports(
  plan: BuildPlan,
  privateFolder: string,
  buildLayout: BuildLayout,
): Promise<readonly ExportResult[]> {
  const checked: ExportResult[] = [];
  for (const [index, wanted] of plan.exports.entries()) {
    const { size, files, largest, forbidden } = await readExportedFiles(wanted.destination, plan.rules.forbidPaths);
    const explain = (paths: readonly string[]): Promise<string> =>
      explainPaths(paths, wanted, join(privateFolder, `export-origin-${index}`), buildLayout);
    const results: CheckResult[] = [];
    if (plan.maxExportSize !== undefined) {
      const hasPassed = size <= plan.maxExportSize;
      const measured = `${formatBytes(size)} of at most ${formatBytes(plan.maxExportSize)} in ${files} files`;
      const blame =
        hasPassed || largest === undefined
          ? ''
          : `; the largest has ${formatBytes(largest.size)}: ${await explain([largest.path])}`;
      results.push({ check: 'max-export-size', hasPassed, finding: `${measured}${blame}` });
    }
    if (plan.rules.forbidPaths.length > 0) {
      const hasPassed = forbidden.length === 0;
      const finding = hasPassed ? 'the folder holds no forbidden path' : await explain(forbidden);
      results.push({ check: 'forbid-paths', hasPassed, finding });
    }
    checked.push({ folder: wanted.folder, size, files, results });
  }
  return checked;
}

/** Each path with the layer of the stage, and the instruction, that it comes from. */
async function explainPaths(
  paths: readonly string[],
  wanted: PlannedExport,
  layout: string,
  buildLayout: BuildLayout,
): Promise<string> {
  const inStage = (path: string): string => posix.join(wanted.source, path);
  const shown = paths.slice(0, SHOWN_PATHS);
  const origins =
    existsSync(layout) || (await buildLayout(wanted.from, layout))
      ? await findLayerOrigins(layout, shown.map(inStage))
      : new Map<string, never>();
  const each = shown.map((path) => {
    const origin = origins.get(inStage(path));
    const by =
      origin === undefined ? '' : ` in layer ${origin.digest.slice(0, 19)} by ${origin.instruction.slice(0, 200)}`;
    return `${posix.join(wanted.folder, path)}${by}`;
  });
  const more = paths.length > shown.length ? `; and ${paths.length - shown.length} more` : '';
  return `${each.join('; ')}${more}`;
}

/** The checks that failed, as sentences. */
export function failedExportChecks(exports: readonly ExportResult[]): readonly string[] {
  return exports.flatMap(({ folder, results }) =>
    results.filter(({ hasPassed }) => !hasPassed).map(({ check, finding }) => `${folder}: ${check}: ${finding}`),
  );
}
