import { createHmac } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { hmacKey, hmacSha256 } from '../../../../src/core/aws/hmac.ts';

describe('hmacSha256', () => {
  // RFC 4231, test cases 1, 2 and 6: a short key, a word, and a key longer than a block.
  it.each([
    [Buffer.alloc(20, 0x0b), 'Hi There', 'b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7'],
    [
      Buffer.from('Jefe'),
      'what do ya want for nothing?',
      '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843',
    ],
    [
      Buffer.alloc(131, 0xaa),
      'Test Using Larger Than Block-Size Key - Hash Key First',
      '60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54',
    ],
  ])('is as RFC 4231 has it', (key, text, digest) => {
    expect(hmacSha256(hmacKey(key), text).toString('hex')).toBe(digest);
  });

  it.each([0, 1, 63, 64, 65, 200])('is what Node computes for a key of %d bytes', (length) => {
    const key = Buffer.alloc(length, 'k');
    const text = 'ä'.repeat(length);
    expect(hmacSha256(hmacKey(key), text)).toEqual(createHmac('sha256', key).update(text).digest());
  });
});
