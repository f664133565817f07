import { describe, expect, it } from 'vitest';
import { parseEntries, parsePairs } from '../../../../src/core/buildkit/csv-records.ts';

describe('list inputs', () => {
  it.each([
    ['one entry a line', ['A=1', ' B=2 '], ['A=1', 'B=2']],
    ['commas as part of a value', ['A=1,2'], ['A=1,2']],
    ['no blank lines and comments', ['', '# no', 'A=#1'], ['A=#1']],
    ['lines within quotation marks', ['"KEY=one', '  two', '"', 'B=2'], ['KEY=one\n  two\n', 'B=2']],
    ['doubled marks as one', ['"A=say ""hi"""'], ['A=say "hi"']],
    ['marks inside of an entry as they are', ['A="x"'], ['A="x"']],
  ])('hold %s', (_, lines, entries) => {
    expect(parseEntries(lines)).toEqual(entries);
  });

  it('refuse a quotation mark that is never closed', () => {
    expect(() => parseEntries(['"A=1', 'B=2'])).toThrow('never closed');
  });

  it('split pairs at the first =', () => {
    expect(parsePairs(['a=b=c', 'd='])).toEqual(
      new Map([
        ['a', 'b=c'],
        ['d', ''],
      ]),
    );
  });

  it('do not show the value of a pair that is written wrongly', () => {
    expect(() => parsePairs(['=hunter2'], 'id=value')).toThrow('"" must be written id=value');
  });
});
