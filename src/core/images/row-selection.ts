import { posix } from 'node:path';
import type { ContextEntry } from '../dockerfile/context.ts';
import type { GlobList } from '../runner/input-grammar.ts';
import { nameOf } from './definition.ts';
import { createMatcher } from './glob-list.ts';
import type { Row } from './row.ts';
import type { PlannedRow } from './row-plan.ts';

/** A path that differs between the base and what is built. */
export interface ChangedPath {
  readonly path: string;
  readonly kind: 'added' | 'changed' | 'deleted';
}

/** What the rows are compared with. */
export type Comparison =
  | { readonly kind: 'everything'; readonly reason: string }
  | {
      readonly kind: 'base';
      readonly rows: readonly PlannedRow[];
      readonly changes: readonly ChangedPath[];
      readonly description: string;
    };

/** What a registry says of rows' images, where it was asked. */
export interface RegistryAnswers {
  /** By row id: whether it holds an image of the row's inputs. */
  readonly holds: ReadonlyMap<string, boolean>;
  /** True where rows whose image it lacks are built although nothing changed. */
  readonly buildsMissing: boolean;
}

export interface SelectionOptions {
  readonly include: GlobList;
  readonly exclude: GlobList;
  /** Globs over changed paths that rebuild everything. */
  readonly always: GlobList;
}

export interface SkippedRow {
  readonly id: string;
  readonly image: string;
  readonly variant: string;
  readonly platform: string;
  readonly reason: string;
}

export interface RowSelection {
  readonly rows: readonly Row[];
  readonly skipped: readonly SkippedRow[];
}

/** Paths may be long, rows must be small: GitHub keeps 1 MB of a job's outputs. */
const MAX_REASON = 300;

/**
 * Chooses the rows to build: those whose inputs differ from the base's row of the same id, with the reason, and the
 * rows they are built from. Where nothing is known to compare with, all of them.
 */
export function selectRows(
  planned: readonly PlannedRow[],
  comparison: Comparison,
  options: SelectionOptions,
  { holds, buildsMissing }: RegistryAnswers = { holds: new Map(), buildsMissing: false },
): RowSelection {
  const whyLeftOut = createFilter(options);
  const reasons = new Map<string, string>();
  const skipped = new Map<string, string>();
  const whyOf = reasonFinder(comparison, options.always);
  for (const entry of planned) {
    const leftOut = whyLeftOut(entry);
    if (leftOut !== undefined) skipped.set(entry.row.id, leftOut);
    else {
      const isMissing = buildsMissing && holds.get(entry.row.id) === false;
      const why = whyOf(entry) ?? (isMissing ? 'the registry holds no image of its inputs' : undefined);
      if (why === undefined) skipped.set(entry.row.id, unchanged(comparison));
      else reasons.set(entry.row.id, why.slice(0, MAX_REASON));
    }
  }
  takeParents(planned, reasons, skipped);
  return {
    rows: planned.flatMap(({ row }) => {
      const reason = reasons.get(row.id);
      return reason === undefined ? [] : [{ ...keepLinks(row, reasons), exists: holds.get(row.id) === true, reason }];
    }),
    skipped: planned.flatMap(({ row: { id, image, variant, platform } }) => {
      const reason = skipped.get(id);
      return reason === undefined ? [] : [{ id, image, variant, platform, reason }];
    }),
  };
}

/** The rows that `include` and `exclude` leave. */
export function considerRows(
  planned: readonly PlannedRow[],
  options: Pick<SelectionOptions, 'include' | 'exclude'>,
): readonly PlannedRow[] {
  const whyLeftOut = createFilter(options);
  return planned.filter((entry) => whyLeftOut(entry) === undefined);
}

function createFilter({
  include,
  exclude,
}: Pick<SelectionOptions, 'include' | 'exclude'>): (entry: PlannedRow) => string | undefined {
  const isIncluded = createMatcher(include);
  const isExcluded = createMatcher(exclude);
  return ({ row }) => {
    const names = [row.id, nameOf(row), row.image, row.variant, row.platform];
    if (include.length > 0 && !isIncluded(...names)) return '"include" leaves it out';
    return isExcluded(...names) ? '"exclude" leaves it out' : undefined;
  };
}

function unchanged(comparison: Comparison): string {
  return comparison.kind === 'base' ? `nothing it reads changed since ${comparison.description}` : '';
}

/** A row's parents are built with it: nothing here says that a registry holds them. Children come last, so one pass from the end does. */
function takeParents(planned: readonly PlannedRow[], reasons: Map<string, string>, skipped: Map<string, string>): void {
  for (const { row } of planned.toReversed()) {
    if (!reasons.has(row.id)) continue;
    for (const parent of row.needs) {
      const isLeftOut = skipped.get(parent)?.startsWith('"') === true;
      if (reasons.has(parent) || isLeftOut) continue;
      reasons.set(parent, `${nameOf(row)} is built from it`);
      skipped.delete(parent);
    }
  }
}

/** A parent that the user left out is taken from where the Dockerfile says. */
function keepLinks(row: PlannedRow['row'], selected: ReadonlyMap<string, string>): PlannedRow['row'] {
  const contexts = Object.entries(row.contexts).filter(
    ([, source]) => !source.startsWith('row:') || selected.has(source.slice('row:'.length)),
  );
  return { ...row, needs: row.needs.filter((id) => selected.has(id)), contexts: Object.fromEntries(contexts) };
}

function reasonFinder(comparison: Comparison, always: GlobList): (entry: PlannedRow) => string | undefined {
  if (comparison.kind === 'everything') return () => `everything is built: ${comparison.reason}`;
  const rebuildsAll = createMatcher(always);
  const trigger = comparison.changes.find(({ path }) => rebuildsAll(path));
  if (trigger !== undefined) return () => `everything is built: ${trigger.path} ${trigger.kind}, which "always" names`;
  const base = new Map(comparison.rows.map((entry) => [entry.row.id, entry]));
  return (entry) => {
    const before = base.get(entry.row.id);
    if (before === undefined) return 'it is new';
    return before.row.inputs === entry.row.inputs ? undefined : whyChanged(entry, before, comparison.changes);
  };
}

const SHOWN_PATHS = 3;

/** The parts of two rows that differ, in words. */
function whyChanged(head: PlannedRow, base: PlannedRow, changes: readonly ChangedPath[]): string {
  const reasons: string[] = [];
  if (head.parts.files !== base.parts.files) reasons.push(whichFiles(head, base, changes));
  if (head.parts.instructions !== base.parts.instructions)
    reasons.push(`instructions of ${head.row.dockerfile} changed`);
  if (head.parts.settings !== base.parts.settings) reasons.push('its definition changed');
  if (head.parts.parents !== base.parts.parents) reasons.push('an image it is built from changed');
  return reasons.join('; ');
}

function whichFiles(head: PlannedRow, base: PlannedRow, changes: readonly ChangedPath[]): string {
  const isRead = readTest([head, base]);
  const shown: string[] = [];
  for (const { path, kind } of changes) {
    if (!isRead(path)) continue;
    if (shown.length === SHOWN_PATHS) return `${shown.join(', ')}, and more`;
    shown.push(`${path} ${kind}`);
  }
  if (shown.length > 0) return shown.join(', ');
  return changes.some(({ path }) => path === (head.candidate.ignoreFile ?? base.candidate.ignoreFile))
    ? `${head.candidate.ignoreFile ?? base.candidate.ignoreFile} changed`
    : 'what it reads changed';
}

/** Sets are kept by list: rows that read the same share the list. */
const pathSets = new WeakMap<readonly ContextEntry[], ReadonlySet<string>>();

function readTest(rows: readonly PlannedRow[]): (path: string) => boolean {
  const tests = rows.flatMap(({ candidate }) =>
    candidate.selections.map(({ folder, entries }) => {
      const paths = pathSets.get(entries) ?? new Set(entries.map(({ path }) => path));
      pathSets.set(entries, paths);
      return (path: string) => {
        if (folder === '.') return paths.has(path);
        return path.startsWith(`${folder}/`) && paths.has(posix.relative(folder, path));
      };
    }),
  );
  return (path) => tests.some((test) => test(path));
}
