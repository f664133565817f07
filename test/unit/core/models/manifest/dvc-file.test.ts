import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { createDigest } from '../../../../../src/core/models/digest-plan.ts';
import { parseDvcFile } from '../../../../../src/core/models/manifest/dvc-file.ts';
import { digestOfTrackedFolder } from '../../../../../src/core/models/manifest/tracked-folder.ts';

const A = 'a'.repeat(32);

describe('a .dvc file', () => {
  test.each([
    ['of DVC 3', `hash: md5\n  md5: ${A}`, { digest: { algorithm: 'md5', hex: A } }],
    ['of DVC 2', `md5: ${A}`, { digest: { algorithm: 'md5-dos2unix', hex: A } }],
    ['of a folder', `hash: md5\n  md5: ${A}.dir`, { isFolder: true }],
    ['with a size', `md5: ${A}\n  size: 12`, { size: 12 }],
  ])('%s', (_, fields, expected) => {
    expect(parseDvcFile(`outs:\n- path: m.bin\n  ${fields}\n`, 'm.dvc')).toMatchObject([
      { path: 'm.bin', line: 2, ...expected },
    ]);
  });

  test.each([
    ['etag: abc', /what a store calls its copy says nothing of the bytes/],
    ['checksum: abc', /what a store calls its copy/],
    [`hash: sha256\n  md5: ${A}`, /must be md5 or md5-dos2unix/],
    ['size: 3', /32 hexadecimal digits/],
    [`md5: ${A}\n  path: ../x`, /names a file outside/],
  ])('that cannot be verified is refused: %j', (fields, error) => {
    const path = fields.includes('path') ? '' : '  path: m.bin\n';
    expect(() => parseDvcFile(`outs:\n- ${fields}\n${path}`, 'm.dvc')).toThrow(error);
  });
});

describe('the MD5 of DVC before 3', () => {
  const dos2unix = (text: string | Buffer, step = 256 * 1024): string => {
    const bytes = Buffer.from(text);
    const digest = createDigest('md5-dos2unix');
    for (let at = 0; at < bytes.length; at += step) digest.update(bytes.subarray(at, at + step));
    return digest.digest('hex');
  };
  const md5 = (text: string | Buffer): string => createHash('md5').update(text).digest('hex');
  const long = `${'x'.repeat(1023)}\r\n`;

  test.each([
    ['a text', 'a\r\nb\r\n', 'a\nb\n'],
    ['returns alone', 'a\rb\r\r\nc\r', 'a\rb\r\nc\r'],
    ['bytes', Buffer.from('\0a\r\nb'), Buffer.from('\0a\r\nb')],
    ['bytes without a NUL', Buffer.from('ü'.repeat(300).concat('\r\n')), Buffer.from('ü'.repeat(300).concat('\r\n'))],
    ['nothing', '', ''],
    // Every 1,048,576 bytes DVC reads anew, and leaves the line end that it cuts in two.
    ['a long text', `${long.repeat(1022)}${'y'.repeat(1026 - 1)}${long.repeat(10)}`, undefined],
  ])('%s', (_, text, plain) => {
    const bytes = Buffer.from(text);
    const expected = plain ?? Buffer.concat([dosBlock(bytes, 0), dosBlock(bytes, 1)]);
    for (const step of [512, 513, 4096, 256 * 1024]) expect(dos2unix(text, step)).toBe(md5(expected));
  });

  function dosBlock(bytes: Buffer, index: number): Buffer {
    const block = bytes.subarray(index * 1024 * 1024, (index + 1) * 1024 * 1024);
    return Buffer.from(block.toString('latin1').replaceAll('\r\n', '\n'), 'latin1');
  }
});

test("a folder's MD5 is that of the list that Python's json.dumps writes", () => {
  // Made by CPython 3.11, names with signs of one, two and four bytes, a quote and DEL.
  const files = [
    { path: 'b', md5: md5Of('y') },
    { path: 'a/ü😀"\x7f.bin', md5: md5Of('x') },
  ];
  expect(digestOfTrackedFolder(files)).toBe('c251dc234d1318d9171d8f17f58dee1e');
});

function md5Of(text: string): string {
  return createHash('md5').update(text).digest('hex');
}
