import { describe, expect, test } from 'vitest';
import { formatChecksums, parseChecksums } from '../../../../../src/core/models/manifest/checksum-manifest.ts';

const A = 'a'.repeat(64);
const B = 'B'.repeat(128);

describe('lines that are read', () => {
  test.each([
    ['GNU', `${A}  best.pt`, 'best.pt'],
    ['GNU, binary', `${A} *best.pt`, 'best.pt'],
    ['BSD', `SHA256 (best.pt) = ${A}`, 'best.pt'],
    ['BSD without blanks', `SHA256(best.pt)= ${A}`, 'best.pt'],
    ['OpenSSL 3', `SHA2-256(best.pt)= ${A}`, 'best.pt'],
    ['a name with blanks and brackets', `SHA256 (a (1).pt) = ${A}`, 'a (1).pt'],
    ['an escaped name', `\\${A}  a\\\\b\\nc`, 'a\\b\nc'],
    ['a leading ./', `${A}  ./models/best.pt`, 'models/best.pt'],
    ['upper-case digits, CRLF, a BOM', `\uFEFF${A.toUpperCase()}  best.pt\r`, 'best.pt'],
  ])('%s', (_, line, path) => {
    expect(parseChecksums(`# a list\n\n${line}`.replace(/^(# a list\n\n)(\uFEFF)/, '$2$1'), 'SHA256SUMS')).toEqual([
      { path, digest: { algorithm: 'sha256', hex: A }, line: 3 },
    ]);
  });

  test('SHA-512 by its length', () => {
    expect(parseChecksums(`${B}  best.pt`, 'SUMS')).toMatchObject([
      { digest: { algorithm: 'sha512', hex: B.toLowerCase() } },
    ]);
  });
});

describe('what sha256sum would pass over is refused at its line', () => {
  test.each([
    ['', 'lists no file'],
    ['# nothing\n', 'lists no file'],
    [`${A}  a\nnonsense`, 'line 2 of "SUMS" is no checksum'],
    [`${A} a`, 'line 1'],
    [`${A.slice(1)}  a`, 'line 1'],
    [`SHA512 (a) = ${A}`, 'another algorithm'],
    [`SHA256 (a) = ${A.slice(2)}`, 'line 1 of "SUMS" has a digest of 62 digits'],
    [`${A}  a\0b`, 'NUL'],
    [`${A}  ../a`, 'outside of its folder'],
    [`${A}  a/../../b`, 'outside of its folder'],
    [`${A}  /etc/passwd`, 'outside of its folder'],
    [`${A}  C:\\a`, 'outside of its folder'],
    [`\\${A}  a\\x`, 'escape'],
    [`${A}  a\n${'c'.repeat(64)}  a`, 'listed twice with different digests (lines 1 and 2)'],
  ])('%j', (text, message) => {
    expect(() => parseChecksums(text, 'SUMS')).toThrow(message);
  });
});

test('what is written is read back, whatever the names', () => {
  const files = ['b', 'a b', 'a\\b', 'a\nb', 'ä*(1)'].map((path) => ({ path, sha256: A }));
  expect(
    parseChecksums(formatChecksums(files), 'SUMS')
      .map(({ path }) => path)
      .sort(),
  ).toEqual(files.map(({ path }) => path).sort());
});
