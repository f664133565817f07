/** Expands `strategy.matrix` into rows as GitHub does ("Running variations of jobs in a workflow"). */
import { isDeepStrictEqual } from 'node:util';
import { asMapping, type YamlMapping } from '../runner/action-file.ts';
import { WorkflowError } from './workflow-error.ts';

export type MatrixRow = YamlMapping;

export interface Strategy {
  /** One empty row for a job without a matrix. */
  readonly rows: readonly MatrixRow[];
  readonly hasMatrix: boolean;
  readonly failFast: boolean;
  readonly maxParallel: number | undefined;
}

/** GitHub's limit for one job. */
export const maxRows = 256;

/** @param strategy The `strategy` of a job with its expressions evaluated. @throws WorkflowError for an empty matrix. */
export function readStrategy(strategy: unknown): Strategy {
  const fields = asMapping(strategy, 'strategy');
  for (const key of Object.keys(fields)) {
    if (!['matrix', 'fail-fast', 'max-parallel'].includes(key))
      throw new WorkflowError(`strategy: Unexpected value '${key}'`);
  }
  const hasMatrix = fields['matrix'] !== undefined;
  const maxParallel = fields['max-parallel'];
  return {
    rows: hasMatrix ? expandMatrix(fields['matrix']) : [{}],
    hasMatrix,
    failFast: fields['fail-fast'] === undefined ? true : String(fields['fail-fast']) === 'true',
    maxParallel: maxParallel === undefined ? undefined : Number(maxParallel),
  };
}

export function expandMatrix(matrix: unknown): readonly MatrixRow[] {
  if (matrix === null || typeof matrix !== 'object' || Array.isArray(matrix)) {
    throw new WorkflowError('strategy.matrix must be a mapping');
  }
  const { include, exclude, ...vectors } = asMapping(matrix, 'strategy.matrix');
  const includes = rowList(include, 'include');
  const excludes = rowList(exclude, 'exclude');
  for (const [name, values] of Object.entries(vectors)) {
    if (!Array.isArray(values)) throw new WorkflowError(`Matrix vector '${name}' must be a list`);
    if (values.length === 0) throw new WorkflowError(`Matrix vector '${name}' does not contain any values`);
  }
  if (Object.keys(vectors).length === 0 && includes.length === 0) {
    throw new WorkflowError('Matrix must define at least one vector');
  }
  const product = productOf(vectors).filter((row) => !excludes.some((pattern) => matchesRow(row, pattern)));
  const rows = applyIncludes(product, includes, new Set(Object.keys(vectors)));
  if (rows.length === 0) throw new WorkflowError('The matrix is empty: every row is excluded');
  if (rows.length > maxRows)
    throw new WorkflowError(`The matrix has ${rows.length} rows, more than the ${maxRows} that GitHub allows`);
  return rows;
}

function rowList(value: unknown, name: string): readonly YamlMapping[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) throw new WorkflowError(`strategy.matrix.${name} must be a list`);
  return value.map((row) => asMapping(row, `strategy.matrix.${name}`));
}

function productOf(vectors: YamlMapping): readonly MatrixRow[] {
  const names = Object.keys(vectors);
  if (names.length === 0) return [];
  return names.reduce<readonly MatrixRow[]>(
    (rows, name) => {
      const values: unknown = vectors[name];
      return rows.flatMap((row) =>
        (Array.isArray(values) ? values : []).map((value) => ({ ...row, [name]: value as unknown })),
      );
    },
    [{}],
  );
}

function matchesRow(row: MatrixRow, pattern: YamlMapping): boolean {
  return Object.entries(pattern).every(([key, value]) => isDeepStrictEqual(row[key], value));
}

/** An include extends every row whose original values it does not change, and becomes a row of its own otherwise. */
function applyIncludes(
  product: readonly MatrixRow[],
  includes: readonly YamlMapping[],
  vectorNames: ReadonlySet<string>,
): readonly MatrixRow[] {
  const extended = product.map((row) => ({ original: row, row }));
  const added: MatrixRow[] = [];
  for (const include of includes) {
    const keys = Object.keys(include).filter((key) => vectorNames.has(key));
    let isUsed = false;
    for (const entry of extended) {
      if (!keys.every((key) => isDeepStrictEqual(entry.original[key], include[key]))) continue;
      entry.row = { ...entry.row, ...include };
      isUsed = true;
    }
    if (!isUsed) added.push(include);
  }
  return [...extended.map((entry) => entry.row), ...added];
}

/** The part GitHub puts in brackets after a job's name. */
export function rowLabel(row: MatrixRow): string {
  const values = Object.values(row).filter((value) => value !== null && typeof value !== 'object');
  return values.length === 0 ? '' : ` (${values.join(', ')})`;
}
