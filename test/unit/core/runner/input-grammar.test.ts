import { describe, expect, test } from 'vitest';
import {
  nearest,
  parseBoolean,
  parseBytes,
  parseChoice,
  parseDuration,
  parseGlobs,
  parseInteger,
  parseList,
  parseMap,
} from '../../../../src/core/runner/input-grammar.ts';

describe('sizes', () => {
  test.each([
    ['0', 0],
    ['12', 12],
    ['500MB', 500_000_000],
    ['500 mb', 500_000_000],
    ['1.5GiB', 1_610_612_736],
    ['2k', 2000],
    ['1TiB', 1_099_511_627_776],
  ])('%s is %d bytes', (text, bytes) => {
    expect(parseBytes(text)).toBe(bytes);
  });

  test.each(['', '-1', '1.', 'MB', '1XB', '1e9', '99999999999TB', '1 2MB'])(
    '"%s" is refused with an example',
    (text) => {
      expect(() => parseBytes(text)).toThrow(/size/);
    },
  );
});

describe('times', () => {
  test.each([
    ['90', 90_000],
    ['90s', 90_000],
    ['20m', 1_200_000],
    ['1h30m', 5_400_000],
    ['1h 30m', 5_400_000],
    ['250ms', 250],
    ['1.5s', 1500],
    ['2d', 172_800_000],
  ])('%s is %d milliseconds', (text, milliseconds) => {
    expect(parseDuration(text)).toBe(milliseconds);
  });

  test.each(['', 'soon', '5 minutes', '-5s', '1h!', 's'])('"%s" is refused with an example', (text) => {
    expect(() => parseDuration(text)).toThrow(/90s, 20m or 1h30m/);
  });
});

describe('booleans are those of YAML 1.2', () => {
  test.each([
    ['true', true],
    ['True', true],
    ['TRUE', true],
    ['false', false],
    ['False', false],
    ['FALSE', false],
  ])('%s', (text, value) => {
    expect(parseBoolean(text)).toBe(value);
  });

  test.each(['yes', 'on', '1', 'tRUE', 'no'])('"%s" is neither', (text) => {
    expect(() => parseBoolean(text)).toThrow(`"${text}" is neither true nor false`);
  });
});

test.each([
  ['1', 1],
  ['100', 100],
])('%s is a whole number within the bounds', (text, value) => {
  expect(parseInteger(text, 1, 100)).toBe(value);
});

test.each(['0', '101', '1.5', 'x', '0x10', '1e2', ''])('"%s" is no whole number between 1 and 100', (text) => {
  expect(() => parseInteger(text, 1, 100)).toThrow();
});

test('a choice that is misspelt is refused with all choices and the nearest', () => {
  expect(() => parseChoice('regsitry', ['gha', 'registry', 'local'])).toThrow(
    '"regsitry" is none of gha, registry, local; did you mean registry?',
  );
});

test('a list takes commas and lines, and leaves comments and blanks out', () => {
  expect(parseList('a, b\n\n  # c, d\n e ,,f\r\ng')).toEqual(['a', 'b', 'e', 'f', 'g']);
});

describe('maps', () => {
  test('a value keeps every further equals sign and its inner blanks', () => {
    expect([...parseMap('A=b=c\n# no\n B = two words \nC=')]).toEqual([
      ['A', 'b=c'],
      ['B', 'two words'],
      ['C', ''],
    ]);
  });

  test.each([
    ['A=1\nnonsense', 'line 2 ("nonsense") is no key=value'],
    ['=1', 'line 1 ("=1") is no key=value'],
    ['A=1\nA=2', 'line 2 gives "A" a second time'],
  ])('%j is refused at its line', (text, message) => {
    expect(() => parseMap(text)).toThrow(message);
  });

  test('a key of a hostile name is a key like any other', () => {
    expect(parseMap('__proto__=x').get('__proto__')).toBe('x');
  });
});

test('globs keep their order and their exclamation marks', () => {
  expect(parseGlobs('**\n!**/*.map\n# no\n')).toEqual([
    { glob: '**', isExcluded: false },
    { glob: '**/*.map', isExcluded: true },
  ]);
});

test.each([
  ['pusch', ['push', 'pull', 'platforms'], 'push'],
  ['bulid-args', ['build-args', 'build-contexts'], 'build-args'],
  ['xyz', ['push', 'pull'], undefined],
  ['', ['push'], undefined],
])('the nearest of "%s" among %j is %s', (word, candidates, expected) => {
  expect(nearest(word, candidates)).toBe(expected);
});

test('a long error value is shown cut, and stays on one line', () => {
  expect(() => parseBoolean(`a\n${'x'.repeat(1000)}`)).toThrow(/^"a\\nx+…" is neither true nor false$/);
});
