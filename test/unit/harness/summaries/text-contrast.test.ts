import { expect, test } from 'vitest';
import { contrastOf } from '../../../harness/summaries/text-contrast.ts';

// Figures of https://webaim.org/resources/contrastchecker/, rounded down as there.
test.each([
  ['rgb(0, 0, 0)', ['rgb(255, 255, 255)'], 21],
  ['rgb(119, 119, 119)', ['rgb(255, 255, 255)'], 4.47],
  ['rgb(118, 118, 118)', ['rgb(255, 255, 255)'], 4.54],
  ['rgb(255, 255, 255)', ['rgba(0, 0, 0, 0)', 'rgb(9, 105, 218)'], 5.19],
  // Half of black over white, twice, is a quarter of white.
  ['rgb(255, 255, 255)', ['rgba(0, 0, 0, 0.5)', 'rgba(0, 0, 0, 0.5)'], 10.36],
  ['rgba(0, 0, 0, 0.5)', [], 3.97],
])('%s on %j has a contrast of %d', (color, backgrounds, contrast) => {
  expect(contrastOf(color, backgrounds)).toBeCloseTo(contrast, 1);
});

test('a colour that is not understood is not taken for any', () => {
  expect(() => contrastOf('color(display-p3 1 0 0)', [])).toThrow('is no colour that can be compared');
});
