import { expect, test } from 'vitest';
import { structureOf } from '../../../harness/summaries/pictures.ts';

const summary = (name: string, rows: number): string =>
  [
    `## Built <code>${name}</code>`,
    `${rows} MB`,
    '',
    '| Image | Size |',
    '| --- | ---: |',
    `| ${name} | ${rows} |`,
  ].join('\n');

test('a picture is stale when a heading or a column has changed, and not with what differs from run to run', () => {
  expect(structureOf(summary('app', 1))).toBe('## Built CODE\n| Image | Size |');
  expect(structureOf(summary('web', 23.5))).toBe(structureOf(summary('app', 1)));
  expect(structureOf(summary('app', 1).replace('Size', 'Weight'))).not.toBe(structureOf(summary('app', 1)));
  expect(structureOf('> [!CAUTION]\n> at step 7\n\n<details><summary>12 rows</summary>\n\n```json\n{}\n```')).toBe(
    '> [!CAUTION]\n> at step N\n<details><summary>N rows</summary>\n```json',
  );
});
