import type { Discovery } from '../../core/images/discover.ts';
import { adviseIgnoring } from '../../core/images/dockerignore-advice.ts';
import type { Row } from '../../core/images/row.ts';
import type { PlannedRow } from '../../core/images/row-plan.ts';
import type { Comparison, RowSelection } from '../../core/images/row-selection.ts';
import { code, codeBlock, counted, details, numbers, plain, table } from '../../core/report/markdown.ts';
import { rowGraph } from './row-graph.ts';

const SHOWN_OF_REASON = 40;
const SHOWN_ADVICE = 10;

/** The job summary: rows with reasons, skipped rows with reasons, and what is built from what. */
export function planSummary(
  discovery: Discovery,
  comparison: Comparison,
  selection: RowSelection,
  planned: readonly PlannedRow[],
): string {
  const { rows, skipped } = selection;
  const graph = rows.length === 0 ? '' : rowGraph(rows, planned);
  return [
    `## Build matrix: ${rows.length} of ${planned.length} rows to build`,
    lead(discovery, comparison, rows),
    rows.length === 0 ? '' : rowTable(rows, comparison),
    discovery.refused.length === 0
      ? ''
      : `### No images\n\n${table(
          ['File', 'Why'],
          discovery.refused.map(({ file, reason }) => [code(file), plain(reason)]),
        )}`,
    skipped.length === 0
      ? ''
      : details(`${counted(skipped.length, 'row')} not to build, and why`, skippedTable(selection)),
    passedOver(discovery),
    ignoringAdvice(planned),
    graph === '' ? '' : details('What is built from what', codeBlock(graph, 'mermaid')),
  ]
    .filter((part) => part !== '')
    .join('\n\n');
}

/** Against what was compared, what all rows have in common, and where the images are written down. */
function lead({ files }: Discovery, comparison: Comparison, rows: readonly Row[]): string {
  const against =
    comparison.kind === 'base'
      ? `Compared with ${comparison.description}.`
      : `Built without comparison: ${comparison.reason}.`;
  const platform = common(rows, (row) => row.platform);
  const runner = common(rows, (row) => row.runner);
  const place = [platform === undefined ? '' : code(platform), runner === undefined ? '' : `on ${code(runner)}`].filter(
    (part) => part !== '',
  );
  const read = files.slice(0, 5).map(code).join(', ');
  return [
    plain(against),
    ...(place.length === 0 ? [] : [`For ${place.join(' ')}.`]),
    `Images come from ${read}${files.length > 5 ? ' and more' : ''}.`,
  ].join(' ');
}

/** What all rows have alike stands in the text above, and needs no column. */
function rowTable(rows: readonly Row[], comparison: Comparison): string {
  const cellOf = (value: (row: Row) => string): ((row: Row) => string) =>
    common(rows, value) === undefined ? (row) => code(value(row)) : () => '';
  const platform = cellOf((row) => row.platform);
  const runner = cellOf((row) => row.runner);
  const hasWaves = common(rows, ({ wave }) => String(wave)) === undefined;
  const isSaidAbove = comparison.kind === 'everything' && common(rows, whyBuilt)?.endsWith(comparison.reason) === true;
  return table(
    ['Image', 'Variant', 'Platform', numbers('Wave'), 'Runner', 'Why'],
    rows.map((row) => [
      code(row.image),
      row.variant === '' ? '' : code(row.variant),
      platform(row),
      hasWaves ? String(row.wave) : '',
      runner(row),
      isSaidAbove ? '' : plain(whyBuilt(row)),
    ]),
  );
}

function whyBuilt({ exists, reason }: Row): string {
  return exists ? `${reason}; the registry holds it already` : reason;
}

function common(rows: readonly Row[], value: (row: Row) => string): string | undefined {
  const [first, ...others] = new Set(rows.map(value));
  return others.length === 0 ? first : undefined;
}

/** Rows of one reason stand together: mostly there is one for nearly all. */
function skippedTable({ skipped }: RowSelection): string {
  return table(
    ['Why not', 'Rows'],
    [...Map.groupBy(skipped, ({ reason }) => reason)].map(([reason, those]) => {
      const names = those.slice(0, SHOWN_OF_REASON).map(({ id }) => code(id));
      const more = those.length > SHOWN_OF_REASON ? [`and ${those.length - SHOWN_OF_REASON} more`] : [];
      return [plain(reason), [...names, ...more].join(', ')];
    }),
  );
}

function passedOver({ passedOver: files }: Discovery): string {
  if (files.length === 0) return '';
  const rows = files.map(({ file, reason }) => [code(file), plain(reason)]);
  const body = `${table(['Dockerfile', 'Why not'], rows)}\n\nName those to build with the input \`files\`.`;
  return details(`${counted(files.length, 'Dockerfile')} passed over`, body);
}

/** For every `COPY . .`: the ignore file that would spare builds. */
function ignoringAdvice(planned: readonly PlannedRow[]): string {
  const advice = adviseIgnoring(planned).slice(0, SHOWN_ADVICE);
  if (advice.length === 0) return '';
  const parts = advice.map(
    ({ file, dockerfiles, count, lines }) =>
      `${dockerfiles.slice(0, 5).map(code).join(', ')}: ${count} files are inputs. Lines for ${code(file)}:\n\n${codeBlock(lines.join('\n'))}`,
  );
  return details('What a .dockerignore would spare', parts.join('\n\n'));
}
