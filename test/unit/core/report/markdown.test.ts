import { expect, test } from 'vitest';
import {
  alert,
  code,
  codeBlock,
  counted,
  details,
  formatBytes,
  formatDuration,
  formatGrowth,
  numbers,
  plain,
  shortDigest,
  shortenDigests,
  table,
} from '../../../../src/core/report/markdown.ts';

test('a hostile name stays text in a cell', () => {
  const cell = plain('<img src=x onerror=alert(1)> | [a](javascript:b) `c`');
  expect(cell).not.toMatch(/<img|[^\\]\||[^\\]\[|[^\\]`/);
  expect(code('a|b`c</code><script>')).toBe('<code>a&#124;b&#96;c&lt;/code&gt;&lt;script&gt;</code>');
});

test('a table keeps one row a line', () => {
  expect(table(['a', 'b'], [['1\n2', '3']])).toBe('| a | b |\n| --- | --- |\n| 1<br>2 | 3 |');
});

test('numbers stand flush right, and a column that says nothing is left out', () => {
  const rows = [
    ['app', '', '3 kB'],
    ['web', '', '12 kB'],
  ];
  expect(table(['Image', 'Variant', numbers('Files')], rows)).toBe(
    '| Image | Files |\n| --- | ---: |\n| app | 3&nbsp;kB |\n| web | 12&nbsp;kB |',
  );
});

test('a table shows what a person reads, and says how much it left out', () => {
  const lines = table(
    ['Image'],
    Array.from({ length: 310 }, (_, index) => [`app-${index}`]),
  ).split('\n');
  expect(lines.slice(-3)).toEqual(['| app-299 |', '', '… and 10 more.']);
});

test('a box holds each line of its text', () => {
  expect(alert('caution', 'first\nsecond\r\n\nlast')).toBe('> [!CAUTION]\n> first\n> second\n> \n> last');
});

test('one thing is told in the singular', () => {
  expect([0, 1, 2].map((count) => counted(count, 'row'))).toEqual(['0 rows', '1 row', '2 rows']);
  expect(counted(2, 'entry', 'entries')).toBe('2 entries');
});

test('the title of a folded section is text in HTML, where a backslash would be seen', () => {
  expect(details('Layers of a_b <x>\nnext', 'body')).toBe(
    '<details><summary>Layers of a_b &lt;x&gt; next</summary>\n\nbody\n\n</details>',
  );
});

test('a digest is cut where it still tells images apart', () => {
  expect(shortenDigests(`its sha256 is ${'ab'.repeat(32)}, not ${'c'.repeat(40)}`)).toBe(
    'its sha256 is abababababab…, not cccccccccccc…',
  );
  expect(shortenDigests('0123456789abcdef of it')).toBe('0123456789abcdef of it');
  expect(shortDigest(`sha256:${'0123456789ab'.repeat(5)}cdef`)).toBe('sha256:0123456789ab');
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
  [1_200_000, '+1.2 MB'],
  [-18, '−18 B'],
  [0, '±0'],
])('a growth of %d bytes reads as %s', (bytes, text) => {
  expect(formatGrowth(bytes)).toBe(text);
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
