import { expect, test } from 'vitest';
import { code, codeBlock, formatBytes, formatDuration, plain, table } from '../../../../src/core/report/markdown.ts';

test('a hostile name stays text in a cell', () => {
  const cell = plain('<img src=x onerror=alert(1)> | [a](javascript:b) `c`');
  expect(cell).not.toMatch(/<img|[^\\]\||[^\\]\[|[^\\]`/);
  expect(code('a|b`c</code><script>')).toBe('<code>a&#124;b&#96;c&lt;/code&gt;&lt;script&gt;</code>');
});

test('a table keeps one row a line', () => {
  expect(table(['a', 'b'], [['1\n2', '3']])).toBe('| a | b |\n| --- | --- |\n| 1<br>2 | 3 |');
});

test('a fence is longer than any run of backticks inside', () => {
  expect(codeBlock('x\n````\ny', 'text')).toBe('`````text\nx\n````\ny\n`````');
});

test.each([
  [0, '0 B'],
  [999, '999 B'],
  [1000, '1.0 kB'],
  [99_949, '99.9 kB'],
  [123_456, '123 kB'],
  [999_600, '1.0 MB'],
  [8_100_000_000, '8.1 GB'],
])('%d bytes read as %s', (bytes, text) => {
  expect(formatBytes(bytes)).toBe(text);
});

test.each([
  [12, '12 ms'],
  [999, '999 ms'],
  [1000, '1.0 s'],
  [59_960, '1 min 00 s'],
  [125_000, '2 min 05 s'],
  [3_720_000, '1 h 02 min'],
])('%d ms read as %s', (milliseconds, text) => {
  expect(formatDuration(milliseconds)).toBe(text);
});
