import { describe, expect, it } from 'vitest';
import { createSecretMasker } from '../../../harness/runner/masks.ts';

describe('createSecretMasker', () => {
  it.each([
    ['a secret', ['s3cret'], 'a s3cret b', 'a *** b'],
    ['each occurrence', ['ab'], 'ab-ab', '***-***'],
    ['touching occurrences as one', ['ab'], 'abab', '***'],
    ['overlapping secrets as one', ['abc', 'bcd'], 'xabcdx', 'x***x'],
    ['a secret within a secret', ['abcdef', 'cd'], 'abcdef cd', '*** ***'],
    ['each line of a secret', ['first\nsecond'], 'x second\nfirst y', 'x ***\n*** y'],
    ['a secret in JSON', ['a"b\\c'], JSON.stringify({ k: 'a"b\\c' }), '{"k":"***"}'],
    ['a secret in a URL', ['p@ss/word'], 'https://u:p%40ss%2Fword@h', 'https://u:***@h'],
    ['other text never', ['abc'], 'abd', 'abd'],
  ])('hides %s', (_, secrets, text, expected) => {
    expect(createSecretMasker(secrets).mask(text)).toBe(expected);
  });

  it.each([0, 1, 2])('hides a base64 form that starts at offset %i', (offset) => {
    const secret = 'correct horse battery';
    const encoded = Buffer.from(`${'u'.repeat(offset)}${secret}`).toString('base64');
    const masked = createSecretMasker([secret]).mask(encoded);
    expect(masked).toContain('***');
    expect(masked.length).toBeLessThan(12);
  });

  it('refuses blank secrets', () => {
    const masker = createSecretMasker();
    expect([masker.add(''), masker.add(' \n')]).toEqual([false, false]);
    expect(masker.mask('a b')).toBe('a b');
  });
});
