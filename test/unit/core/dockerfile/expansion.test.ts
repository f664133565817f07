import { describe, expect, it } from 'vitest';
import { expandWord, UNKNOWN } from '../../../../src/core/dockerfile/expansion.ts';

const values = new Map<string, string | typeof UNKNOWN>([
  ['A', 'alpha'],
  ['EMPTY', ''],
  ['PATHS', 'one/two/three.tar.gz'],
  ['SECRETIVE', UNKNOWN],
]);
const lookup = (name: string) => values.get(name);

describe('expansion of variables', () => {
  it.each([
    ['plain', 'plain'],
    ['$A', 'alpha'],
    ['${A}/x', 'alpha/x'],
    ['$A$A', 'alphaalpha'],
    ['$MISSING/x', '/x'],
    ['\\$A', '$A'],
    ["'$A'", '$A'],
    ['"$A b"', 'alpha b'],
    ['"\\"$A"', '"alpha'],
    ['${MISSING:-d}', 'd'],
    ['${MISSING-d}', 'd'],
    ['${EMPTY:-d}', 'd'],
    ['${EMPTY-d}', ''],
    ['${A:-d}', 'alpha'],
    ['${A:+d}', 'd'],
    ['${A+d}', 'd'],
    ['${EMPTY:+d}', ''],
    ['${EMPTY+d}', 'd'],
    ['${MISSING:+d}', ''],
    ['${MISSING:-${A}/x}', 'alpha/x'],
    ['${MISSING:-${ALSO:-${A}}}', 'alpha'],
    ['${A:?no}', 'alpha'],
    ['${PATHS#*/}', 'two/three.tar.gz'],
    ['${PATHS##*/}', 'three.tar.gz'],
    ['${PATHS%.*}', 'one/two/three.tar'],
    ['${PATHS%%.*}', 'one/two/three'],
    ['${PATHS/t?o/2}', 'one/2/three.tar.gz'],
    ['${A//a/_}', '_lph_'],
    // The modifier's word is not needed, so what is unknown in it does not matter.
    ['${A:-$SECRETIVE}', 'alpha'],
    ['${EMPTY:+${SECRETIVE}}', ''],
  ])('%s is %s', (word, expected) => {
    expect(expandWord(word, lookup, '\\')).toEqual({ value: expected });
  });

  it.each([
    ['$SECRETIVE', /\$SECRETIVE is known only to the build/],
    ['a/${SECRETIVE:-x}', /known only/],
    ['${MISSING:-$SECRETIVE}', /known only/],
    ['${MISSING:?give it}', /MISSING is not set: give it/],
    ['${A', /no "}"|bad/],
    ['${}', /bad substitution/],
    ['"a', /quote/],
    [`\${A#${'*'.repeat(6)}}`, /more than four stars/],
    ['${M:-'.repeat(100), /too deeply/],
  ])('%s is unknown, with the reason', (word, reason) => {
    expect(expandWord(word, lookup, '\\')).toEqual({ unknown: expect.stringMatching(reason) });
  });

  it("escapes with the Dockerfile's own token", () => {
    expect(expandWord('c:\\$A`$A', lookup, '`')).toEqual({ value: 'c:\\alpha$A' });
  });
});
