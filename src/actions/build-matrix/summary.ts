import { nameOf } from '../../core/images/definition.ts';
import type { Discovery } from '../../core/images/discover.ts';
import { adviseIgnoring } from '../../core/images/dockerignore-advice.ts';
import type { Row } from '../../core/images/row.ts';
import type { PlannedRow } from '../../core/images/row-plan.ts';
import type { Comparison, RowSelection } from '../../core/images/row-selection.ts';
import { code, codeBlock, details, plain, table } from '../../core/report/markdown.ts';

/** More rows than a person reads; the outputs have them all. */
const SHOWN_ROWS = 300;
const SHOWN_NODES = 60;
const SHOWN_ADVICE = 10;

/** The job summary: rows with reasons, skipped rows with reasons, and what is built from what. */
export function planSummary(
  discovery: Discovery,
  comparison: Comparison,
  selection: RowSelection,
  planned: readonly PlannedRow[],
): string {
  const { rows, skipped } = selection;
  const against =
    comparison.kind === 'base' ? `Compared with ${comparison.description}.` : `Not compared: ${comparison.reason}.`;
  return [
    '## Build matrix',
    `${rows.length} of ${planned.length} rows are built. ${plain(against)} Images come from ${discovery.files.slice(0, 5).map(code).join(', ')}${discovery.files.length > 5 ? ' and more' : ''}.`,
    rows.length === 0
      ? ''
      : table(['Image', 'Variant', 'Platform', 'Wave', 'Runner', 'Why'], rows.slice(0, SHOWN_ROWS).map(rowCells)),
    rows.length > SHOWN_ROWS ? `… and ${rows.length - SHOWN_ROWS} rows more.` : '',
    skipped.length === 0 ? '' : details(`${skipped.length} rows are not built`, skippedTable(selection)),
    discovery.refused.length === 0
      ? ''
      : `### No images\n\n${table(
          ['File', 'Why'],
          discovery.refused.map(({ file, reason }) => [code(file), plain(reason)]),
        )}`,
    passedOver(discovery),
    ignoringAdvice(planned),
    rows.length === 0 ? '' : details('What is built from what', codeBlock(graph(rows, planned), 'mermaid')),
  ]
    .filter((part) => part !== '')
    .join('\n\n');
}

function passedOver({ passedOver: files }: Discovery): string {
  if (files.length === 0) return '';
  const rows = files.slice(0, SHOWN_ROWS).map(({ file, reason }) => [code(file), plain(reason)]);
  const body = `${table(['Dockerfile', 'Why not'], rows)}\n\nName those to build with the input \`files\`.`;
  return details(`${files.length} Dockerfiles were passed over`, body);
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

function rowCells(row: Row): readonly string[] {
  return [
    code(row.image),
    row.variant === '' ? '' : code(row.variant),
    code(row.platform),
    String(row.wave),
    code(row.runner),
    plain(row.exists ? `${row.reason}; the registry holds it already` : row.reason),
  ];
}

function skippedTable({ skipped }: RowSelection): string {
  return table(
    ['Row', 'Why not'],
    skipped.slice(0, SHOWN_ROWS).map(({ id, reason }) => [code(id), plain(reason)]),
  );
}

/** A mermaid diagram: base images from outside → images of the repository, those that are built in bold frames. */
function graph(rows: readonly Row[], planned: readonly PlannedRow[]): string {
  const ids = new Map<string, string>();
  const nodes: string[] = [];
  const edges = new Set<string>();
  const node = (key: string, label: string, shape: 'image' | 'base'): string => {
    const known = ids.get(key);
    if (known !== undefined) return known;
    const id = `n${ids.size}`;
    ids.set(key, id);
    nodes.push(shape === 'image' ? `  ${id}["${quote(label)}"]` : `  ${id}(["${quote(label)}"])`);
    return id;
  };
  const built = new Set(rows.map(({ id }) => id));
  const byId = new Map(planned.map((entry) => [entry.row.id, entry]));
  for (const { row, candidate } of planned) {
    if (!built.has(row.id) || ids.size > SHOWN_NODES) continue;
    const self = node(nameOf(row), nameOf(row), 'image');
    const local = new Set(Object.keys(row.contexts));
    for (const parent of row.needs) {
      const of = byId.get(parent);
      if (of !== undefined) edges.add(`  ${node(nameOf(of.row), nameOf(of.row), 'image')} --> ${self}`);
    }
    for (const image of candidate.build.images.filter((name) => !local.has(name)))
      edges.add(`  ${node(`base ${image}`, image, 'base')} --> ${self}`);
  }
  const more = ids.size > SHOWN_NODES ? ['  more["… and more"]'] : [];
  return ['graph LR', ...nodes, ...edges, ...more].join('\n');
}

/** Mermaid reads entities; anything else of a hostile name stays out of its grammar. */
function quote(label: string): string {
  return label.slice(0, 100).replace(/[^\w ./:@-]/g, (sign) => `#${sign.codePointAt(0) ?? 63};`);
}
