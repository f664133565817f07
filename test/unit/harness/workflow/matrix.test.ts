import { describe, expect, it } from 'vitest';
import { expandMatrix, readStrategy, rowLabel } from '../../../harness/workflow/matrix.ts';

describe('expandMatrix', () => {
  it.each([
    [
      'a product',
      { a: [1, 2], b: ['x', 'y'] },
      [
        { a: 1, b: 'x' },
        { a: 1, b: 'y' },
        { a: 2, b: 'x' },
        { a: 2, b: 'y' },
      ],
    ],
    ['rows alone', { include: [{ n: 'api' }, { n: 'web' }] }, [{ n: 'api' }, { n: 'web' }]],
    [
      'an exclusion by some keys',
      { a: [1, 2], b: ['x', 'y'], exclude: [{ a: 1 }, { a: 2, b: 'x' }] },
      [{ a: 2, b: 'y' }],
    ],
    [
      'an inclusion that extends matching rows',
      { a: [1, 2], include: [{ a: 2, c: true }] },
      [{ a: 1 }, { a: 2, c: true }],
    ],
    [
      'an inclusion that extends every row',
      { a: [1, 2], include: [{ c: 3 }] },
      [
        { a: 1, c: 3 },
        { a: 2, c: 3 },
      ],
    ],
    ['an inclusion that becomes a row', { a: [1], include: [{ a: 9, c: 3 }] }, [{ a: 1 }, { a: 9, c: 3 }]],
    ['inclusions that overwrite what inclusions added', { a: [1], include: [{ c: 1 }, { c: 2 }] }, [{ a: 1, c: 2 }]],
    // The example of GitHub's own documentation.
    [
      'fruits and animals',
      {
        fruit: ['apple', 'pear'],
        animal: ['cat', 'dog'],
        include: [
          { color: 'green' },
          { color: 'pink', animal: 'cat' },
          { fruit: 'apple', shape: 'circle' },
          { fruit: 'banana' },
          { fruit: 'banana', animal: 'cat' },
        ],
      },
      [
        { fruit: 'apple', animal: 'cat', color: 'pink', shape: 'circle' },
        { fruit: 'apple', animal: 'dog', color: 'green', shape: 'circle' },
        { fruit: 'pear', animal: 'cat', color: 'pink' },
        { fruit: 'pear', animal: 'dog', color: 'green' },
        { fruit: 'banana' },
        { fruit: 'banana', animal: 'cat' },
      ],
    ],
    [
      'an exclusion of all rows that leaves an inclusion',
      { a: [1], exclude: [{ a: 1 }], include: [{ a: 2 }] },
      [{ a: 2 }],
    ],
    ['values that are mappings', { os: [{ n: 1 }, { n: 2 }], exclude: [{ os: { n: 1 } }] }, [{ os: { n: 2 } }]],
  ])('expands %s', (_, matrix, rows) => {
    expect(expandMatrix(matrix)).toEqual(rows);
  });

  it.each([
    ['nothing', {}, 'at least one vector'],
    ['no rows', { include: [] }, 'at least one vector'],
    ['an empty vector', { a: [] }, "'a' does not contain any values"],
    ['a vector that is no list', { a: 'x' }, "'a' must be a list"],
    ['only excluded rows', { a: [1], exclude: [{ a: 1 }] }, 'empty'],
    ['more than 256 rows', { a: Array.from({ length: 257 }, (_, index) => index) }, '257 rows'],
    ['text', 'x', 'must be a mapping'],
  ])('refuses %s', (_, matrix, message) => {
    expect(() => expandMatrix(matrix)).toThrow(message);
  });
});

describe('readStrategy', () => {
  it('has one empty row without a matrix', () => {
    expect(readStrategy(undefined)).toEqual({ rows: [{}], hasMatrix: false, failFast: true, maxParallel: undefined });
  });

  it('refuses unknown keys', () => {
    expect(() => readStrategy({ 'max-paralel': 1 })).toThrow("Unexpected value 'max-paralel'");
  });
});

it('labels a row by its plain values', () => {
  expect(rowLabel({ name: 'api', gpu: false, deep: { a: 1 } })).toBe(' (api, false)');
});
