import { nameOf } from '../../core/images/definition.ts';
import type { Row } from '../../core/images/row.ts';
import type { PlannedRow } from '../../core/images/row-plan.ts';

/** More boxes are no picture any more. */
const SHOWN_NODES = 60;

/**
 * A Mermaid diagram of the rows that are built: base images from outside → images of the repository; those that are not
 * built this time have a dashed frame.
 */
export function rowGraph(rows: readonly Row[], planned: readonly PlannedRow[]): string {
  const ids = new Map<string, string>();
  const nodes: string[] = [];
  const edges = new Set<string>();
  const built = new Set(rows.map(({ id }) => id));
  const byId = new Map(planned.map((entry) => [entry.row.id, entry]));
  const node = (key: string, draw: (id: string) => string): string => {
    const known = ids.get(key);
    if (known !== undefined) return known;
    const id = `n${ids.size}`;
    ids.set(key, id);
    nodes.push(`  ${draw(id)}`);
    return id;
  };
  const image = ({ row }: PlannedRow): string => {
    const name = nameOf(row);
    return node(name, (id) => `${id}["${quote(name)}"]${built.has(row.id) ? '' : ':::kept'}`);
  };
  for (const entry of planned) {
    const { row, candidate } = entry;
    if (!built.has(row.id) || ids.size > SHOWN_NODES) continue;
    const self = image(entry);
    for (const parent of row.needs) {
      const of = byId.get(parent);
      if (of !== undefined) edges.add(`  ${image(of)} --> ${self}`);
    }
    const local = new Set(Object.keys(row.contexts));
    for (const base of candidate.build.images.filter((name) => !local.has(name)))
      edges.add(`  ${node(`base ${base}`, (id) => `${id}(["${quote(base)}"])`)} --> ${self}`);
  }
  const more = ids.size > SHOWN_NODES ? ['  more["… and more"]'] : [];
  const isMixed = nodes.some((line) => line.endsWith(':::kept'));
  const style = isMixed ? ['  classDef kept stroke-dasharray: 4'] : [];
  return edges.size === 0 ? '' : ['graph LR', ...nodes, ...edges, ...more, ...style].join('\n');
}

/** Mermaid reads entities; anything else of a hostile name stays out of its grammar. */
function quote(label: string): string {
  return label.slice(0, 100).replace(/[^\w ./:@-]/g, (sign) => `#${sign.codePointAt(0) ?? 63};`);
}
