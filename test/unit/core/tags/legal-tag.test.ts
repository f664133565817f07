import { expect, test } from 'vitest';
import { isLegalTag, nameForForeign, toLegalTag } from '../../../../src/core/tags/legal-tag.ts';

test.each([
  ['main', '', 'main', 0],
  ['feature/x', '-gpu', 'feature-x-gpu', 0],
  ['_x', '', '_x', 0],
  ['a b\tc', '', 'a-b-c', 1],
  ['..x', '', 'x', 1],
  ['1.0+b', '', '1.0-b', 1],
  ['---', '', '', 1],
])('%j with %j is %j', (text, ending, tag, changes) => {
  const made = toLegalTag(text, ending);
  expect(made.tag).toBe(tag);
  expect(made.changes).toHaveLength(changes);
});

test('of two long names that begin alike, each keeps its ending and its own hash', () => {
  const [one, other] = [toLegalTag(`${'x'.repeat(130)}1`, '-cuda12'), toLegalTag(`${'x'.repeat(130)}2`, '-cuda12')];
  expect(one.tag).toHaveLength(128);
  expect(one.tag.endsWith('-cuda12')).toBe(true);
  expect(one.tag).not.toBe(other.tag);
});

test('128 characters are not cut', () => {
  expect(toLegalTag('x'.repeat(128))).toEqual({ tag: 'x'.repeat(128), changes: [] });
});

test('whatever a text is made of, its tag is legal or empty', () => {
  const signs = ['a', 'Z', '0', '_', '.', '-', '/', '+', ' ', 'é', '日', '\u{1f600}', '\n', '\0', ':', '@'];
  let seed = 11;
  for (let round = 0; round < 3000; round += 1) {
    let text = '';
    seed = (seed * 48271) % 2147483647;
    for (let length = seed % 300; length > 0; length -= 1) {
      seed = (seed * 48271) % 2147483647;
      text += signs[seed % signs.length] ?? '';
    }
    const { tag } = toLegalTag(nameForForeign(text), '-gpu');
    expect(tag === '' || isLegalTag(tag), JSON.stringify(text)).toBe(true);
    expect(tag === '').toBe(text === '');
  }
});
