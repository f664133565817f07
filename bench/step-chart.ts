/** A line that keeps each value until the next, as sums over a day do. */
export interface Steps {
  readonly name: string;
  readonly points: readonly { readonly x: number; readonly y: number }[];
}

export interface StepChart {
  readonly title: string;
  readonly xTitle: string;
  readonly xTop: number;
  /** Powers of ten, the first and the last of the axis. */
  readonly yPowers: readonly [number, number];
  readonly unit: string;
  readonly lines: readonly Steps[];
  readonly limit?: { readonly name: string; readonly value: number };
}

const [WIDTH, HEIGHT] = [480, 330];
const [LEFT, RIGHT, TOP, BOTTOM] = [74, 120, 44, 48];
/** Names beside lines that end close to each other are moved apart. */
const NAME_HEIGHT = 15;

/** Colours that can be told apart by all, on light and on dark ground (Okabe and Ito, lightened where it is dark). */
const STYLE = `<style>
text{fill:#24292f}.faint{fill:#57606a}.grid{stroke:#d0d7de}.ground{fill:#fff}.limit{stroke:#cf222e;stroke-dasharray:5 4}.limit-name{fill:#cf222e}
.line{fill:none;stroke-width:2}.s0{stroke:#57606a}.s1{stroke:#0072b2}.s2{stroke:#b35900}.s3{stroke:#00795a}
.n0{fill:#57606a}.n1{fill:#0072b2}.n2{fill:#b35900}.n3{fill:#00795a}
@media (prefers-color-scheme:dark){text{fill:#e6edf3}.faint{fill:#9198a1}.grid{stroke:#3d444d}.ground{fill:#0d1117}.limit{stroke:#ff7b72}.limit-name{fill:#ff7b72}
.s0{stroke:#9198a1}.s1{stroke:#56b4e9}.s2{stroke:#e69f00}.s3{stroke:#2fbf96}.n0{fill:#9198a1}.n1{fill:#56b4e9}.n2{fill:#e69f00}.n3{fill:#2fbf96}}
</style>`;

/** Charts side by side as SVG, each with a logarithmic axis and its lines named where they end; four lines at most. */
export function drawStepCharts(charts: readonly StepChart[]): string {
  const width = WIDTH * charts.length;
  const parts = charts.map((chart, index) => `<g transform="translate(${index * WIDTH} 0)">${drawChart(chart)}</g>`);
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${HEIGHT}" viewBox="0 0 ${width} ${HEIGHT}" font-family="system-ui, sans-serif" font-size="12">${STYLE}<rect class="ground" width="${width}" height="${HEIGHT}"/>${parts.join('')}</svg>\n`;
}

function drawChart({ title, xTitle, xTop, yPowers, unit, lines, limit }: StepChart): string {
  const [lowest, highest] = yPowers;
  const right = WIDTH - RIGHT;
  const bottom = HEIGHT - BOTTOM;
  const xOf = (x: number): number => round(LEFT + (x / xTop) * (right - LEFT));
  const yOf = (y: number): number => {
    const power = Math.max(lowest, Math.log10(y));
    return round(bottom - ((power - lowest) / (highest - lowest)) * (bottom - TOP));
  };
  const powers = Array.from({ length: highest - lowest + 1 }, (_, index) => lowest + index);
  const hours = [0, 0.2, 0.4, 0.6, 0.8, 1].map((part) => part * xTop);
  const ends = lines.map(({ points }) => yOf(points.at(-1)?.y ?? 0));
  return [
    `<text x="${LEFT}" y="20" font-size="14" font-weight="600">${title}</text>`,
    ...powers.map(
      (power) =>
        `<line class="grid" x1="${LEFT}" y1="${yOf(10 ** power)}" x2="${right}" y2="${yOf(10 ** power)}"/>` +
        `<text class="faint" x="${LEFT - 8}" y="${yOf(10 ** power) + 4}" text-anchor="end">${(10 ** power).toLocaleString('en')}</text>`,
    ),
    `<text class="faint" x="${LEFT}" y="36">${unit}</text>`,
    ...hours.map((x) => `<text class="faint" x="${xOf(x)}" y="${bottom + 18}" text-anchor="middle">${round(x)}</text>`),
    `<text class="faint" x="${(LEFT + right) / 2}" y="${HEIGHT - 10}" text-anchor="middle">${xTitle}</text>`,
    ...(limit === undefined
      ? []
      : [
          `<line class="limit" x1="${LEFT}" y1="${yOf(limit.value)}" x2="${right}" y2="${yOf(limit.value)}"/>`,
          `<text class="limit-name" x="${right + 6}" y="${yOf(limit.value) + 4}">${limit.name}</text>`,
        ]),
    ...lines.map(
      ({ points }, index) =>
        `<polyline class="line s${index}" points="${stepsOf(points, xTop)
          .map(({ x, y }) => `${xOf(x)},${yOf(y)}`)
          .join(' ')}"/>`,
    ),
    ...spread(ends).map(
      (y, index) => `<text class="n${index}" x="${right + 6}" y="${y + 4}">${lines[index]?.name ?? ''}</text>`,
    ),
  ].join('');
}

function stepsOf(points: Steps['points'], xTop: number): Steps['points'] {
  const stepped = points.flatMap(({ x, y }, index) => [
    { x, y: points[index - 1]?.y ?? 0 },
    { x, y },
  ]);
  return [...stepped, { x: xTop, y: points.at(-1)?.y ?? 0 }];
}

/** Moves heights apart, downwards, as little as keeps names legible. */
function spread(heights: readonly number[]): readonly number[] {
  const placed = [...heights];
  const order = heights.map((_, index) => index).sort((a, b) => (heights[a] ?? 0) - (heights[b] ?? 0));
  let last = Number.NEGATIVE_INFINITY;
  for (const index of order) {
    last = Math.max(placed[index] ?? 0, last + NAME_HEIGHT);
    placed[index] = last;
  }
  return placed;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
