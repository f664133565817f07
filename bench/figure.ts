/** One measured figure beside what it is held against: a limit of the project's, or a peer measured in the same run. */
export interface Figure {
  readonly name: string;
  readonly value: number;
  /** `times`: as often as long as what the name says. */
  readonly unit: 's' | 'MB' | 'requests' | 'MB/s' | 'times' | '%';
  readonly against: { readonly name: string; readonly value: number };
}

/** The figures as a table; the last column is the ratio, which holds on any machine, and how it compares with the limit. */
export function formatFigures(figures: readonly Figure[]): string {
  const head = ['figure', 'value', 'against', 'value', 'ratio'];
  const rows = figures.map(({ name, value, unit, against }) => [
    name,
    `${show(value)} ${unit}`,
    against.name,
    `${show(against.value)} ${unit}`,
    (value / against.value).toFixed(2),
  ]);
  const widths = head.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)));
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd();
  return [line(head), line(widths.map((width) => '-'.repeat(width))), ...rows.map(line)].join('\n');
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}

function show(value: number): string {
  return value >= 100 ? value.toFixed(0) : value.toFixed(3);
}
