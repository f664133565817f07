import { parse } from 'csv-parse/sync';
import { describe, expect, test } from 'vitest';
import { readLines, readRecords } from '../../../../src/core/tags/records.ts';

describe('records', () => {
  test.each([
    ['type=sha', [['type=sha']]],
    ['type=ref,event=branch\n\n  type=sha  ', [['type=ref', 'event=branch'], ['type=sha']]],
    ['# first\n  # indented\r\na,b # no comment\r\n', [['a', 'b # no comment']]],
    ['x,"pattern=^a{1,2}",y', [['x', 'pattern=^a{1,2}', 'y']]],
    ['x, "a=1,2" ,y', [['x', 'a=1,2', 'y']]],
    ['x,pattern="1,2"', [['x', 'pattern=1,2']]],
    ['"a=say ""hi"", you"', [['a=say "hi"', 'you']]],
    ['"a,b"', [['a', 'b']]],
    ['x="a"b,c', [['x="a"b', 'c']]],
    ['a=it"s,b=5"', [['a=it"s', 'b=5"']]],
    ['a,,b,', [['a', 'b']]],
    [',\n', []],
    ['x,"two\nlines"\ny', [['x', 'two\nlines'], ['y']]],
  ])('%j', (text, expected) => {
    expect(readRecords(text).map(({ fields }) => fields)).toEqual(expected);
  });

  test('each record has its line, also behind one of several lines', () => {
    expect(readRecords('\n# note\na\nb,"two\nlines"\n\nc').map(({ line }) => line)).toEqual([3, 4, 7]);
  });

  test('a quote that is not closed is an error with its line', () => {
    expect(() => readRecords('a\nb,"pattern=1')).toThrow('line 2: the quote before "pattern=1" is not closed');
  });

  test.each([
    ['x=\\d{1,2},y', [['x=\\d{1,2}', 'y']]],
    ['x=\\d{3,},y', [['x=\\d{3,}', 'y']]],
    ['x={a,b}', [['x={a', 'b}']]],
    ['x={1,2,3}', [['x={1', '2', '3}']]],
  ])('in %j only a quantifier keeps its comma', (text, expected) => {
    expect(readRecords(text).map(({ fields }) => fields)).toEqual(expected);
  });

  test('comments, blank lines and other line ends change no record', () => {
    const records = ['type=sha', 'x,"pattern=a{1,2}"', '"a,b"', 'value=c # tail', 'k="1,2"'];
    const fieldsOf = (text: string) => readRecords(text).map(({ fields }) => fields);
    const plain = fieldsOf(records.join('\n'));
    for (const between of ['\n\n', '\r\n', '\n# note, "with quotes\n', '\n \t# note\r\n', '  \n\t\n'])
      expect(fieldsOf(`${between}${records.join(between)}${between}`)).toEqual(plain);
  });

  test('unquoted text gives what the CSV reader of docker/metadata-action gives', () => {
    let seed = 7;
    const next = (below: number): number => {
      seed = (seed * 48271) % 2147483647;
      return seed % below;
    };
    for (let round = 0; round < 500; round += 1) {
      const signs = 'abc=,{}.-/\\$%+ \n';
      const text = Array.from({ length: next(60) }, () => signs[next(signs.length)]).join('');
      const theirs: string[][] = parse(text, {
        relax_quotes: true,
        relax_column_count: true,
        skip_empty_lines: true,
        comment: '#',
      });
      const expected = theirs
        .map((fields) => fields.map((field) => field.trim()).filter((field) => field !== ''))
        .filter((fields) => fields.length > 0);
      expect(readRecords(text).map(({ fields }) => fields)).toEqual(expected);
    }
  });

  test('half a megabyte is the most that is read', () => {
    expect(() => readRecords('a'.repeat(600_000))).toThrow('characters are not read');
  });
});

describe('lines', () => {
  test.each([
    ['a=1,2\n # note\n  b="x"  ', ['a=1,2', 'b="x"']],
    ['j=["a","b"]', ['j=["a","b"]']],
    ['"a=one\ntwo, ""three"""\nb=1', ['a=one\ntwo, "three"', 'b=1']],
    ['"open\nb=1', ['"open', 'b=1']],
  ])('%j', (text, expected) => {
    expect(readLines(text).map((line) => line.text)).toEqual(expected);
  });
});
