/** What GitHub's pages look like in each of its two schemes. */
const SCHEMES = {
  light: { box: '#f6f8fa', frame: '#d1d9e0', text: '#1f2328', muted: '#59636e', line: '#0969da' },
  dark: { box: '#151b23', frame: '#3d444d', text: '#f0f6fc', muted: '#9198a1', line: '#4493f8' },
} as const;

export type Scheme = keyof typeof SCHEMES;

interface Box {
  readonly x: number;
  readonly y: number;
  readonly name: string;
  /** What it does, in two short lines. */
  readonly says: readonly [string, string];
}

const BOX = { width: 148, height: 78 } as const;

const BOXES: readonly Box[] = [
  { x: 122, y: 38, name: 'build-matrix', says: ['which rows a change', 'touches, and why'] },
  { x: 318, y: 38, name: 'model-verify', says: ['the model expected,', 'no code in it'] },
  { x: 496, y: 38, name: 'multistage-build', says: ['stages, variants,', 'caches that survive'] },
  { x: 718, y: 38, name: 'ghcr-publish', says: ['all names at once,', 'when all is there'] },
  { x: 122, y: 186, name: 'metadata-tags', says: ['latest, 1.4, 1.4.2,', 'sha-1a2b3c4'] },
  { x: 718, y: 186, name: 'frontend-s3-deploy', says: ['never half a site,', 'rollback in seconds'] },
];

interface Arrow {
  readonly path: string;
  readonly label?: { readonly x: number; readonly y: number; readonly text: string };
}

const ARROWS: readonly Arrow[] = [
  { path: 'M92 77 H116' },
  { path: 'M48 103 V225 H116' },
  { path: 'M270 77 H312', label: { x: 287, y: 69, text: 'rows' } },
  { path: 'M466 77 H490' },
  { path: 'M644 64 H712', label: { x: 686, y: 56, text: 'digests' } },
  { path: 'M270 225 H688 V94 H712', label: { x: 481, y: 217, text: 'tags' } },
  { path: 'M792 116 V180', label: { x: 816, y: 153, text: 'image' } },
];

/** The picture of the pipeline in the README. */
export function drawPipeline(scheme: Scheme): string {
  const { box, frame, text, muted, line } = SCHEMES[scheme];
  const label = (x: number, y: number, fill: string, of: string, more = ''): string =>
    `<text x="${x}" y="${y}" fill="${fill}" text-anchor="middle"${more}>${of}</text>`;
  const rectangle = (x: number, y: number, width: number, height: number, more: string): string =>
    `<rect x="${x}" y="${y}" width="${width}" height="${height}" rx="8" stroke="${frame}" ${more}/>`;
  const parts = [
    rectangle(304, 18, 354, 128, 'fill="none" stroke-dasharray="5 4"'),
    label(481, 137, muted, 'one job for each image × variant × platform'),
    `<rect x="4" y="51" width="88" height="52" rx="26" fill="${box}" stroke="${frame}"/>`,
    label(48, 73, text, 'push, tag,'),
    label(48, 90, text, 'schedule'),
    ...BOXES.flatMap(({ x, y, name, says }) => [
      rectangle(x, y, BOX.width, BOX.height, `fill="${box}"`),
      label(x + BOX.width / 2, y + 26, text, name, ' font-weight="600"'),
      ...says.map((each, index) => label(x + BOX.width / 2, y + 47 + index * 17, muted, each)),
    ]),
    ...ARROWS.flatMap(({ path, label: of }) => [
      `<path d="${path}" fill="none" stroke="${line}" stroke-width="1.5" marker-end="url(#end)"/>`,
      ...(of === undefined ? [] : [label(of.x, of.y, line, of.text)]),
    ]),
  ];
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 870 270" width="870" height="270" role="img" aria-label="From an event to a release: build-matrix, model-verify, multistage-build, ghcr-publish, metadata-tags, frontend-s3-deploy" font-family="-apple-system, 'Segoe UI', 'Noto Sans', Helvetica, Arial, sans-serif" font-size="13">
<defs><marker id="end" viewBox="0 0 8 8" refX="6" refY="4" markerWidth="7" markerHeight="7" orient="auto"><path d="M0 0 L8 4 L0 8 z" fill="${line}"/></marker></defs>
${parts.join('\n')}
</svg>
`;
}
