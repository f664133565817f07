import { expect, test } from 'vitest';
import { comparePythonVersions, parsePythonVersion } from '../../../../src/core/tags/pep440.ts';

/** PEP 440, "Normalization". */
test.each([
  ['1.1RC1', '1.1rc1'],
  ['1.1.a1', '1.1a1'],
  ['1.1-beta_2', '1.1b2'],
  ['1.2a', '1.2a0'],
  ['1.1.preview3', '1.1rc3'],
  ['1.0-1', '1.0.post1'],
  ['1.2-post2', '1.2.post2'],
  ['1.0-r4', '1.0.post4'],
  ['1.2.post', '1.2.post0'],
  ['1.2dev2', '1.2.dev2'],
  ['1.2.dev', '1.2.dev0'],
  ['1.0+ubuntu-1', '1.0+ubuntu.1'],
  ['v1.0', '1.0'],
  ['2!1.0', '2!1.0'],
  ['00.1.007', '0.1.7'],
  ['1.0b2.post345.dev456', '1.0b2.post345.dev456'],
])('%s is %s in normal form', (text, normal) => {
  expect(parsePythonVersion(text)?.normalized).toBe(normal);
});

test.each(['', 'x', '1.', '1.0+', '1..0', 'release-1.0', '1.0 0', `1.${'0'.repeat(300)}`])(
  '"%s" is no version',
  (text) => {
    expect(parsePythonVersion(text)).toBeUndefined();
  },
);

/** PEP 440, "Summary of permitted suffixes and relative ordering", and the edges around it. */
test('versions stand in the order of PEP 440', () => {
  const ordered = [
    '0.9',
    '1.0.dev456',
    '1.0a1',
    '1.0a2.dev456',
    '1.0a12.dev456',
    '1.0a12',
    '1.0b1.dev456',
    '1.0b2',
    '1.0b2.post345.dev456',
    '1.0b2.post345',
    '1.0rc1.dev456',
    '1.0rc1',
    '1.0',
    '1.0.post456.dev34',
    '1.0.post456',
    '1.0.15',
    '1.1.dev1',
    '1!0.1',
  ];
  const shuffled = ordered
    .toReversed()
    .map((text) => parsePythonVersion(text))
    .filter((version) => version !== undefined);
  expect(shuffled.sort(comparePythonVersions).map(({ normalized }) => normalized)).toEqual(ordered);
  const [short, long] = [parsePythonVersion('1.0'), parsePythonVersion('1.0.0')];
  expect(short && long && comparePythonVersions(short, long)).toBe(0);
});
