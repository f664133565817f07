import { describe, expect, test } from 'vitest';
import { parseStatement } from '../../../../../src/core/models/signing/statement.ts';
import { encodeVersion02 } from '../../../../../src/core/models/signing/version-0-2.ts';

describe('the bytes that version 0.2 signed', () => {
  // Each right side is what Python 3 prints for the bytes on the left.
  test.each([
    ['{"a": 1}', `b'{"a": 1}'`],
    ['a\n\t\r\\', "b'a\\n\\t\\r\\\\'"],
    ["it's", `b"it's"`],
    [`'"`, `b'\\'"'`],
    ['é\0\x7f', "b'\\xc3\\xa9\\x00\\x7f'"],
  ])('%j is printed as %s', (text, printed) => {
    const payload = Buffer.from(text);
    expect(encodeVersion02({ payloadType: 't', payload }).toString('latin1')).toBe(
      `DSSEV1 1 t ${payload.length} ${printed}`,
    );
  });
});

describe('a statement of version 0.2', () => {
  const digest = { sha256: 'a'.repeat(64) };
  const parse = (subject: unknown) =>
    parseStatement(
      Buffer.from(
        JSON.stringify({
          _type: 'https://in-toto.io/Statement/v1',
          predicateType: 'https://model_signing/Digests/v0.1',
          subject,
        }),
      ),
      'model.sig',
    );

  test('lists whole files, in whatever order', () => {
    expect(
      parse([
        { name: 'b', digest },
        { name: 'a', digest },
      ]).resources.map(({ path }) => path),
    ).toEqual(['a', 'b']);
  });

  test.each<[string, unknown, RegExp]>([
    ['no files', [], /lists no files/],
    [
      'a file twice',
      [
        { name: 'a', digest },
        { name: 'a', digest },
      ],
      /there twice/,
    ],
    ['a path out of the folder', [{ name: '../a', digest }], /outside of its folder/],
    [
      'shards',
      [{ name: 'a', digest, annotations: { actual_hash_algorithm: 'file-sha256-1000000' } }],
      /hashed as "file-sha256-1/,
    ],
    ['another digest', [{ name: 'a', digest: { sha512: 'a'.repeat(128) } }], /no name or no SHA-256/],
    ['no name', [{ digest }], /no name or no SHA-256/],
  ])('is refused for %s', (_, subject, error) => {
    expect(() => parse(subject)).toThrow(error);
  });
});
