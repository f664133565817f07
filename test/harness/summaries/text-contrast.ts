import type { PageSnapshot } from '../browser/snapshot.ts';

type Color = readonly [red: number, green: number, blue: number, alpha: number];

/** WCAG 2.2, success criterion 1.4.3, for text of any size. */
const LEAST_CONTRAST = 4.5;

/**
 * The texts of a page that stand out too little from what is behind them, with their contrast. Diagrams are left out:
 * GitHub draws them in colours of its own, in frames that no summary reaches.
 */
export function findFaintTexts({ texts }: PageSnapshot): readonly string[] {
  return texts
    .filter(({ text, ancestors }) => text.trim() !== '' && !ancestors.includes('svg'))
    .map(({ text, color, backgrounds }) => ({ text: text.trim(), contrast: contrastOf(color, backgrounds) }))
    .filter(({ contrast }) => contrast < LEAST_CONTRAST)
    .map(({ text, contrast }) => `${contrast.toFixed(1)}: ${text.slice(0, 60)}`);
}

/** From 1, the same colour, to 21, black on white: WCAG 2.2, "contrast ratio". Backgrounds are the nearest first. */
export function contrastOf(color: string, backgrounds: readonly string[]): number {
  const behind = backgrounds.map(parseColor).reduceRight<Color>(lay, [255, 255, 255, 1]);
  const [one, other] = [luminance(lay(behind, parseColor(color))), luminance(behind)];
  return (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
}

/** `rgb(r, g, b)` or `rgba(r, g, b, a)`, as browsers give computed colours. Throws for any other. */
function parseColor(text: string): Color {
  const [red, green, blue, alpha = 1, ...rest] = [...text.matchAll(/[\d.]+/g)].map(([number]) => Number(number));
  if (!/^rgba?\(/.test(text) || red === undefined || green === undefined || blue === undefined || rest.length > 0)
    throw new Error(`"${text}" is no colour that can be compared`);
  return [red, green, blue, alpha];
}

/** What is seen of a colour over an opaque one. */
function lay(under: Color, over: Color): Color {
  const mix = (index: 0 | 1 | 2): number => over[index] * over[3] + under[index] * (1 - over[3]);
  return [mix(0), mix(1), mix(2), 1];
}

function luminance([red, green, blue]: Color): number {
  const linear = (value: number): number =>
    value / 255 <= 0.04045 ? value / 255 / 12.92 : ((value / 255 + 0.055) / 1.055) ** 2.4;
  return 0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue);
}
