export interface Chart {
  readonly title: string;
  readonly xTitle: string;
  readonly yTitle: string;
  readonly points: readonly { readonly x: number; readonly y: number }[];
}

const [WIDTH, HEIGHT] = [460, 320];
const [LEFT, RIGHT, TOP, BOTTOM] = [64, 24, 44, 56];

/** Charts side by side as SVG: measured points, and the straight line that fits them best (least squares) with its R². */
export function drawCharts(charts: readonly Chart[]): string {
  const width = WIDTH * charts.length;
  const parts = charts.map((chart, index) => `<g transform="translate(${index * WIDTH} 0)">${drawChart(chart)}</g>`);
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${HEIGHT}" viewBox="0 0 ${width} ${HEIGHT}" font-family="system-ui, sans-serif" font-size="12" fill="#24292f"><rect width="${width}" height="${HEIGHT}" fill="#fff"/>${parts.join('')}</svg>\n`;
}

function drawChart({ title, xTitle, yTitle, points }: Chart): string {
  const xTop = ceiling(Math.max(...points.map(({ x }) => x)));
  const yTop = ceiling(Math.max(...points.map(({ y }) => y)));
  const place = (x: number, y: number): [number, number] => [
    round(LEFT + (x / xTop) * (WIDTH - LEFT - RIGHT)),
    round(HEIGHT - BOTTOM - (y / yTop) * (HEIGHT - TOP - BOTTOM)),
  ];
  const fit = fitLine(points);
  const [x1, y1] = place(0, fit.start);
  const [x2, y2] = place(xTop, fit.start + fit.slope * xTop);
  const ticks = [0, 0.25, 0.5, 0.75, 1];
  const middle = (LEFT + WIDTH - RIGHT) / 2;
  return [
    `<text x="${middle}" y="18" text-anchor="middle" font-size="14" font-weight="600">${title}</text>`,
    `<text x="${middle}" y="35" text-anchor="middle" fill="#57606a">line of best fit: R² = ${fit.rSquared.toFixed(3)}</text>`,
    ...ticks.flatMap((part) => {
      const [x, y] = place(part * xTop, part * yTop);
      const [left, bottom] = place(0, 0);
      return [
        `<line x1="${left}" y1="${y}" x2="${WIDTH - RIGHT}" y2="${y}" stroke="#d0d7de"/>`,
        `<text x="${left - 8}" y="${y + 4}" text-anchor="end">${label(part * yTop)}</text>`,
        `<text x="${x}" y="${bottom + 18}" text-anchor="middle">${label(part * xTop)}</text>`,
      ];
    }),
    `<line x1="${x1}" y1="${y1}" x2="${x2}" y2="${y2}" stroke="#0969da" stroke-width="1.5" stroke-dasharray="5 4"/>`,
    ...points.map(({ x, y }) => {
      const [cx, cy] = place(x, y);
      return `<circle cx="${cx}" cy="${cy}" r="4" fill="#0969da"/>`;
    }),
    `<text x="${middle}" y="${HEIGHT - 14}" text-anchor="middle">${xTitle}</text>`,
    `<text transform="translate(16 ${(TOP + HEIGHT - BOTTOM) / 2}) rotate(-90)" text-anchor="middle">${yTitle}</text>`,
  ].join('');
}

function fitLine(points: Chart['points']): { start: number; slope: number; rSquared: number } {
  const mean = (of: (point: Chart['points'][number]) => number): number =>
    points.reduce((sum, point) => sum + of(point), 0) / points.length;
  const [xMean, yMean] = [mean(({ x }) => x), mean(({ y }) => y)];
  const covariance = mean(({ x, y }) => (x - xMean) * (y - yMean));
  const [xVariance, yVariance] = [mean(({ x }) => (x - xMean) ** 2), mean(({ y }) => (y - yMean) ** 2)];
  const slope = covariance / xVariance;
  return { slope, start: yMean - slope * xMean, rSquared: covariance ** 2 / (xVariance * yVariance) };
}

/** The next of 1, 2, 4, 5, 8 × 10ⁿ. */
function ceiling(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value));
  return ([1, 2, 4, 5, 8, 10].find((step) => step * power >= value) ?? 10) * power;
}

function label(value: number): string {
  return value >= 10 ? Math.round(value).toLocaleString('en') : String(round(value));
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
