/** The times of one tool for one number of files, in seconds. */
export interface Point {
  readonly tool: string;
  readonly files: number;
  readonly cold: number;
  readonly unchanged: number;
}

const WIDTH = 900;
const HEIGHT = 480;
const LEFT = 64;
const RIGHT = 240;
const TOP = 56;
const BOTTOM = 52;
const LABEL_HEIGHT = 15;
/** Okabe and Ito's colours, which people with any kind of sight tell apart. */
const COLOURS = ['#0072B2', '#D55E00', '#009E73'];

/** Draws time against the number of files, both by orders of magnitude: cold deploys whole, unchanged ones dashed. */
export function plotTimes(points: readonly Point[], { roundTrip }: { readonly roundTrip: number }): string {
  const tools = [...new Set(points.map(({ tool }) => tool))];
  const times = points.flatMap(({ cold, unchanged }) => [cold, unchanged]);
  const files = points.map((point) => point.files);
  const x = scale(Math.min(...files), Math.max(...files), LEFT, WIDTH - RIGHT);
  const low = 10 ** Math.floor(Math.log10(Math.min(...times)));
  const high = 10 ** Math.ceil(Math.log10(Math.max(...times)));
  const y = scale(low, high, HEIGHT - BOTTOM, TOP);
  const labels: Label[] = [];
  const lines = tools.flatMap((tool, index) => {
    const own = points.filter((point) => point.tool === tool).toSorted((a, b) => a.files - b.files);
    const colour = COLOURS[index % COLOURS.length] ?? 'black';
    return (['cold', 'unchanged'] as const).flatMap((kind) => {
      const spots = own.map((point) => [x(point.files), y(point[kind])] as const);
      const [endX = 0, endY = 0] = spots.at(-1) ?? [];
      const dash = kind === 'cold' ? '' : ' stroke-dasharray="5 4"';
      labels.push({ x: endX + 8, y: endY + 4, colour, text: `${tool}, ${kind}` });
      return [
        `<polyline points="${spots.map(([a, b]) => `${round(a)},${round(b)}`).join(' ')}" fill="none" stroke="${colour}" stroke-width="2"${dash}/>`,
        ...spots.map(([a, b]) => `<circle cx="${round(a)}" cy="${round(b)}" r="3" fill="${colour}"/>`),
      ];
    });
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="sans-serif" font-size="12">
<title>Time of a deploy against the number of files</title>
<rect width="${WIDTH}" height="${HEIGHT}" fill="white"/>
<text x="${LEFT}" y="24" font-size="15">Time of a deploy against the number of files, ${roundTrip} ms from the store</text>
<text x="${LEFT}" y="42" fill="#555">files of 4 kB; whole process; both axes logarithmic</text>
${[...new Set(files)].map((count) => tickX(x(count), count)).join('\n')}
${decades(low, high)
  .map((value) => tickY(y(value), value))
  .join('\n')}
<text x="${(LEFT + WIDTH - RIGHT) / 2}" y="${HEIGHT - 12}" text-anchor="middle">files</text>
${lines.join('\n')}
${spread(labels).map(drawLabel).join('\n')}
</svg>
`;
}

/** The name of a line, at its end. */
interface Label {
  readonly x: number;
  readonly y: number;
  readonly colour: string;
  readonly text: string;
}

/** Moves labels down, each as far as the one above it in its column needs to be read. */
function spread(labels: readonly Label[]): readonly Label[] {
  const placed: Label[] = [];
  for (const label of labels.toSorted((a, b) => a.y - b.y)) {
    const above = placed.findLast(({ x }) => x === label.x);
    placed.push({ ...label, y: Math.max(label.y, (above?.y ?? 0) + LABEL_HEIGHT) });
  }
  return placed;
}

/** With a white edge, since other tools' lines may pass behind. */
function drawLabel({ x, y, colour, text }: Label): string {
  return `<text x="${round(x)}" y="${round(y)}" fill="${colour}" stroke="white" stroke-width="4" paint-order="stroke">${text}</text>`;
}

function scale(from: number, to: number, start: number, end: number): (value: number) => number {
  return (value) => start + ((end - start) * Math.log(value / from)) / Math.log(to / from);
}

function decades(low: number, high: number): readonly number[] {
  const values: number[] = [];
  for (let value = low; value <= high * 1.01; value *= 10) values.push(value);
  return values;
}

function tickX(at: number, files: number): string {
  return `<line x1="${round(at)}" y1="${TOP}" x2="${round(at)}" y2="${HEIGHT - BOTTOM}" stroke="#eee"/><text x="${round(at)}" y="${HEIGHT - BOTTOM + 18}" text-anchor="middle" fill="#333">${files.toLocaleString('en')}</text>`;
}

function tickY(at: number, seconds: number): string {
  return `<line x1="${LEFT}" y1="${round(at)}" x2="${WIDTH - RIGHT}" y2="${round(at)}" stroke="#ddd"/><text x="${LEFT - 8}" y="${round(at + 4)}" text-anchor="end" fill="#333">${Number(seconds.toPrecision(3))} s</text>`;
}

function round(value: number): string {
  return value.toFixed(1);
}
